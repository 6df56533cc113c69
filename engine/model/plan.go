package model

import (
	"fmt"

	"quire/engine/gguf"
	"quire/engine/quant"
)

// Part is a tensor's place in a fused matrix: its row r becomes row r·Stride + Offset.
type Part struct {
	Tensor         *gguf.Tensor
	Offset, Stride int
}

// Matrix is a weight matrix to be made on the GPU, [Rows][Cols], from one or more tensors of one type.
type Matrix struct {
	Label      string
	Type       quant.Type
	Rows, Cols int
	Parts      []Part
}

// Vector is a list of F32 weights to be made on the GPU from tensors; where none lies it is 0.
type Vector struct {
	Label  string
	Length int
	Parts  []VectorPart
}

// VectorPart is a tensor's place in a vector.
type VectorPart struct {
	Tensor *gguf.Tensor
	Offset int // in floats
}

// Layer is one transformer layer. QKV has one fused matrix, or three where the types differ; GateUp has one with
// rows interleaved, or two.
type Layer struct {
	AttentionNorm, FFNNorm Vector
	QKV                    []Matrix
	Bias                   *Vector // of q, k and v together
	Out                    Matrix
	GateUp                 []Matrix
	Down                   Matrix
}

// Plan is what a file's tensors become on the GPU.
type Plan struct {
	Config    *Config
	Embedding Matrix
	Layers    []Layer
	Norm      Vector
	Head      *Matrix  // nil: tied to the embedding
	Warnings  []string // sentences about keys of the file that are not used

	ropeFactors *gguf.Tensor
}

// NewPlan checks a file's configuration and tensors. Its error names the first key, tensor or type that does not fit.
func NewPlan(f *gguf.File) (*Plan, error) {
	p, problems := Check(f)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	return p, nil
}

// Check is NewPlan with all that does not fit, as far as it can be told.
func Check(f *gguf.File) (*Plan, []error) {
	if err := checkWhole(f); err != nil {
		return nil, []error{err}
	}
	r, err := newReader(f)
	if err != nil {
		return nil, []error{err}
	}
	c := r.config()
	if r.err != nil {
		return nil, []error{r.err}
	}
	warnings, problems := r.checkKeys(c)
	b := planner{ledger: r.ledger}
	p := b.plan(c)
	if b.err != nil {
		problems = append(problems, b.err)
	}
	if p != nil {
		p.Warnings = append(r.warnings, warnings...)
		problems = append(problems, b.checkTensors(c)...)
	}
	return p, problems
}

// plan finds the tensors; b.err says what is wrong, and without an embedding there is no plan.
func (b *planner) plan(c *Config) *Plan {
	p := &Plan{Config: c}
	embedding := b.tensor("token_embd.weight")
	if len(embedding.Shape) != 2 || embedding.Shape[1] == 0 || embedding.Shape[1] > 1<<24 {
		b.fail("tensor token_embd.weight has shape %v", embedding.Shape)
		return nil
	}
	c.Vocabulary = int(embedding.Shape[1])
	if tokens, ok, err := b.file.Metadata.Strings("tokenizer.ggml.tokens"); err != nil {
		b.err = err
	} else if ok && len(tokens) > c.Vocabulary {
		b.fail("the vocabulary has %d tokens, token_embd.weight %d rows", len(tokens), c.Vocabulary)
	}
	p.Embedding = b.matrix("embedding", c.Vocabulary, c.Width, Part{Tensor: embedding, Stride: 1})
	p.Norm = b.vector("norm", c.Width, "output_norm.weight")
	if head, ok := b.find("output.weight"); ok {
		m := b.matrix("head", c.Vocabulary, c.Width, Part{Tensor: head, Stride: 1})
		p.Head = &m
	}
	for i := range c.Layers {
		p.Layers = append(p.Layers, b.layer(c, i))
	}
	if factors, ok := b.find("rope_freqs.weight"); ok {
		if factors.Type != quant.F32 || factors.Elements() != uint64(c.RotaryDim/2) {
			b.fail("tensor rope_freqs.weight is %s with %d elements, want F32 with %d", factors.Type, factors.Elements(), c.RotaryDim/2)
		}
		p.ropeFactors = factors
	}
	return p
}

// WeightBytes returns the bytes of the plan's tensors in the file, about what they need on the GPU.
func (p *Plan) WeightBytes() int64 {
	var n int64
	for _, m := range p.matrices() {
		for _, part := range m.Parts {
			n += part.Tensor.Bytes
		}
	}
	for _, v := range p.vectors() {
		for _, part := range v.Parts {
			n += part.Tensor.Bytes
		}
	}
	return n
}

// Parameters counts the weights.
func (p *Plan) Parameters() int64 {
	var n int64
	for _, m := range p.matrices() {
		n += int64(m.Rows) * int64(m.Cols)
	}
	for _, v := range p.vectors() {
		for _, part := range v.Parts {
			n += int64(part.Tensor.Elements())
		}
	}
	return n
}

func (p *Plan) matrices() []*Matrix {
	out := []*Matrix{&p.Embedding}
	for i := range p.Layers {
		l := &p.Layers[i]
		for j := range l.QKV {
			out = append(out, &l.QKV[j])
		}
		out = append(out, &l.Out)
		for j := range l.GateUp {
			out = append(out, &l.GateUp[j])
		}
		out = append(out, &l.Down)
	}
	if p.Head != nil {
		out = append(out, p.Head)
	}
	return out
}

func (p *Plan) vectors() []*Vector {
	out := []*Vector{&p.Norm}
	for i := range p.Layers {
		l := &p.Layers[i]
		out = append(out, &l.AttentionNorm, &l.FFNNorm)
		if l.Bias != nil {
			out = append(out, l.Bias)
		}
	}
	return out
}

func (b *planner) layer(c *Config, i int) Layer {
	name := func(s string) string { return fmt.Sprintf("blk.%d.%s", i, s) }
	label := func(s string) string { return fmt.Sprintf("layer %d %s", i, s) }
	qRows, kvRows := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim

	l := Layer{
		AttentionNorm: b.vector(label("attention norm"), c.Width, name("attn_norm.weight")),
		FFNNorm:       b.vector(label("ffn norm"), c.Width, name("ffn_norm.weight")),
	}
	q, k, v := b.tensor(name("attn_q.weight")), b.tensor(name("attn_k.weight")), b.tensor(name("attn_v.weight"))
	qMatrix := b.matrix(label("q"), qRows, c.Width, Part{Tensor: q, Stride: 1})
	kMatrix := b.matrix(label("k"), kvRows, c.Width, Part{Tensor: k, Stride: 1})
	vMatrix := b.matrix(label("v"), kvRows, c.Width, Part{Tensor: v, Stride: 1})
	l.QKV = []Matrix{qMatrix, kMatrix, vMatrix}
	if q.Type == k.Type && q.Type == v.Type {
		l.QKV = []Matrix{b.matrix(label("qkv"), qRows+2*kvRows, c.Width, Part{Tensor: q, Stride: 1},
			Part{Tensor: k, Offset: qRows, Stride: 1}, Part{Tensor: v, Offset: qRows + kvRows, Stride: 1})}
	}
	l.Bias = b.bias(label("qkv bias"), qRows, kvRows, name("attn_q.bias"), name("attn_k.bias"), name("attn_v.bias"))
	l.Out = b.matrix(label("attention out"), c.Width, qRows, Part{Tensor: b.tensor(name("attn_output.weight")), Stride: 1})

	gate, up := b.tensor(name("ffn_gate.weight")), b.tensor(name("ffn_up.weight"))
	l.GateUp = []Matrix{
		b.matrix(label("gate"), c.FFN, c.Width, Part{Tensor: gate, Stride: 1}),
		b.matrix(label("up"), c.FFN, c.Width, Part{Tensor: up, Stride: 1}),
	}
	if gate.Type == up.Type {
		l.GateUp = []Matrix{b.matrix(label("gate and up"), 2*c.FFN, c.Width, Part{Tensor: gate, Stride: 2}, Part{Tensor: up, Offset: 1, Stride: 2})}
	}
	l.Down = b.matrix(label("down"), c.Width, c.FFN, Part{Tensor: b.tensor(name("ffn_down.weight")), Stride: 1})
	return l
}
