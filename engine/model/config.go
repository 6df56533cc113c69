// Package model describes architectures as data: the configuration read from a GGUF file, which tensors a layer has,
// and the order of kernels in a step.
package model

import (
	"errors"
	"fmt"
	"math"

	"quire/engine/gguf"
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

// ReadConfig reads the configuration of a supported architecture.
func ReadConfig(f *gguf.File) (*Config, error) {
	arch, ok, err := f.Metadata.String("general.architecture")
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%w: the file names no general.architecture", ErrUnsupported)
	}
	known, ok := architectures[arch]
	if !ok {
		return nil, fmt.Errorf("%w: architecture %q (llama and qwen2 run)", ErrUnsupported, arch)
	}
	r := reader{m: &f.Metadata, arch: arch}
	c := &Config{
		Architecture: arch,
		HalfSplit:    known.halfSplit,
		Layers:       r.need("block_count", 1, 1<<10),
		Width:        r.need("embedding_length", 1, 1<<16),
		Heads:        r.need("attention.head_count", 1, 1<<12),
		FFN:          r.need("feed_forward_length", 1, 1<<18),
		Context:      r.need("context_length", 1, 1<<24),
	}
	c.Name, _, _ = f.Metadata.String("general.name")
	c.KVHeads = r.integer("attention.head_count_kv", c.Heads, 1, 1<<12)
	if r.err != nil {
		return nil, r.err
	}
	c.HeadDim = r.integer("attention.key_length", c.Width/c.Heads, 2, 256)
	if v := r.integer("attention.value_length", c.HeadDim, 1, 1<<12); r.err == nil && v != c.HeadDim {
		return nil, fmt.Errorf("%w: %s.attention.value_length %d differs from the key length %d", ErrUnsupported, arch, v, c.HeadDim)
	}
	c.RotaryDim = r.integer("rope.dimension_count", c.HeadDim, 2, 256)
	c.NormEps = float32(r.float("attention.layer_norm_rms_epsilon", 1e-5))
	c.Rope.Base = r.float("rope.freq_base", 10000)
	if r.err != nil {
		return nil, r.err
	}
	if c.Rope.Scale, err = ropeScale(&f.Metadata, arch); err != nil {
		return nil, err
	}
	switch {
	case c.HeadDim < 2:
		return nil, fmt.Errorf("%w: width %d has no room for %d heads", ErrUnsupported, c.Width, c.Heads)
	case c.Heads%c.KVHeads != 0:
		return nil, fmt.Errorf("%w: %d heads do not divide into %d KV heads", ErrUnsupported, c.Heads, c.KVHeads)
	case c.RotaryDim > c.HeadDim || c.RotaryDim%2 != 0 || c.HeadDim%2 != 0:
		return nil, fmt.Errorf("%w: rope.dimension_count %d and head dim %d", ErrUnsupported, c.RotaryDim, c.HeadDim)
	case !(c.NormEps > 0) || !(c.Rope.Base > 0) || math.IsInf(c.Rope.Base, 0):
		return nil, fmt.Errorf("%w: attention.layer_norm_rms_epsilon %g and rope.freq_base %g must be positive", ErrUnsupported, c.NormEps, c.Rope.Base)
	}
	return c, nil
}

// ropeScale reads linear scaling; other kinds are refused by name, since running without them would give wrong text.
func ropeScale(m *gguf.Metadata, arch string) (float64, error) {
	kind, ok, err := m.String(arch + ".rope.scaling.type")
	if err != nil {
		return 0, err
	}
	if !ok || kind == "none" {
		return 1, nil
	}
	if kind != "linear" {
		return 0, fmt.Errorf("%w: %s.rope.scaling.type %q", ErrUnsupported, arch, kind)
	}
	factor, ok, err := m.Float32(arch + ".rope.scaling.factor")
	if err != nil {
		return 0, err
	}
	if !ok || !(factor > 0) {
		return 0, fmt.Errorf("%w: linear RoPE scaling without a positive %s.rope.scaling.factor", ErrUnsupported, arch)
	}
	return float64(factor), nil
}

// reader reads an architecture's keys and remembers the first error.
type reader struct {
	m    *gguf.Metadata
	arch string
	err  error
}

func (r *reader) need(key string, low, high int) int {
	n, ok := r.read(key, low, high)
	if !ok && r.err == nil {
		r.err = fmt.Errorf("%w: the file has no %s.%s", ErrUnsupported, r.arch, key)
	}
	return n
}

func (r *reader) integer(key string, absent, low, high int) int {
	n, ok := r.read(key, low, high)
	if !ok {
		return absent
	}
	return n
}

func (r *reader) read(key string, low, high int) (int, bool) {
	if r.err != nil {
		return 0, false
	}
	n, ok, err := r.m.Uint32(r.arch + "." + key)
	if err != nil {
		r.err = err
		return 0, false
	}
	if ok && (int64(n) < int64(low) || int64(n) > int64(high)) {
		r.err = fmt.Errorf("%w: %s.%s is %d, not within %d to %d", ErrUnsupported, r.arch, key, n, low, high)
		return 0, false
	}
	return int(n), ok
}

func (r *reader) float(key string, absent float64) float64 {
	if r.err != nil {
		return absent
	}
	x, ok, err := r.m.Float32(r.arch + "." + key)
	if err != nil {
		r.err = err
	}
	if !ok {
		return absent
	}
	return float64(x)
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
