package program_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/program"
)

type waiter func() error

func (w waiter) Wait(context.Context) error { return w() }

// Kernels are waited for before anything is bound, operations bind and record in the order they were added, and each is
// given the step.
func TestOrder(t *testing.T) {
	p := program.New(nil, "")
	var order []string
	did := func(what string) func() error { return func() error { order = append(order, what); return nil } }
	step := &kernel.StepData{Tokens: []uint32{7}}
	records := func(what string) program.Record {
		return func(_ *gpu.Recorder, s *kernel.StepData) {
			assert.Same(t, step, s)
			order = append(order, what)
		}
	}
	p.Add(did("bind 1"), records("record 1"))
	p.Await(waiter(did("wait 1")))
	p.Add(nil, records("record 2"))
	p.Add(did("bind 3"), records("record 3"))
	p.Await(waiter(did("wait 2")))
	var told []int64
	require.NoError(t, p.Finish(context.Background(), func(done, total int64) { told = append(told, done, total) }))
	p.Record(nil, step, 0, p.Len())
	p.Record(nil, step, 0, 1)
	assert.Equal(t, []string{"wait 1", "wait 2", "bind 1", "bind 3", "record 1", "record 2", "record 3", "record 1"}, order)
	assert.Equal(t, []int64{1, 2, 2, 2}, told)
}

func TestFirstErrorSticks(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	p := program.New(nil, "test")
	p.Fail(nil)
	require.NoError(t, p.Err())
	bound := 0
	p.Await(waiter(func() error { return first }), waiter(func() error { t.Error("waited on"); return nil }))
	p.Add(func() error { bound++; return second }, nil)
	require.ErrorIs(t, p.Finish(context.Background(), nil), first)
	p.Fail(second)
	require.ErrorIs(t, p.Err(), first)
	assert.Zero(t, bound)
	assert.Equal(t, gpu.View{}, p.Buffer("after", 4), "nothing is made behind an error")

	p = program.New(nil, "test")
	p.Add(func() error { bound++; return second }, nil)
	p.Add(func() error { t.Error("bound on"); return nil }, nil)
	require.ErrorIs(t, p.Finish(context.Background(), nil), second)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p = program.New(nil, "test")
	p.Add(func() error { t.Error("bound after all"); return nil }, nil)
	require.ErrorIs(t, p.Finish(ctx, nil), context.Canceled)
}
