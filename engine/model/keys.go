package model

import (
	"math"
	"path"
	"strings"

	"quire/engine/gguf"
)

// unread is a key that nobody read, without its architecture.
type unread struct {
	name   string
	value  gguf.Value
	plan   *Plan
	ledger *ledger
}

// decisive are the keys that change what a model computes, each with the rule for values that change nothing: converters
// write many keys that say so. The first pattern that fits counts; what fits none only gets a warning.
var decisive = []struct {
	pattern string
	neutral func(unread) bool
}{
	{"attention.causal", is(true, 1)},
	{"attention.scale", unread.usualScale},
	{"attention.layer_norm_epsilon", always}, // of norms that the architecture does not have: RMSNorm has a key of its own
	{"attention.layer_norm_rms_epsilon", always},
	{"attention.sliding_window", unread.wideWindow},
	{"attention.sliding_window_*", unread.withoutWindow},
	{"attention.*_swa", unread.usualLayer},
	{"attention.temperature_*", off},
	{"attention.*_scale", unscaled},
	{"attention.*", off},
	{"rope.*_swa", unread.usualLayer},
	{"rope.freq_base", unread.withoutRope},
	{"rope.dimension_count", unread.withoutRope},
	{"rope.scaling.finetuned", always},               // tells how the model was trained
	{"rope.scaling.original_context_length", always}, // the other kinds of scaling, which are refused, use it
	{"rope.scaling.*attn_factor", is(1)},
	{"rope.scaling.alpha", unscaled},
	{"rope.scaling.yarn_ext_factor", is(0, -1)},
	{"rope.scaling.yarn_beta_fast", is(0, 32)},
	{"rope.scaling.yarn_beta_slow", is(0, 1)},
	{"rope.*scale*", unscaled},
	{"rope.*", off},
	{"expert_count", off},
	{"expert_group_*", unread.withoutGroups},
	{"expert_weights_scale", unscaled},
	{"expert_*", unread.withoutExperts},
	{"*expert*", unread.withoutExperts},
	{"leading_dense_block_count", unread.withoutExperts},
	{"moe_*", unread.withoutExperts},
	{"interleave_moe_*", unread.withoutExperts},
	{"*rope*", off},
	{"*sliding_window*", unread.wideWindow},
	{"*alibi*", off},
	{"*causal*", is(true, 1)},
	{"*_scale", unscaled},
	{"scale_*", unscaled},
	{"*_multiplier", unscaled},
	{"*softcap*", off},
	{"*soft_cap*", off},
	{"classifier.*", off},
	{"tensor_data_layout", is("Meta AI original pth")}, // pairs of neighbours in q and k, as the architecture has them
	{"use_parallel_residual", off},
	{"swin_norm", off},
	{"rescale_every_n_layers", off},
	{"nextn_predict_layers", off},
	{"full_attention_interval", is(0, 1)},
	{"embedding_length_out", unread.usualWidth},
	{"embedding_length_*", off},
	{"hidden_act*", is("silu", "swish", "swiglu")},
	{"activation*", is(0, "silu", "swish", "swiglu")},
	{"*swiglu*", off},
	{"*sparsity*", off},
	{"ssm.*", off}, {"wkv.*", off}, {"shortconv.*", off}, {"altup.*", off}, {"laurel.*", off}, {"xielu.*", off},
}

func decisiveRule(name string) (neutral func(unread) bool, ok bool) {
	for _, d := range decisive {
		if fits, _ := path.Match(d.pattern, name); fits {
			return d.neutral, true
		}
	}
	return nil, false
}

func always(unread) bool { return true }

// off is a value that turns a thing off.
func off(k unread) bool { return is(0, false, "", "none")(k) }

// unscaled is a factor of 1, or 0 where a writer had none.
func unscaled(k unread) bool { return is(0, 1)(k) }

// is makes the rule that a value, or all of an array, is one of some.
func is(values ...any) func(unread) bool {
	return func(k unread) bool {
		return every(k.value.Any(), func(got any) bool {
			for _, want := range values {
				if x, ok := want.(int); ok {
					want = float64(x)
				}
				if got == want {
					return true
				}
			}
			return false
		})
	}
}

// every goes through a value's elements: numbers as float64, bools and strings.
func every(v any, holds func(any) bool) bool {
	switch v := v.(type) {
	case []int64:
		return all(v, func(x int64) bool { return holds(float64(x)) })
	case []uint64:
		return all(v, func(x uint64) bool { return holds(float64(x)) })
	case []float64:
		return all(v, func(x float64) bool { return holds(x) })
	case []bool:
		return all(v, func(x bool) bool { return holds(x) })
	case []string:
		return all(v, func(x string) bool { return holds(x) })
	case []any:
		return all(v, func(x any) bool { return every(x, holds) })
	case int64:
		return holds(float64(v))
	case uint64:
		return holds(float64(v))
	}
	return holds(v)
}

func all[T any](items []T, holds func(T) bool) bool {
	for _, x := range items {
		if !holds(x) {
			return false
		}
	}
	return true
}

// usualScale is the scale of attention that is used without the key, too.
func (k unread) usualScale() bool {
	want := k.plan.Config.Scale
	return every(k.value.Any(), func(x any) bool {
		got, ok := x.(float64)
		return ok && (got == 0 || math.Abs(got-want) <= 1e-6*want)
	})
}

// withoutRope holds where nothing is rotated.
func (k unread) withoutRope() bool { return len(k.plan.Ropes) == 0 || off(k) }

// usualWidth is the residual stream's, as what the last layer gives has it anyway.
func (k unread) usualWidth() bool { return is(0, k.plan.Config.Width)(k) }

// wideWindow is a window that no token is out of.
func (k unread) wideWindow() bool {
	return every(k.value.Any(), func(x any) bool {
		got, ok := x.(float64)
		return ok && (got == 0 || got >= float64(k.plan.Config.Context))
	})
}

// withoutWindow holds for what a window alone uses where the file says that no token is out of it, and for what is off.
func (k unread) withoutWindow() bool {
	if window, ok := k.ledger.file.Metadata.Get(k.ledger.arch + ".attention.sliding_window"); ok {
		k.value = window
		return k.wideWindow()
	}
	return off(k)
}

// usualLayer holds for what local layers have for themselves: where the value is the other layers', where the file says that
// there is no window, and where it turns the thing off. A window that no token is out of makes layers local all the same.
func (k unread) usualLayer() bool {
	m := &k.ledger.file.Metadata
	if v, ok := m.Get(k.ledger.arch + "." + strings.TrimSuffix(k.name, "_swa")); ok && v.String() == k.value.String() {
		return true
	}
	if window, ok := m.Get(k.ledger.arch + ".attention.sliding_window"); ok {
		k.value = window
	}
	return off(k)
}

// withoutGroups holds where experts are not chosen by groups: all of them are one.
func (k unread) withoutGroups() bool { return is(0, 1)(k) || k.withoutExperts() }

// withoutExperts holds for what experts alone use where the file says that there are none, and for what is off.
func (k unread) withoutExperts() bool {
	if off(k) {
		return true
	}
	if v, ok := k.ledger.file.Metadata.Get(k.ledger.arch + ".expert_count"); ok {
		k.value = v
	}
	return off(k)
}
