// Package model describes architectures as data: the configuration read from a GGUF file, which tensors a layer has,
// and the order of kernels in a step.
package model

import (
	"errors"
	"math"

	"quire/engine/kernel"
)

// ErrUnsupported is a model that cannot run; the message names the architecture, tensor or type.
var ErrUnsupported = errors.New("unsupported model")

// Config is a llama-family model's shape.
type Config struct {
	Architecture string
	Name         string
	Layers       int
	Width        int // of the residual stream
	Heads        int
	KVHeads      int
	HeadDim      int
	RotaryDim    int // the leading part of a head that RoPE turns
	FFN          int
	Vocabulary   int
	Context      int // tokens the model was trained for
	NormEps      float32
	HalfSplit    bool // RoPE pairs i with i+RotaryDim/2 (neox); otherwise 2i with 2i+1
	Rope         Rope
}

// Rope is what RoPE's table is computed from.
type Rope struct {
	Base   float64
	Scale  float64   // positions are divided by it (linear scaling); 1 for none
	Factor []float64 // a divisor for each frequency (Llama 3); nil for none
}

// architectures lists what runs, and how each pairs RoPE's halves.
var architectures = map[string]struct{ halfSplit bool }{
	"llama": {halfSplit: false},
	"qwen2": {halfSplit: true},
}

// config reads the configuration, without Vocabulary; r.err names the key that does not fit.
func (r *reader) config() *Config {
	c := &Config{
		Architecture: r.arch,
		HalfSplit:    architectures[r.arch].halfSplit,
		Layers:       r.need("block_count", 1, 1<<10),
		Width:        r.need("embedding_length", 1, 1<<16),
		Context:      r.need("context_length", 1, 1<<24),
	}
	c.Name, _, _ = r.file.Metadata.String("general.name")
	r.layers = c.Layers
	c.Heads = r.needPerLayer("attention.head_count", 1, 1<<12)
	c.FFN = r.needPerLayer("feed_forward_length", 1, 1<<18)
	c.KVHeads = r.perLayer("attention.head_count_kv", c.Heads, 1, 1<<12)
	if r.err != nil {
		return c
	}
	// A file with one of the two lengths has the other from the width.
	usual := c.Width / c.Heads
	c.HeadDim = r.integer("attention.key_length", usual, 2, 256)
	if v := r.integer("attention.value_length", usual, 1, 1<<12); v != c.HeadDim {
		r.fail("K rows of %d (%s.attention.key_length) and V rows of %d (%s.attention.value_length); where one is missing it is the width over the heads, %d",
			c.HeadDim, r.arch, v, r.arch, usual)
	}
	c.RotaryDim = r.integer("rope.dimension_count", c.HeadDim, 2, 256)
	c.NormEps = float32(r.needFloat("attention.layer_norm_rms_epsilon"))
	c.Rope.Base = r.float("rope.freq_base", 10000)
	c.Rope.Scale = r.ropeScale()
	r.integer("vocab_size", 0, 0, math.MaxInt32) // token_embd.weight says it, too
	switch {
	case r.err != nil:
	case c.HeadDim < 2:
		r.fail("width %d has no room for %d heads", c.Width, c.Heads)
	case c.Heads%c.KVHeads != 0:
		r.fail("%d heads do not divide into %d KV heads", c.Heads, c.KVHeads)
	case c.RotaryDim > c.HeadDim || c.RotaryDim%2 != 0 || c.HeadDim%2 != 0:
		r.fail("%s.rope.dimension_count %d and head dim %d", r.arch, c.RotaryDim, c.HeadDim)
	case !(c.NormEps > 0) || math.IsInf(float64(c.NormEps), 0):
		r.fail("%s.attention.layer_norm_rms_epsilon is %g, and must be positive", r.arch, c.NormEps)
	case !(c.Rope.Base > 0) || math.IsInf(c.Rope.Base, 0):
		r.fail("%s.rope.freq_base is %g, and must be positive", r.arch, c.Rope.Base)
	}
	return c
}

// KVRowBytes returns the bytes of one head's K or V of one token.
func (c *Config) KVRowBytes(kvType string) (int, error) {
	t, err := kernel.ParseKVType(kvType)
	return 4 * kernel.KVLayout{HeadDim: c.HeadDim, Type: t}.RowWords(), err
}

// KVTokenBytes returns the bytes of K and V of one token in all layers.
func (c *Config) KVTokenBytes(kvType string) (int, error) {
	row, err := c.KVRowBytes(kvType)
	return 2 * c.Layers * c.KVHeads * row, err
}
