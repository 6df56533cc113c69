package runner

import (
	"context"
	"slices"
	"time"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/model"
)

// SelfTest says what became of the self-test of a model's kernels.
type SelfTest struct {
	Kernels  []string      // that computed rightly
	Replaced []string      // that did not, and whose baseline runs in their place
	Took     time.Duration // that the load took longer for it
}

// SelfTest says what became of the self-test, if there was one.
func (r *resources) SelfTest() SelfTest { return r.selfTest }

// selfTesting is a test of a graph's kernels, as they compile.
type selfTesting struct {
	cancel   context.CancelFunc
	done     chan struct{}
	failures []*kernel.SelfTestError
	err      error
}

// end has nothing of it run any more.
func (t *selfTesting) end() {
	if t != nil {
		t.cancel()
		<-t.done
	}
}

// startSelfTest tests the graph's kernels that have not passed yet, while the weights come. It needs none of them.
func (r *resources) startSelfTest(ctx context.Context, late bool) {
	var others []kernel.SelfTested
	if r.sampler != nil {
		// What is made late is tested then.
		others = []kernel.SelfTested{r.sampler, r.sampler.Testing(kernel.Draws{Random: !late, Logprobs: !late})}
	}
	ctx, cancel := context.WithCancel(ctx)
	t, graph, passed := &selfTesting{cancel: cancel, done: make(chan struct{})}, r.graph, r.passed
	r.testing = t
	go func() {
		defer close(t.done)
		t.failures, t.err = graph.SelfTest(ctx, passed, others...)
	}()
}

// build completes the graph, and tests its kernels if they are to be tested. Where some compute wrongly it makes another, of their
// baseline; where that does too it returns a *kernel.SelfTestError.
func (r *resources) build(ctx context.Context, d *gpu.Device, o *Options, to *model.GraphOptions, graph func() error) error {
	for {
		if err := r.graph.Bind(ctx, r.loading.compiled); err != nil {
			return err
		}
		if r.sampler != nil {
			if err := r.sampler.Wait(ctx); err != nil {
				return err
			}
		}
		if !o.SelfTest {
			return nil
		}
		if err := r.loading.wait(); err != nil {
			return err
		}
		start := time.Now()
		<-r.testing.done
		r.selfTest.Took += time.Since(start)
		failures := r.testing.failures
		if r.testing.err != nil {
			return r.testing.err
		}
		if len(failures) == 0 {
			break
		}
		tried := slices.Clone(to.Baseline)
		for _, f := range failures {
			if o.Deterministic || slices.Contains(tried, f.Group) {
				return f
			}
			r.selfTest.Replaced = append(r.selfTest.Replaced, f.Kernel)
			if !slices.Contains(to.Baseline, f.Group) {
				to.Baseline = append(to.Baseline, f.Group)
			}
		}
		r.testing.cancel()
		r.graph.Release()
		if err := graph(); err != nil {
			return err
		}
		r.startSelfTest(ctx, o.Late)
	}
	for _, k := range d.Kernels() {
		if r.passed[k] {
			r.selfTest.Kernels = append(r.selfTest.Kernels, k.Label())
		}
	}
	return nil
}

// test tests kernels that are made while the model runs.
func (r *Runner) test(kernels kernel.SelfTested) error {
	return test(context.Background(), r.device, kernels)
}

func test(ctx context.Context, d *gpu.Device, kernels kernel.SelfTested) error {
	t, err := kernel.NewSelfTest(d, map[*gpu.Kernel]bool{})
	if err != nil {
		return err
	}
	defer t.Release()
	if err := kernels.SelfTest(t); err != nil {
		return err
	}
	failures, err := t.Run(ctx)
	if err == nil && len(failures) > 0 {
		err = failures[0]
	}
	return err
}
