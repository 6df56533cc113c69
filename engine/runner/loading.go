package runner

import (
	"cmp"
	"context"
	"sync"

	"quire/engine/gpu"
	"quire/engine/model"
)

// loading is a model's weights on their way, while its kernels are made.
type loading struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
	err    error
	tell   func(stage string, done, total int64)

	mu             sync.Mutex
	over           bool
	kernels, total int64 // that have compiled; told once the weights are there
}

// startLoad begins to move the weights to the GPU. What it returns ends where that fails.
func (r *resources) startLoad(ctx context.Context, p *model.Plan, src gpu.Source, o *Options) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	l := &loading{cancel: cancel, done: make(chan struct{}), tell: o.Progress}
	if l.tell == nil {
		l.tell = func(string, int64, int64) {}
	}
	r.loading = l
	go func() {
		defer close(l.done)
		if l.err = r.load(ctx, p, src, o.Context); l.err != nil {
			cancel(l.err)
		}
	}()
	return ctx
}

func (r *resources) load(ctx context.Context, p *model.Plan, src gpu.Source, context int) (err error) {
	for i, rope := range p.Ropes {
		if r.ropes[i].rope, err = rope.Load(src, context > p.ShortContext); err != nil {
			return err
		}
	}
	filled := make(chan error, 1)
	go func() { filled <- r.fillTables(1, context) }() // which the first step would wait for
	l := r.loading
	err = r.weights.Load(ctx, src, func(done, total int64) { l.tell("weights", done, total) })
	if err = cmp.Or(err, <-filled); err == nil {
		l.arrived()
	}
	return err
}

// arrived tells of the kernels what could not be told before.
func (l *loading) arrived() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	if l.total > 0 {
		l.tell("kernels", l.kernels, l.total)
	}
}

// compiled tells how many kernels have compiled.
func (l *loading) compiled(done, total int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kernels, l.total = done, total
	if l.over {
		l.tell("kernels", done, total)
	}
}

// wait waits for the weights.
func (l *loading) wait() error {
	<-l.done
	return l.err
}

// end has nothing of it run any more.
func (l *loading) end() {
	if l != nil {
		l.cancel(nil)
		<-l.done
	}
}
