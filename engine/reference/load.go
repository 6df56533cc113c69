package reference

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"quire/engine/gguf"
	"quire/engine/quant"
)

// Layer holds one layer's weights, matrices as [output][input]. Absent biases are nil.
type Layer struct {
	AttnNorm            []float32
	Q, K, V, O          []float32
	QBias, KBias, VBias []float32
	OBias               []float32
	FFNNorm             []float32
	Gate, Up, Down      []float32
	GateBias, UpBias    []float32
	DownBias            []float32
	QNorm, KNorm        []float32 // of heads
	AfterAttn, AfterFFN []float32 // norms of what the blocks give
}

// Model is a model with its weights widened to float32; all arithmetic is in float64.
type Model struct {
	Config
	Embedding  []float32 // [Vocabulary][Width]
	Layers     []Layer
	OutputNorm []float32
	Output     []float32 // [Vocabulary][Width], Embedding itself where they are tied
}

// Load reads and widens all weights. Metadata that does not make a model, a missing or misshapen
// tensor and a tensor that the forward pass would leave out are errors that name the key or tensor.
func Load(f *gguf.File, r io.ReaderAt) (*Model, error) {
	config, err := ReadConfig(&f.Metadata)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	l := loader{file: f, src: r, used: map[string]bool{}}
	m := &Model{Config: config}
	embedding, ok := f.Tensor("token_embd.weight")
	if !ok || len(embedding.Shape) != 2 || embedding.Shape[1] > math.MaxInt32 {
		return nil, fmt.Errorf("reference: tensor %q is missing or no matrix", "token_embd.weight")
	}
	m.Vocabulary = int(embedding.Shape[1])
	m.Embedding = l.matrix("token_embd.weight", m.Vocabulary, m.Width)
	m.OutputNorm = l.vector("output_norm.weight", m.Width)
	m.Output = m.Embedding
	if _, separate := f.Tensor("output.weight"); separate {
		m.Output = l.matrix("output.weight", m.Vocabulary, m.Width)
	}
	if _, scaled := f.Tensor("rope_freqs.weight"); scaled {
		m.Rope.Divisors = l.vector("rope_freqs.weight", m.Rope.Dim/2)
		if slices.ContainsFunc(m.Rope.Divisors, func(d float32) bool { return !(d > 0) }) {
			l.fail("rope_freqs.weight", "has a divisor that is not positive")
		}
	}
	for i := 0; i < config.Layers && l.err == nil; i++ {
		m.Layers = append(m.Layers, l.layer(fmt.Sprintf("blk.%d.", i), config))
	}
	for _, t := range f.Tensors {
		if !l.used[t.Name] {
			l.fail(t.Name, "is no part of this architecture's forward pass")
		}
	}
	return m, l.err
}

// loader keeps the first error.
type loader struct {
	file *gguf.File
	src  io.ReaderAt
	used map[string]bool
	err  error
}

func (l *loader) layer(prefix string, c Config) Layer {
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	layer := Layer{
		AttnNorm: l.vector(prefix+"attn_norm.weight", c.Width),
		Q:        l.matrix(prefix+"attn_q.weight", q, c.Width),
		K:        l.matrix(prefix+"attn_k.weight", kv, c.Width),
		V:        l.matrix(prefix+"attn_v.weight", kv, c.Width),
		O:        l.matrix(prefix+"attn_output.weight", c.Width, q),
		QBias:    l.bias(prefix+"attn_q.bias", q),
		KBias:    l.bias(prefix+"attn_k.bias", kv),
		VBias:    l.bias(prefix+"attn_v.bias", kv),
		OBias:    l.bias(prefix+"attn_output.bias", c.Width),
		GateBias: l.bias(prefix+"ffn_gate.bias", c.FFN),
		UpBias:   l.bias(prefix+"ffn_up.bias", c.FFN),
		DownBias: l.bias(prefix+"ffn_down.bias", c.Width),
		FFNNorm:  l.vector(prefix+"ffn_norm.weight", c.Width),
		Gate:     l.matrix(prefix+"ffn_gate.weight", c.FFN, c.Width),
		Up:       l.matrix(prefix+"ffn_up.weight", c.FFN, c.Width),
		Down:     l.matrix(prefix+"ffn_down.weight", c.Width, c.FFN),
	}
	if c.HeadNorm {
		layer.QNorm, layer.KNorm = l.vector(prefix+"attn_q_norm.weight", c.HeadDim), l.vector(prefix+"attn_k_norm.weight", c.HeadDim)
	}
	if c.Gemma {
		layer.AfterAttn, layer.AfterFFN = l.vector(prefix+"post_attention_norm.weight", c.Width), l.vector(prefix+"post_ffw_norm.weight", c.Width)
	}
	return layer
}

func (l *loader) fail(name, reason string) {
	if l.err == nil {
		l.err = fmt.Errorf("reference: tensor %q %s", name, reason)
	}
}

func (l *loader) bias(name string, n int) []float32 {
	if _, ok := l.file.Tensor(name); !ok {
		return nil
	}
	return l.vector(name, n)
}

func (l *loader) vector(name string, n int) []float32 { return l.tensor(name, uint64(n)) }

// matrix reads a matrix, times the number that may stand beside it.
func (l *loader) matrix(name string, rows, columns int) []float32 {
	weights := l.tensor(name, uint64(columns), uint64(rows))
	if scale := l.bias(strings.TrimSuffix(name, "weight")+"scale", 1); scale != nil {
		for i := range weights {
			weights[i] *= scale[0]
		}
	}
	return weights
}

func (l *loader) tensor(name string, shape ...uint64) []float32 {
	if l.err != nil {
		return nil
	}
	t, ok := l.file.Tensor(name)
	if !ok {
		l.fail(name, "is missing")
		return nil
	}
	if !slices.Equal(t.Shape, shape) {
		l.fail(name, fmt.Sprintf("has shape %d, want %d", t.Shape, shape))
		return nil
	}
	l.used[name] = true
	weights, err := ReadTensor(t, l.src)
	l.err = err
	return weights
}

// ReadTensor reads one tensor and widens it to float32.
func ReadTensor(t *gguf.Tensor, r io.ReaderAt) ([]float32, error) {
	if !t.Type.Known() {
		return nil, fmt.Errorf("reference: tensor %q of %s: %w", t.Name, t.Type, quant.ErrUnsupportedType)
	}
	data := make([]byte, t.Bytes)
	if n, err := r.ReadAt(data, t.Offset); n < len(data) {
		return nil, fmt.Errorf("reference: tensor %q: %w", t.Name, err)
	}
	weights := make([]float32, t.Elements())
	if err := quant.Dequantize(t.Type, data, weights); err != nil {
		return nil, fmt.Errorf("reference: tensor %q: %w", t.Name, err)
	}
	return weights, nil
}
