package runner

import (
	"context"
	"sync"
)

// completing is late kernels on their way, while the model runs.
type completing struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// struckOut are late kernels that have computed wrongly, by name.
type struckOut struct {
	mu    sync.Mutex
	names string
}

// complete begins to make late kernels that steps would have taken. Where that fails, others go on doing their work.
func (r *Runner) complete() {
	if c := r.completing; c != nil {
		select {
		case <-c.done:
		default:
			return
		}
	}
	if !r.graph.Lacks() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	c, graph, passed := &completing{cancel, make(chan struct{})}, r.graph, r.passed
	r.completing = c
	go func() {
		defer close(c.done)
		defer cancel()
		failures, _ := graph.Complete(ctx, passed)
		r.wrong.mu.Lock()
		defer r.wrong.mu.Unlock()
		for _, f := range failures {
			if r.wrong.names != "" {
				r.wrong.names += ", "
			}
			r.wrong.names += f.Kernel
		}
	}()
}

// StruckOut names the late kernels that have computed wrongly since the model was loaded; others do their work.
func (r *Runner) StruckOut() string {
	r.wrong.mu.Lock()
	defer r.wrong.mu.Unlock()
	return r.wrong.names
}

// end has nothing of it run any more.
func (c *completing) end() {
	if c != nil {
		c.cancel()
		<-c.done
	}
}
