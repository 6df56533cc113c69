package engine

import (
	"fmt"
	"runtime"

	"quire/engine/schedule"
)

func preemption(name string) (schedule.Preemption, error) {
	p, ok := map[string]schedule.Preemption{
		"": schedule.Cheaper, "auto": schedule.Cheaper, "recompute": schedule.Recompute, "swap": schedule.Swap,
	}[name]
	if !ok {
		return 0, fmt.Errorf("%w: preemption %q (auto, recompute and swap exist)", ErrBadRequest, name)
	}
	return p, nil
}

// tabSwapMemory is what a tab, whose memory is small, swaps to at most unless Options say.
const tabSwapMemory = 256 << 20

// A middling GPU, in figures that are the same everywhere so that decisions are: operations and bytes over its bus a
// nanosecond, and the nanoseconds that starting one copy takes.
const (
	gpuOperations = 5000
	busBytes      = 4
	copyStart     = 1000
)

// setSwap tells the scheduler how much host memory there is, and what recomputing and swapping cost in nanoseconds.
func (e *Engine) setSwap(c *schedule.Config) (err error) {
	if c.Preemption, err = preemption(e.options.Preemption); err != nil {
		return err
	}
	memory := e.options.SwapMemory
	if memory == 0 {
		memory = e.info.KVBytes
		if runtime.GOOS == "js" {
			memory = min(memory, tabSwapMemory)
		}
	}
	block, state := e.info.KVBytes/uint64(c.Blocks), uint64(e.plan.StateBytes())
	if c.Preemption != schedule.Recompute {
		if state > 0 {
			c.HostStates = int(min(memory/2/state, uint64(c.MaxSeqs)))
			memory -= uint64(c.HostStates) * state
			c.StateCost = 2 * (state/busBytes + 2*uint64(e.plan.StateLayers())*copyStart)
		}
		c.HostBlocks = int(min(memory/block, uint64(8*c.Blocks)))
	}
	c.TokenCost = 2*uint64(e.info.Parameters)/gpuOperations + 1
	c.BlockCost = 2 * (block/busBytes + 2*uint64(e.plan.GroupLayers())*copyStart)
	return nil
}
