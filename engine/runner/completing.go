package runner

import (
	"context"
	"sync"

	"quire/engine/kernel"
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

func (s *struckOut) add(failures []*kernel.SelfTestError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range failures {
		if s.names != "" {
			s.names += ", "
		}
		s.names += f.Kernel
	}
}

// Expect tells how many sequences there are, waiting ones too: the kernels for as many at once are made before those that steps on the
// way there would have taken.
func (r *Runner) Expect(sequences int) {
	if n := min(sequences, r.options.MaxSeqs); n > r.expected {
		r.expected, r.expects = n, true
	}
}

// complete begins to make late kernels: of those that are expected, and that steps would have taken. Where that fails, others go on
// doing their work.
func (r *Runner) complete() {
	if c := r.completing; c != nil {
		select {
		case <-c.done:
		default:
			return
		}
	}
	if lacks := r.graph.Lacks(); !lacks && !r.expects {
		return
	}
	r.expects = false
	ctx, cancel := context.WithCancel(context.Background())
	c, graph, passed, expected := &completing{cancel, make(chan struct{})}, r.graph, r.passed, r.expected
	r.completing = c
	go func() {
		defer close(c.done)
		defer cancel()
		for _, rows := range []int{expected, 0} {
			failures, err := graph.Complete(ctx, passed, rows)
			r.wrong.add(failures)
			if err != nil {
				return
			}
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
