package model

import (
	"context"
	"slices"

	"quire/engine/breath"
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
	var work breath.Breath
	for _, k := range slices.Concat(others, g.tested) {
		work.Take()
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

// Lacks tells, once, whether what has been recorded since would have gone better by late kernels that Complete has not made.
func (g *Graph) Lacks() bool {
	lacks := g.lacks
	g.lacks = false
	return lacks
}

// Forget has Complete not make what has been lacking so far.
func (g *Graph) Forget() {
	g.lacks = false
	for _, l := range g.linears {
		l.Forget()
	}
	for _, a := range g.attentions {
		a.Forget()
	}
}

// late are late kernels that Complete has made.
type late interface {
	SelfTest(t *kernel.SelfTest) error
	Take(right func(*gpu.Kernel) bool)
}

// Complete makes the products' late kernels for so many rows, or where that is 0 those that there have been rows for, and attention's, while
// the graph is used. Those that compute rightly are taken, and how others do is returned; passed are those that are known to, nil where none is tested.
// What cannot be made, or tested, is done without.
func (g *Graph) Complete(ctx context.Context, passed map[*gpu.Kernel]bool, rows int) (failures []*kernel.SelfTestError, err error) {
	var work breath.Breath
	var made []late
	for _, l := range g.linears { // one after another: they are to keep nobody waiting
		if l.Complete(ctx, rows) {
			made = append(made, l)
		}
		if ctx.Err() != nil || g.Device().Err() != nil {
			return nil, ctx.Err()
		}
		work.Take()
	}
	for _, a := range g.attentions {
		if rows == 0 && a.Complete(ctx) {
			made = append(made, a)
		}
	}
	if passed != nil && len(made) > 0 {
		failures, err = g.test(ctx, passed, made)
	}
	for _, l := range made {
		l.Take(func(k *gpu.Kernel) bool { return err == nil && (passed == nil || passed[k]) })
	}
	return failures, err
}

// test tests the kernels of products that have not passed.
func (g *Graph) test(ctx context.Context, passed map[*gpu.Kernel]bool, made []late) ([]*kernel.SelfTestError, error) {
	t, err := kernel.NewSelfTest(g.Device(), passed)
	if err != nil {
		return nil, err
	}
	defer t.Release()
	var work breath.Breath
	for _, l := range made {
		if err = l.SelfTest(t); err != nil {
			return nil, err
		}
		work.Take()
	}
	return t.Run(ctx)
}
