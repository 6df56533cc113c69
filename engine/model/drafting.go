package model

import (
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// drafters takes the blocks at the end that only draft tokens out of the layers. Of their tensors, which the model's text does not
// depend on, those of the first are read where the plan is to guess.
func (b *builder) drafters(tensors ...string) {
	all := b.config.Layers
	b.plan.drafters = b.integer("nextn_predict_layers", 0, 0, all-1)
	b.config.Layers -= b.plan.drafters
	for i := b.config.Layers; i < all; i++ {
		if i == b.config.Layers && b.plan.Drafts {
			continue
		}
		for _, name := range append(tensors, "nextn.eh_proj", "nextn.enorm", "nextn.hnorm", "nextn.shared_head_norm", "nextn.embed_tokens", "nextn.shared_head_head") {
			b.ignore(fmt.Sprintf("blk.%d.%s.weight", i, name))
		}
	}
}

// guess has the first drafting block guess at the token after the one that is drawn (arXiv 2412.19437, 2.2): from what the head reads,
// and the embedding of the drawn token. Its K and V are one more layer's, at the positions of the tokens before.
func (b *builder) guess(head rows, block func(x rows)) {
	if b.plan.drafters == 0 || !b.plan.Drafts {
		return
	}
	if head.width%64 != 0 {
		b.refuse("rows of %d do not go with drafting blocks: they must be a multiple of 64", head.width)
		return
	}
	b.enter(b.config.Layers)
	b.drafting = true
	defer func() {
		b.drafting = false
		b.enter(-1)
	}()
	b.plan.guessMatrices = len(b.plan.matrices)
	pair := tokens("guessed from", 2*head.width)
	hidden, drawn := tokens("head's rows", head.width), tokens("drawn", head.width)
	b.embedDrawn(drawn)
	for _, n := range []struct {
		x, y   rows
		column int
	}{{head, hidden, 0}, {b.rmsNorm(drawn, "nextn.enorm"), pair, 0}, {b.rmsNorm(hidden, "nextn.hnorm"), pair, head.width}} {
		b.normed(n.x, n.y, n.column)
	}
	x := tokens(head.label, head.width)
	b.product(b.projection(x, pair, "nextn.eh_proj"))
	block(x)
	b.onDevice(func(g *Graph) { g.kept = g.Len() })
	weights := b.plan.head
	if t, ok := b.find(b.name("nextn.shared_head_head.weight")); ok {
		b.checkRows(t, b.config.Vocabulary, x.width)
		weights = b.matrix("head", b.config.Vocabulary, x.width, Part{Tensor: t, Stride: 1})
	}
	logits := rows{label: "logits", width: b.config.Vocabulary, outputs: true}
	b.product(product{weights: []*Matrix{weights}, x: b.rmsNorm(x, "nextn.shared_head_norm"), y: logits})
	b.onDevice(func(g *Graph) { g.guess(logits) })
	b.plan.guessHead = weights
}

// normed writes rows that have a norm to go through to others, from a column on.
func (b *builder) normed(x, y rows, column int) {
	b.onDevice(func(g *Graph) {
		n, err := kernel.NewRMSNorm(g.Device(), kernel.RMSNormParams{K: x.width, XStride: kernel.RowStride(x.width), YStride: kernel.RowStride(y.width),
			MWord: kernel.WordTokens, Eps: x.norm.eps, Variant: g.normVariant()})
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(n)
		from, to := g.view(x), g.view(y)
		var bound *gpu.BindGroup
		g.Add(func() (err error) {
			to := g.Resolve(to)
			to.Offset, to.Size = to.Offset+uint64(4*column), to.Size-uint64(4*column)
			bound, err = n.Bind(g.step, g.Resolve(from), g.weights.vector[x.norm.weight].All(), to)
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { n.Record(rec, bound, len(s.Tokens)) })
	})
}

// embedDrawn gives the embedding of the token behind each of the step's, from the block's own matrix where it has one.
func (b *builder) embedDrawn(x rows) {
	var next gpu.View
	b.onDevice(func(g *Graph) {
		k, err := kernel.NewNextTokens(g.Device())
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(k)
		next = g.Scratch("next tokens", kernel.NextTokensWords(g.options.MaxTokens))
		var bound *gpu.BindGroup
		g.Add(func() (err error) {
			bound, err = k.Bind(g.step, g.options.Results, g.Resolve(next))
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { k.Record(rec, bound, len(s.Tokens)) })
	})
	m := b.plan.embedding
	if t, ok := b.find(b.name("nextn.embed_tokens.weight")); ok {
		b.checkRows(t, b.config.Vocabulary, x.width)
		m = b.matrix("embedding", b.config.Vocabulary, x.width, Part{Tensor: t, Stride: 1})
	}
	b.lookUpIn(func(*Graph) gpu.View { return next }, x, kernel.EmbedParams{XStride: kernel.RowStride(x.width)}, m)
}

// guess records the choice of the most likely token.
func (g *Graph) guess(logits rows) {
	k, err := kernel.NewGuess(g.Device(), logits.width)
	if err != nil {
		g.Fail(err)
		return
	}
	g.Await(k)
	g.guesses = g.Buffer("guesses", g.options.MaxOutputs)
	from := g.view(logits)
	var bound *gpu.BindGroup
	g.Add(func() (err error) {
		bound, err = k.Bind(g.step, g.Resolve(from), g.guesses)
		return err
	}, func(rec *gpu.Recorder, s *kernel.StepData) { k.Record(rec, bound, len(s.Outputs)) })
}

// RecordGuesses records, behind the drawing of tokens, what later guesses at this step's sequences need, and its own if they are
// wanted.
func (g *Graph) RecordGuesses(rec *gpu.Recorder, s *kernel.StepData, wanted bool) {
	to := g.kept
	if wanted {
		to = g.Len()
	}
	g.Program.Record(rec, s, g.drawn, to)
}

// Guesses is the buffer of guesses: a word an output.
func (g *Graph) Guesses() *gpu.Buffer { return g.guesses.Buffer }
