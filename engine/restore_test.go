package engine

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine/step"
)

// What is restored between two steps takes no block that a request is still to be swapped out of. Searches land each step,
// and the second is a step behind the first: it has to go while the first is in flight, in a step of its own that is
// never made, so that its blocks leave with the next one.
func TestRestoreBeforeSwapOut(t *testing.T) {
	o := Options{Deterministic: true, Context: 24, BlockSize: 4, MaxSeqs: 4, Depth: 2, Preemption: "swap"}
	search := func(prompt []int32) Request {
		return Request{Prompt: prompt, MaxTokens: 10, IgnoreEnd: true, Beams: &Beams{Width: 1}}
	}
	first, second := search(testPrompts(8)[1][:10]), search(testPrompts(8)[3][:11])
	roomy := openModel(t, "tiny-tales", o)
	want := results(t, roomy, []Request{first, second})

	o.KVMemory = kvMemory(roomy, 6)
	e := openModel(t, "tiny-tales", o)
	var foreign []int32
	for i := range int32(24) {
		foreign = append(foreign, 200+i)
	}
	nan := bytes.Repeat([]byte{0xff, 0x7f}, e.machine.BlockBytes()/2)
	restored := 0
	var restore func()
	restore = func() { // before each step, as Engine.Restore would
		if len(e.scheduler.Cache().SwapOuts()) > 0 {
			restored++
			p, err := e.scheduler.Load(foreign, len(foreign), "nobody's", "")
			if assert.NoError(t, err) {
				for _, id := range p.Blocks(0) {
					assert.NoError(t, e.machine.WriteBlock(id, nan))
				}
				e.scheduler.Unpin(p)
			}
		}
		if len(e.loop.Generations()) > 0 { // a loop that idles would never rest
			_ = e.loop.Post(restore)
		}
	}
	var behind *Stream
	e.trace = func(*step.Step) {
		if behind == nil {
			behind = submit(t, e, second)
			restore()
		}
	}
	got := []Result{submit(t, e, first).Result(), behind.Result()}
	assertSame(t, want, got, "restored beside")
	assert.NotZero(t, restored)
	assert.NotZero(t, e.Stats().SwapIns)
}
