package model

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Pooling is a value of pooling_type: how an embedding is made of a sequence's tokens.
type Pooling int

// The values of pooling_type.
const (
	PoolNone Pooling = iota // nothing is said
	PoolMean
	PoolCLS
	PoolLast
	PoolRank
)

// pooling reads pooling_type.
func (r *reader) pooling() Pooling {
	const key = "pooling_type"
	if v, ok := r.file.Metadata.Get(r.arch + "." + key); ok && v.String() == "-1" {
		r.key(key)
		return PoolNone
	}
	return Pooling(r.integer(key, 0, 0, int(PoolRank)))
}

// pool gives what embeddings are made of: the rows of x added up over a sequence's tokens, as Pools say.
func (b *builder) pool(x rows) rows {
	y := rows{label: "pooled", width: x.width, pooled: true}
	b.plan.pooled = y
	b.onDevice(func(g *Graph) { g.pool(x, y) })
	return y
}

// afterPooling is W·x of pooled rows.
func (b *builder) afterPooling(x rows, name string, width int) rows {
	y := rows{label: name, width: width, pooled: true}
	b.product(product{weights: b.stack(name, x.width, []string{name}, []int{width}), x: x, y: y})
	return y
}

// embeddings ends a model that gives no text: with embeddings of x, and with a score where the file has a classifier.
func (b *builder) embeddings(x rows) {
	b.plan.NoText = true
	b.rank(b.pool(x))
}

// rank gives scores of pooled rows, where the file has what makes them: a hidden layer with tanh, if any, and a row a label.
func (b *builder) rank(x rows) {
	const hidden, output = "cls", "cls.output"
	t, ok := b.find(output + ".weight")
	if !ok {
		if b.plan.Pooling == PoolRank {
			b.refuse("%s.pooling_type is %d, a score, and the file has no tensor %s.weight to make it", b.arch, PoolRank, output)
		}
		return
	}
	if _, ok := b.find(hidden + ".weight"); ok {
		p := b.projection(rows{label: hidden, width: x.width, pooled: true}, x, hidden)
		p.cap = 1
		b.product(p)
		x = p.y
	}
	labels := 1
	if len(t.Shape) == 2 {
		labels = int(min(t.Shape[1], 1<<12))
	}
	if names, ok, err := b.file.Metadata.Strings(b.key("classifier.output_labels")); err != nil {
		b.failed(err)
	} else if ok && len(names) != labels {
		b.fail("%s.classifier.output_labels has %d labels, tensor %s.weight %d rows", b.arch, len(names), output, labels)
	}
	p := b.projection(rows{label: "scores", width: max(labels, 1), pooled: true}, x, output)
	b.product(p)
	b.plan.scores = p.y
	b.plan.Shares = b.arch == "qwen3"
}

// pool records the norm that rows still have to go through, and their sums.
func (g *Graph) pool(x, y rows) {
	k, err := kernel.NewPool(g.Device(), kernel.PoolParams{K: x.width, XStride: kernel.RowStride(x.width), YStride: kernel.RowStride(y.width), MaxTokens: g.options.MaxTokens})
	if err != nil {
		g.Fail(err)
		return
	}
	g.Await(k)
	from, to := g.view(x), g.view(y)
	if x.norm != nil {
		from = g.normed(x)
	}
	var bound *gpu.BindGroup
	g.Add(func() (err error) {
		bound, err = k.Bind(g.step, g.Resolve(from), g.Resolve(to))
		return err
	}, func(rec *gpu.Recorder, s *kernel.StepData) { k.Record(rec, bound, len(s.Pools)) })
}

// normed records a norm of all tokens of a step that pools some, into memory of its own.
func (g *Graph) normed(x rows) gpu.View {
	if x.norm.bias != nil {
		return g.layerNorm(x, false, pooledTokens)
	}
	to := g.scratch("normed", g.options.MaxTokens, x.width)
	n, err := kernel.NewRMSNorm(g.Device(), kernel.RMSNormParams{K: x.width, XStride: kernel.RowStride(x.width), YStride: kernel.RowStride(x.width),
		MWord: kernel.WordTokens, Eps: x.norm.eps, Variant: g.normVariant()})
	if err != nil {
		g.Fail(err)
		return to
	}
	g.Await(n)
	from := g.view(x)
	var bound *gpu.BindGroup
	g.Add(func() (err error) {
		bound, err = n.Bind(g.step, g.Resolve(from), g.weights.vector[x.norm.weight].All(), g.Resolve(to))
		return err
	}, func(rec *gpu.Recorder, s *kernel.StepData) { n.Record(rec, bound, pooledTokens(s)) })
	return to
}

// pooledTokens is how many tokens a step has that pools some: steps that only write text do nothing for embeddings.
func pooledTokens(s *kernel.StepData) int {
	if len(s.Pools) == 0 {
		return 0
	}
	return len(s.Tokens)
}

// PooledWidth is the length of an embedding, Labels how many scores a model that ranks gives.
func (p *Plan) PooledWidth() int { return p.pooled.width }

// Labels is how many scores a model that ranks gives; 0: it does not rank.
func (p *Plan) Labels() int { return p.scores.width }

// RankLast says that scores are of the last token, not the first.
func (p *Plan) RankLast() bool { return p.rankLast }

// Pooled returns the buffer of pooled rows, a row of kernel.RowStride(PooledWidth) floats a Pool, once it is bound.
func (g *Graph) Pooled() *gpu.Buffer { return g.Resolve(g.view(g.plan.pooled)).Buffer }

// Scores returns the buffer of scores, a row of kernel.RowStride(Labels) floats a Pool, once it is bound.
func (g *Graph) Scores() *gpu.Buffer { return g.Resolve(g.view(g.plan.scores)).Buffer }
