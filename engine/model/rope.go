package model

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"quire/engine/attention"
	"quire/engine/gguf"
	"quire/engine/quant"
)

// Rope is how positions turn q and k (arXiv 2104.09864): what the table of angles is computed from.
type Rope struct {
	Dim       int  // the leading part of a head that is turned
	Adjacent  bool // pairs 2i with 2i+1; otherwise i with i+Dim/2
	Base      float64
	Scale     float64   // positions are divided by it (linear scaling); 1 for none
	Factor    []float64 // a divisor for each frequency (Llama 3); nil for none
	Yarn      *Yarn     // nil for none
	Magnitude float64   // cosine and sine are multiplied by it

	// Queries are multiplied by 1 + Grow·ln(1 + ⌊position / GrowEvery⌋); 0: not.
	Grow      float64
	GrowEvery int

	// Long is the table of sequences whose prompt is longer than Plan.ShortContext; nil: there is one for all.
	Long *Rope

	factors *gguf.Tensor // where Factor comes from
}

// The pairs of elements that are turned.
const (
	neighbours = true  // 2i with 2i+1
	halves     = false // i with i+Dim/2
)

// rope plans a table whose base a key says.
func (b *builder) rope(base string, pairs bool) *Rope {
	return b.ropeOf(base, "rope.dimension_count", b.config.HeadDim, pairs)
}

// ropeOf plans a table for heads of their own size.
func (b *builder) ropeOf(base, dim string, headDim int, pairs bool) *Rope {
	r := &Rope{Adjacent: pairs, Dim: b.integer(dim, headDim, 2, attention.MaxHeadDim), Base: b.base(base), Scale: 1, Magnitude: 1}
	if r.Dim > headDim || r.Dim%2 != 0 {
		b.fail("%s.%s %d and head dim %d", b.arch, dim, r.Dim, headDim)
	}
	b.plan.Ropes = append(b.plan.Ropes, r)
	return r
}

// localRope plans the table of layers with a window, which have a base of their own where the file says so, and do not scale.
func (b *builder) localRope(usual string, pairs bool) *Rope {
	const key = "rope.freq_base_swa"
	if _, own := b.file.Metadata.Get(b.key(key)); own {
		usual = key
	}
	return b.rope(usual, pairs)
}

// ropeFactors reads the divisors of frequencies, where the file has them.
func (b *builder) ropeFactors(r *Rope) {
	if t, ok := b.find("rope_freqs.weight"); ok {
		b.divide(r, t)
	}
}

// divide has frequencies divided by a tensor's values.
func (b *builder) divide(r *Rope, t *gguf.Tensor) {
	if t.Type != quant.F32 || t.Elements() != uint64(r.Dim/2) {
		b.refuse("tensor %s is %s with %d elements, want F32 with %d", t.Name, t.Type, t.Elements(), r.Dim/2)
	}
	r.factors = t
}

// longRope reads the two tables of LongRoPE (arXiv 2402.13753), where the file has its factors: sequences keep the one that
// their prompt's length asks for. It tells whether the file has them.
func (b *builder) longRope(r *Rope) bool {
	const short, long, kind = "rope_factors_short.weight", "rope_factors_long.weight", "rope.scaling.type"
	_, hasShort := b.file.Tensor(short)
	_, hasLong := b.file.Tensor(long)
	if name, typed, _ := b.file.Metadata.String(b.arch + "." + kind); !hasShort && !hasLong && !(typed && name == "longrope") {
		return false
	}
	b.key(kind) // no other scaling has these tensors
	b.divide(r, b.tensor(short))
	r.Magnitude = b.positive("rope.scaling.attn_factor", 1)
	table := *r
	b.divide(&table, b.tensor(long))
	r.Long = &table
	b.plan.ShortContext = b.need("rope.scaling.original_context_length", 1, 1<<24)
	return true
}

// base reads the base of RoPE's frequencies.
func (b *builder) base(key string) float64 {
	base := b.float(key, 10000)
	if !(base > 0) || math.IsInf(base, 0) {
		b.fail("%s.%s is %g, and must be positive", b.arch, key, base)
	}
	return base
}

// Table returns RoPE's table for positions [first, first+count): for each position and each of Dim/2 frequencies the
// cosine and the sine of the angle, computed in float64 with all scaling in it (WGSL's sin and cos are too loose).
// Shape [count][Dim/2][2]; with Grow another pair ends a position's: what queries are multiplied by, and 0.
func (r *Rope) Table(first, count int) []float32 {
	half := r.Dim / 2
	freq := make([]float64, half)
	for i := range freq {
		freq[i] = math.Pow(r.Base, -2*float64(i)/float64(r.Dim)) / r.Scale
		if i < len(r.Factor) {
			freq[i] /= r.Factor[i]
		}
		if r.Yarn != nil {
			freq[i] = r.Yarn.scale(freq[i], i, r.Dim, r.Base)
		}
	}
	table := make([]float32, 0, count*r.Row())
	for p := first; p < first+count; p++ {
		for _, f := range freq {
			sin, cos := math.Sincos(float64(p) * f)
			table = append(table, float32(r.Magnitude*cos), float32(r.Magnitude*sin))
		}
		if r.Grow > 0 {
			table = append(table, float32(1+r.Grow*math.Log(float64(1+p/r.GrowEvery))), 0)
		}
	}
	return table
}

// Row is how many floats of the table a position has.
func (r *Rope) Row() int {
	if r.Grow > 0 {
		return r.Dim + 2
	}
	return r.Dim
}

// Load returns the rope with the factors that are a tensor of the file, and its long table if that is wanted.
func (r *Rope) Load(src io.ReaderAt, long bool) (Rope, error) {
	loaded := *r
	loaded.Long = nil
	if r.Long != nil && long {
		long, err := r.Long.Load(src, false)
		if err != nil {
			return loaded, err
		}
		loaded.Long = &long
	}
	if r.factors == nil {
		return loaded, nil
	}
	data := make([]byte, r.factors.Bytes)
	if n, err := src.ReadAt(data, r.factors.Offset); n < len(data) {
		return loaded, fmt.Errorf("tensor %s: %w", r.factors.Name, err)
	}
	loaded.Factor = make([]float64, len(data)/4)
	for i := range loaded.Factor {
		f := float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		if !(f > 0) || math.IsInf(f, 0) {
			return loaded, fmt.Errorf("%w: tensor %s has %g at %d", ErrUnsupported, r.factors.Name, f, i)
		}
		loaded.Factor[i] = f
	}
	return loaded, nil
}
