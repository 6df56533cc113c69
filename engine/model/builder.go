package model

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/quant"
)

// builder describes a model, one operation after the other, in the words of the paper. Each operation does its part on the
// file alone at once: it finds tensors, checks them and plans their place on the GPU. What it does on a device it leaves to
// onDevice, so that nothing about a layer is written down twice. The first error sticks.
type builder struct {
	*reader
	config *Config
	plan   *Plan
	at     int // the layer that is described; -1 outside of them

	drafting bool    // what is described comes when tokens are drawn
	residual float32 // factor of what blocks add to the residual stream; 0: 1
	err      error
}

// describe says what a model computes: the whole of an architecture.
type describe func(b *builder)

// architectures are those that run, by their name in files.
var architectures = map[string]describe{}

// register adds an architecture. Each file of one does so in its init.
func register(name string, d describe) { architectures[name] = d }

// Architectures are the names of those that run.
func Architectures() []string { return slices.Sorted(maps.Keys(architectures)) }

// typesThatRun are the names of the types that weights may have.
func typesThatRun() []string {
	var names []string
	for _, t := range quant.All() {
		if t.Runs() {
			names = append(names, t.String())
		}
	}
	return names
}

// and lists names in an error.
func and(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// refuse keeps the first thing about the tensors that does not fit.
func (b *builder) refuse(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("%w: "+format, append([]any{ErrUnsupported}, args...)...)
	}
}

// onDevice leaves work to the graph, in the order of the description.
func (b *builder) onDevice(work func(g *Graph)) {
	if b.drafting {
		b.plan.drafting = append(b.plan.drafting, work)
		return
	}
	b.plan.work = append(b.plan.work, work)
}

// name gives a tensor's name where the description stands.
func (b *builder) name(tensor string) string {
	if b.at < 0 {
		return tensor
	}
	return fmt.Sprintf("blk.%d.%s", b.at, tensor)
}

// label says what a buffer holds, for messages.
func (b *builder) label(what string) string {
	if b.at < 0 {
		return what
	}
	return fmt.Sprintf("layer %d %s", b.at, what)
}

// enter begins a layer's description, or with -1 ends the last.
func (b *builder) enter(layer int) {
	b.at = layer
	b.config.layer(layer)
}

// layers goes through the layers: what is described meanwhile belongs to the one that is given. Between two of them a
// submission may end.
func (b *builder) layers() iter.Seq[int] {
	return func(yield func(int) bool) {
		defer b.enter(-1)
		for i := range b.config.Layers {
			b.enter(i)
			if i > 0 {
				b.onDevice(func(g *Graph) {
					g.Add(nil, func(rec *gpu.Recorder, s *kernel.StepData) { g.split(rec, i, len(s.Tokens)) })
				})
			}
			if !yield(i) {
				return
			}
		}
	}
}

// rows are activations: a row of floats for each token of a step, or for each output. They lie in memory that all rows of
// the label and width share, so the next operation that gives such rows overwrites them.
type rows struct {
	label   string
	width   int
	outputs bool  // a row an output, not a token
	pooled  bool  // a row a Pool, not a token
	each    int   // rows of a token; 0: one
	norm    *norm // what they still have to go through: whoever reads them does it on the way
}

// rows of a token each.
func tokens(label string, width int) rows { return rows{label: label, width: width} }
