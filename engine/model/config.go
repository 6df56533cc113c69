// Package model turns a GGUF file into what a GPU computes. An architecture is a file of its own: one function that describes
// the operations in order, from which come the plan of the file's tensors and the graph on a device.
package model

import (
	"errors"
	"math"
)

// ErrUnsupported is a model that cannot run; the message names the architecture, tensor or type.
var ErrUnsupported = errors.New("unsupported model")

// Config is what the architectures' files have in common.
type Config struct {
	Architecture string
	Name         string
	Layers       int
	Width        int // of the residual stream
	Heads        int
	KVHeads      int
	HeadDim      int
	FFN          int
	Vocabulary   int
	Context      int     // tokens the model was trained for
	Scale        float64 // of attention's q·k
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
	r.integer("vocab_size", 0, 0, math.MaxInt32) // token_embd.weight says it, too
	switch {
	case r.err != nil:
	case c.HeadDim < 2:
		r.fail("width %d has no room for %d heads", c.Width, c.Heads)
	case c.Heads%c.KVHeads != 0:
		r.fail("%d heads do not divide into %d KV heads", c.Heads, c.KVHeads)
	case c.HeadDim%2 != 0:
		r.fail("head dim %d is odd", c.HeadDim)
	}
	c.Scale = 1 / math.Sqrt(float64(c.HeadDim))
	return c
}
