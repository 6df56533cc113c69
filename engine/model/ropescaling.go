package model

import (
	"fmt"
	"math"
)

// Yarn is how YaRN (arXiv 2309.00071) scales a table: frequencies that turn Fast times or more within the context that the
// model was trained for stay, those that turn Slow times or less are divided by Factor, and those between are blended.
type Yarn struct {
	Factor, Original float64
	Fast, Slow       float64
	Exact            bool // the blend's ends are not rounded to whole frequencies
}

// scale gives the i-th of dim/2 frequencies, which was f.
func (y *Yarn) scale(f float64, i, dim int, base float64) float64 {
	end := func(turns float64) float64 {
		return float64(dim) * math.Log(y.Original/(2*math.Pi*turns)) / (2 * math.Log(base))
	}
	low, high := end(y.Fast), end(y.Slow)
	if !y.Exact {
		low, high = math.Floor(low), math.Ceil(high)
	}
	low, high = max(low, 0), min(high, float64(dim-1))
	divided := min(max((float64(i)-low)/max(high-low, 0.001), 0), 1)
	return f*(1-divided) + f/y.Factor*divided
}

// magnitude is what cosine and sine are multiplied by, so that scores grow with the context.
func magnitude(factor, multiplier float64) float64 {
	if factor <= 1 {
		return 1
	}
	return 1 + 0.1*multiplier*math.Log(factor)
}

// scaleRope reads how positions are scaled for a longer context: linearly, which a factor without a type means, too, or by
// YaRN. Other kinds are refused by name, since running without them would give wrong text.
func (b *builder) scaleRope(r *Rope) {
	const typeKey, factorKey, oldKey = "rope.scaling.type", "rope.scaling.factor", "rope.scale_linear"
	kind, typed, err := b.file.Metadata.String(b.key(typeKey))
	if err != nil {
		b.failed(err)
		return
	}
	factor := b.positive(factorKey, 0)
	old := b.positive(oldKey, 0) // of files before October 2023
	switch {
	case typed && kind == "none":
		if factor > 0 && factor != 1 || old > 0 && old != 1 {
			b.warnings = append(b.warnings, fmt.Sprintf("%s.%s is none: the factor of RoPE scaling in the file is not used", b.arch, typeKey))
		}
		return
	case typed && kind != "linear" && kind != "yarn":
		b.fail("%s.%s is %q, and only linear scaling and yarn run", b.arch, typeKey, kind)
	case factor > 0 && old > 0 && factor != old:
		b.fail("%s.%s is %g, but %s.%s is %g", b.arch, factorKey, factor, b.arch, oldKey, old)
	case factor == 0:
		factor = old
	}
	switch {
	case factor == 0 && typed:
		b.fail("%s RoPE scaling without a positive %s.%s", kind, b.arch, factorKey)
	case factor == 0: // some writers' word for none
	case kind == "yarn":
		b.yarn(r, factor)
	default:
		r.Scale = factor
	}
}

// yarn reads what YaRN takes beside its factor. No key says that cosine and sine grow by 1 + 0.1 ln(factor).
func (b *builder) yarn(r *Rope, factor float64) {
	const ext = "rope.scaling.yarn_ext_factor"
	y := &Yarn{Factor: factor, Original: float64(b.integer("rope.scaling.original_context_length", b.config.Context, 1, 1<<24)),
		Fast: b.positive("rope.scaling.yarn_beta_fast", 32), Slow: b.positive("rope.scaling.yarn_beta_slow", 1)}
	if y.Fast <= y.Slow {
		b.fail("%s.rope.scaling.yarn_beta_fast is %g and yarn_beta_slow %g, which must be less", b.arch, y.Fast, y.Slow)
	}
	if x, ok := b.readFloat(ext); ok && x != 1 && x != -1 { // -1: writers' word for the usual
		b.fail("%s.%s is %g, and only 1 runs", b.arch, ext, x)
	}
	usual := magnitude(factor, 1) / magnitude(factor, b.positive("rope.scaling.yarn_log_multiplier", 0))
	r.Yarn = y
	r.Magnitude = b.positive("rope.scaling.yarn_attn_factor", usual) * b.positive("rope.scaling.attn_factor", 1)
}

// bound reads a soft bound, where 0 is none.
func (b *builder) bound(key string, absent float64) float64 {
	x := b.float(key, absent)
	if !(x >= 0) || math.IsInf(x, 0) {
		b.fail("%s.%s is %g, and must be positive, or 0 for none", b.arch, key, x)
	}
	return x
}

// positive reads a number that must not be negative, where 0 is as good as absent.
func (b *builder) positive(key string, absent float64) float64 {
	x, ok := b.readFloat(key)
	switch {
	case !(x >= 0) || math.IsInf(x, 0):
		b.fail("%s.%s is %g, and must be positive", b.arch, key, x)
	case ok && x > 0:
		return x
	}
	return absent
}
