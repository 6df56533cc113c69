package reference

import (
	"fmt"
	"math"
	"slices"

	"quire/engine/gguf"
)

// Config is the shape of a model.
type Config struct {
	Architecture string // "llama", "qwen2", "qwen3" or "gemma3"
	Layers       int
	Width        int // of the residual stream
	Heads        int
	KVHeads      int
	HeadDim      int
	FFN          int // width of the feed-forward layer
	Vocabulary   int
	Eps          float64 // of RMSNorm
	Pairing      Pairing
	Rope         RopeParams // without the divisors, which are a tensor
	HeadNorm     bool       // q and k are normalised, head by head
	Gemma        bool       // what a block gives is normalised, gates go through GELU, the embedding is scaled by √Width
	Windows      []int      // of each layer, 0 for none; nil: none
	LocalRope    RopeParams // of layers with a window
	Scale        float64    // of attention's scores; 0: 1/√HeadDim
}

// ReadConfig reads the configuration from metadata; the error names the key. Vocabulary stays 0.
func ReadConfig(m *gguf.Metadata) (Config, error) {
	r := configReader{metadata: m}
	c := Config{Architecture: r.text("general.architecture", "")}
	switch c.Architecture {
	case "llama":
		c.Pairing = Adjacent
	case "qwen2":
		c.Pairing = Halves
	case "qwen3", "gemma3":
		c.Pairing, c.HeadNorm, c.Gemma = Halves, true, c.Architecture == "gemma3"
	default:
		r.fail("general.architecture", fmt.Sprintf("%q is not one of llama, qwen2, qwen3, gemma3", c.Architecture))
	}
	r.prefix = c.Architecture + "."
	c.Layers = r.number("block_count", 0)
	c.Width = r.number("embedding_length", 0)
	c.FFN = r.number("feed_forward_length", 0)
	c.Heads = r.number("attention.head_count", 0)
	c.KVHeads = r.number("attention.head_count_kv", c.Heads)
	usual := c.Width / max(c.Heads, 1)
	c.HeadDim = r.number("attention.key_length", usual)
	c.Eps = r.float("attention.layer_norm_rms_epsilon", 0)
	if r.err == nil && c.Heads%c.KVHeads != 0 {
		r.fail(r.prefix+"attention.head_count_kv", fmt.Sprintf("%d does not divide %d heads", c.KVHeads, c.Heads))
	}
	if v := r.number("attention.value_length", usual); r.err == nil && v != c.HeadDim {
		r.fail(r.prefix+"attention.value_length", fmt.Sprintf("%d is not the key length %d", v, c.HeadDim))
	}
	c.Rope = r.rope(c.HeadDim)
	if c.Gemma && r.err == nil {
		r.gemma(&c)
	}
	return c, r.err
}

// gemma reads which layers of a Gemma 3 see a window, and what they rotate by. Its 27B, the one of 62 layers, scales scores by
// the width over the heads.
func (r *configReader) gemma(c *Config) {
	if c.Layers == 62 {
		c.Scale = 1 / math.Sqrt(float64(c.Width)/float64(c.Heads))
	}
	window, ok, err := r.metadata.Uint32(r.prefix + "attention.sliding_window")
	if err != nil {
		r.err = err
	}
	if !ok || window == 0 {
		return
	}
	c.LocalRope = RopeParams{Base: r.float("rope.freq_base_swa", 10000), Dim: c.Rope.Dim}
	every := 6
	const key = "attention.sliding_window_pattern"
	pattern, _ := r.metadata.Get(r.prefix + key)
	bools, layered := pattern.Any().([]bool)
	if !layered {
		every = r.number(key, every)
	}
	for i := range c.Layers {
		c.Windows = append(c.Windows, 0)
		if layered && i < len(bools) && bools[i] || !layered && (i+1)%every != 0 {
			c.Windows[i] = int(window)
		}
	}
}

// configReader keeps the first error.
type configReader struct {
	metadata *gguf.Metadata
	prefix   string
	err      error
}

func (r *configReader) rope(headDim int) RopeParams {
	p := RopeParams{
		Base:   r.float("rope.freq_base", 10000),
		Dim:    r.number("rope.dimension_count", headDim),
		Factor: r.float("rope.scaling.factor", r.float("rope.scale_linear", 1)),
	}
	if r.err == nil && (p.Dim%2 != 0 || p.Dim > headDim) {
		r.fail(r.prefix+"rope.dimension_count", fmt.Sprintf("%d is odd or over the head dim %d", p.Dim, headDim))
	}
	switch s := r.text(r.prefix+"rope.scaling.type", "linear"); s {
	case "none":
	case "linear":
		p.Scaling = LinearScaling
	case "llama3":
		p.Scaling = Llama3Scaling
		p.LowFreqFactor = r.float("rope.scaling.low_freq_factor", 1)
		p.HighFreqFactor = r.float("rope.scaling.high_freq_factor", 4)
		p.OriginalContext = float64(r.number("rope.scaling.original_context_length", 8192))
	default:
		r.fail(r.prefix+"rope.scaling.type", fmt.Sprintf("%q is not one of none, linear, llama3", s))
	}
	return p
}

func (r *configReader) fail(key, reason string) {
	if r.err == nil {
		r.err = &gguf.MetadataError{Key: key, Reason: reason}
	}
}

func (r *configReader) text(key, missing string) string {
	s, ok, err := r.metadata.String(key)
	if err != nil && r.err == nil {
		r.err = err
	}
	if !ok {
		return missing
	}
	return s
}

// number reads a positive integer; a key without a value to fall back on must be there.
func (r *configReader) number(key string, missing int) int {
	n, ok, err := r.integer(r.prefix + key)
	switch {
	case err != nil && r.err == nil:
		r.err = err
	case !ok && missing > 0:
		return missing
	case !ok:
		r.fail(r.prefix+key, "is missing")
	case n == 0 || n > math.MaxInt32:
		r.fail(r.prefix+key, fmt.Sprintf("%d is out of range", n))
	}
	return int(n)
}

// integer reads an integer, or an array of one for each layer that are all equal.
func (r *configReader) integer(key string) (n uint32, ok bool, err error) {
	if v, _ := r.metadata.Get(key); v.Type != gguf.Array {
		return r.metadata.Uint32(key)
	}
	values, ok, err := r.metadata.Int32s(key)
	if err == nil && (len(values) == 0 || values[0] < 0 || slices.Max(values) != slices.Min(values)) {
		err = &gguf.MetadataError{Key: key, Reason: fmt.Sprintf("%d are not the same for every layer", values)}
	}
	if err != nil {
		return 0, ok, err
	}
	return uint32(values[0]), ok, nil
}

func (r *configReader) float(key string, missing float64) float64 {
	f, ok, err := r.metadata.Float32(r.prefix + key)
	switch {
	case err != nil && r.err == nil:
		r.err = err
	case !ok && missing != 0:
		return missing
	case !ok:
		r.fail(r.prefix+key, "is missing")
	case !(f > 0) || math.IsInf(float64(f), 0):
		r.fail(r.prefix+key, fmt.Sprintf("%v is not positive", f))
	}
	return float64(f)
}
