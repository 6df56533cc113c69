// Package model turns a GGUF file into what a GPU computes. An architecture is a file of its own: one function that describes
// the operations in order, from which come the plan of the file's tensors and the graph on a device.
package model

import (
	"errors"
	"math"
	"slices"

	"quire/engine/attention"
)

// ErrUnsupported is a model that cannot run; the message names the architecture, tensor or type.
var ErrUnsupported = errors.New("unsupported model")

// Config is what the architectures' files have in common.
type Config struct {
	Architecture string
	Name         string
	Layers       int
	Width        int // of the residual stream
	Heads        int // of the layer that is described; afterwards, the most that a layer has
	KVHeads      int // likewise; 0 in layers without K and V
	HeadDim      int
	FFN          int // likewise
	Vocabulary   int
	Context      int     // tokens the model was trained for
	Scale        float64 // of attention's q·k

	heads, kvHeads, ffn []int // of each layer
}

// layer sets what layers differ in to what one has, or outside of them to the most.
func (c *Config) layer(i int) {
	if i < 0 {
		c.Heads, c.KVHeads, c.FFN = slices.Max(c.heads), slices.Max(c.kvHeads), slices.Max(c.ffn)
		return
	}
	c.Heads, c.KVHeads, c.FFN = c.heads[i], c.kvHeads[i], c.ffn[i]
}

// config reads the configuration, without Vocabulary; r.err names the key that does not fit.
func (r *reader) config() *Config {
	c := &Config{
		Architecture: r.arch,
		Layers:       r.need("block_count", 1, 1<<10),
		Width:        r.need("embedding_length", 1, 1<<16),
		Context:      r.need("context_length", 1, 1<<24),
	}
	c.Name, _, _ = r.file.Metadata.String("general.name")
	r.layers = c.Layers
	c.heads = r.needPerLayer("attention.head_count", 1, 1<<12)
	c.ffn = r.needPerLayer("feed_forward_length", 1, 1<<18)
	var told bool
	if c.kvHeads, told = r.perLayer("attention.head_count_kv", 0, 1<<12); !told {
		c.kvHeads = c.heads
	}
	if r.err != nil {
		return c
	}
	c.layer(-1)
	// A file with one of the two lengths has the other from the width.
	usual := c.Width / c.Heads
	c.HeadDim = r.integer("attention.key_length", usual, 2, attention.MaxHeadDim)
	if v := r.integer("attention.value_length", usual, 1, 1<<12); v != c.HeadDim {
		r.fail("K rows of %d (%s.attention.key_length) and V rows of %d (%s.attention.value_length); where one is missing it is the width over the heads, %d",
			c.HeadDim, r.arch, v, r.arch, usual)
	}
	r.integer("vocab_size", 0, 0, math.MaxInt32) // token_embd.weight says it, too
	switch {
	case r.err != nil:
	case c.HeadDim < 2:
		r.fail("width %d has no room for %d heads", c.Width, c.Heads)
	case c.HeadDim%2 != 0:
		r.fail("head dim %d is odd", c.HeadDim)
	}
	for i, n := range c.kvHeads {
		if r.err == nil && n > 0 && c.heads[i]%n != 0 {
			r.fail("%d heads do not divide into %d KV heads", c.heads[i], n)
		}
	}
	c.Scale = 1 / math.Sqrt(float64(c.HeadDim))
	return c
}
