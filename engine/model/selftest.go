package model

import (
	"context"
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/program"
)

// Await has Bind wait for kernels, and SelfTest test them.
func (g *Graph) Await(k ...program.Waiter) {
	g.Program.Await(k...)
	for _, waiter := range k {
		if tested, ok := waiter.(kernel.SelfTested); ok {
			g.tested = append(g.tested, tested)
		}
	}
}

// SelfTest runs the graph's kernels, as they compile, and others on patterns, and returns how those that compute wrongly do. Those
// that have passed are left out, and new ones added. It needs no weights.
func (g *Graph) SelfTest(ctx context.Context, passed map[*gpu.Kernel]bool, others ...kernel.SelfTested) ([]*kernel.SelfTestError, error) {
	t, err := kernel.NewSelfTest(g.Device(), passed)
	if err != nil {
		return nil, err
	}
	defer t.Release()
	for _, k := range slices.Concat(others, g.tested) {
		err := k.Wait(ctx)
		if err == nil {
			err = k.SelfTest(t)
		}
		if err != nil {
			return nil, err
		}
	}
	return t.Run(ctx)
}
