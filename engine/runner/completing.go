package runner

import "context"

// completing is late kernels on their way, while the model runs.
type completing struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// complete begins to make the late kernels, once. Where that fails, others go on doing their work.
func (r *Runner) complete() {
	if r.completing != nil || !r.options.Late {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	c, graph, passed := &completing{cancel, make(chan struct{})}, r.graph, r.passed
	r.completing = c
	go func() {
		defer close(c.done)
		graph.Complete(ctx, passed)
	}()
}

// end has nothing of it run any more.
func (c *completing) end() {
	if c != nil {
		c.cancel()
		<-c.done
	}
}
