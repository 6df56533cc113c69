// Package train trains small llamas on the GPU: forward and backward pass in f32, cross-entropy, AdamW. Attention runs
// through engine/attention. Every sum has one order, so that two runs give the same bits.
package train

import (
	"fmt"
	"strings"

	"quire/engine/kernel"
)

// Config is the shape of a llama. Its RoPE turns neighbouring elements, as GGUF's llama has it.
type Config struct {
	Layers     int
	Width      int // of the residual stream, a multiple of 32
	Heads      int
	KVHeads    int // a divisor of Heads
	HeadDim    int // even; with Heads and with KVHeads a multiple of 4
	FFN        int // width of the feed-forward layer, a multiple of 32
	Vocabulary int
	Length     int // tokens of a sequence
	Eps        float32
	RopeBase   float64
	Tied       bool // the embedding is the output matrix too
}

// check names the first field that cannot be.
func (c Config) check() error {
	for _, f := range []struct {
		name                 string
		value, low, multiple int
	}{
		{"layers", c.Layers, 1, 1}, {"width", c.Width, 32, 32}, {"heads", c.Heads, 1, 1}, {"KV heads", c.KVHeads, 1, 1},
		{"head dim", c.HeadDim, 2, 2}, {"feed-forward width", c.FFN, 32, 32}, {"vocabulary", c.Vocabulary, 2, 1}, {"length", c.Length, 1, 1},
		{"head dim times heads", c.HeadDim * c.Heads, 4, 4}, {"head dim times KV heads", c.HeadDim * c.KVHeads, 4, 4},
	} {
		switch {
		case f.value < f.low || f.value > 1<<20:
			return fmt.Errorf("train: %s is %d, not within %d to %d", f.name, f.value, f.low, 1<<20)
		case f.value%f.multiple != 0:
			return fmt.Errorf("train: %s is %d, no multiple of %d", f.name, f.value, f.multiple)
		}
	}
	switch {
	case c.Vocabulary > kernel.MaxWorkgroups: // one a row of the embedding, in its gradient
		return fmt.Errorf("train: vocabulary is %d, at most %d tokens are trained", c.Vocabulary, kernel.MaxWorkgroups)
	case c.Heads%c.KVHeads != 0:
		return fmt.Errorf("train: %d heads do not share %d KV heads evenly", c.Heads, c.KVHeads)
	case !(c.Eps > 0) || !(c.RopeBase > 0):
		return fmt.Errorf("train: eps %g and RoPE's base %g must be positive", c.Eps, c.RopeBase)
	}
	return nil
}

// Tensor is one tensor of a model, by its name in a GGUF file. A matrix is [Rows][Columns]; a vector has one row.
type Tensor struct {
	Name          string
	Rows, Columns int

	offset int // floats into the model's parameters
}

func (t Tensor) norm() bool { return strings.HasSuffix(t.Name, "norm.weight") }

// Names of tensors outside the layers.
const (
	embeddingName  = "token_embd.weight"
	outputName     = "output.weight"
	outputNormName = "output_norm.weight"
)

func layerName(layer int, name string) string { return fmt.Sprintf("blk.%d.%s.weight", layer, name) }

// tensorAlign is where tensors start in the parameters, in floats: what any adapter lets a binding start at.
const tensorAlign = 64

// layout places a model's tensors: matrices, which decay, then norms, which do not. It also gives the floats before the
// norms and in all.
func (c Config) layout() (tensors []Tensor, decayed, size int) {
	place := func(name string, rows, columns int) {
		tensors = append(tensors, Tensor{Name: name, Rows: rows, Columns: columns, offset: size})
		size += (rows*columns + tensorAlign - 1) / tensorAlign * tensorAlign
	}
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	place(embeddingName, c.Vocabulary, c.Width)
	for i := range c.Layers {
		place(layerName(i, "attn_q"), q, c.Width)
		place(layerName(i, "attn_k"), kv, c.Width)
		place(layerName(i, "attn_v"), kv, c.Width)
		place(layerName(i, "attn_output"), c.Width, q)
		place(layerName(i, "ffn_gate"), c.FFN, c.Width)
		place(layerName(i, "ffn_up"), c.FFN, c.Width)
		place(layerName(i, "ffn_down"), c.Width, c.FFN)
	}
	if !c.Tied {
		place(outputName, c.Vocabulary, c.Width)
	}
	decayed = size
	for i := range c.Layers {
		place(layerName(i, "attn_norm"), 1, c.Width)
		place(layerName(i, "ffn_norm"), 1, c.Width)
	}
	place(outputNormName, 1, c.Width)
	return tensors, decayed, size
}

// Parameters counts the weights.
func (c Config) Parameters() int {
	n := 0
	tensors, _, _ := c.layout()
	for _, t := range tensors {
		n += t.Rows * t.Columns
	}
	return n
}
