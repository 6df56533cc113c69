package kernel

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
)

// tested is a kernel that a self-test runs.
type tested interface {
	SelfTested
	Wait(context.Context) error
}

// selfTestOf runs a kernel's test.
func (r *rig) selfTestOf(k tested) ([]*SelfTestError, map[*gpu.Kernel]bool) {
	passed := map[*gpu.Kernel]bool{}
	t, err := NewSelfTest(r.dev, passed)
	require.NoError(r, err)
	defer t.Release()
	require.NoError(r, k.Wait(context.Background()))
	require.NoError(r, k.SelfTest(t))
	failures, err := t.Run(context.Background())
	require.NoError(r, err)
	return failures, passed
}

// selfTestCase is a kernel, and what breaks it: a text that is to be replaced.
type selfTestCase struct {
	name       string
	make       func(r *rig) (tested, error)
	file       string
	was, wrong string
}

func kernelCases() []selfTestCase {
	layout := func(t KVType, dim int) KVLayout {
		return KVLayout{HeadDim: dim, KVHeads: 2, BlockSize: 16, Type: t, Pad: 8}
	}
	router := func(p RouterParams) func(r *rig) (*Router, error) {
		return func(r *rig) (*Router, error) { return NewRouter(r.dev, p) }
	}
	softmax := router(RouterParams{Experts: 9, Used: 3, Stride: 32, Scale: 1, MaxTokens: 40})
	experts := func(p ExpertLinearParams, typ quant.Type, n, k int) func(r *rig) (tested, error) {
		return func(r *rig) (tested, error) {
			var err error
			if p.Router, err = softmax(r); err != nil {
				return nil, err
			}
			if p.Matrix, err = NewExpertMatrix(r.dev, "matrix", typ, 9, n, k, 0); err != nil {
				return nil, err
			}
			r.Cleanup(p.Matrix.Release)
			p.XStride, p.YStride = RowStride(k), RowStride(n)
			return NewExpertLinear(r.dev, p)
		}
	}
	headTail := func(p RopeStoreParams, offset int) func(r *rig) (tested, error) {
		return func(r *rig) (tested, error) {
			n := (p.Heads+2*p.Layout.KVHeads)*p.Layout.HeadDim - offset
			m, err := NewMatrix(r.dev, "matrix", quant.Q4_0, n, 64, 0)
			if err != nil {
				return nil, err
			}
			r.Cleanup(m.Release)
			return NewLinear(r.dev, LinearParams{Matrix: m, XStride: 64, YStride: 160, YOffset: offset, MWord: WordTokens, Norm: true, Eps: eps, Heads: &HeadTail{p}, MaxRows: 4, headRows: 4})
		}
	}
	strips := func(r *rig) (tested, error) {
		m, err := NewMatrix(r.dev, "matrix", quant.Q4_0, 60, 320, 0)
		if err != nil {
			return nil, err
		}
		r.Cleanup(m.Release)
		_, sub := rigOfHalves(r.TB)
		return NewLinear(r.dev, LinearParams{Matrix: m, XStride: 320, YStride: 64, MWord: WordTokens, Norm: true, Eps: eps,
			only: stripsWay{stripsShape{8, 4, 4, 32, 0, 8}, 0, 0, sub}})
	}
	tiles := func(r *rig) (tested, error) {
		rigOfHalves(r.TB)
		m, err := NewMatrix(r.dev, "matrix", quant.Q4_0, 60, 320, 0)
		if err != nil {
			return nil, err
		}
		r.Cleanup(m.Release)
		return NewLinear(r.dev, LinearParams{Matrix: m, XStride: 320, YStride: 64, MWord: WordTokens, Norm: true, Eps: eps, only: splitWay{smallTile, 2}})
	}
	recurrence := func(p RecurrenceParams) func(r *rig) (tested, error) {
		return func(r *rig) (tested, error) {
			p.Heads, p.Value, p.MaxTokens, p.Scale = 4, 20, 64, 0.25
			p.QOffset, p.KOffset, p.VOffset = 0, p.KeyHeads*p.Key, 2*p.KeyHeads*p.Key
			p.XStride, p.YStride, p.StateAt = RowStride(2*p.KeyHeads*p.Key+80), RowStride(80), 8
			p.Gates = GateLayout{Stride: 32, Run: 2, Step: 4, BetaOffset: 2}
			p.SlotWords = p.StateAt + p.StateWords()
			k, err := NewRecurrence(r.dev, p)
			if err == nil {
				r.Cleanup(k.Release)
			}
			return k, err
		}
	}
	return []selfTestCase{
		{"rms", func(r *rig) (tested, error) {
			return NewRMSNorm(r.dev, RMSNormParams{K: 90, XStride: 96, YStride: 128, MWord: WordTokens, Eps: eps, Add: true, Scaled: true})
		}, "rmsnorm", "* scale * weight[k]", "* weight[k]"},
		{"rms of outputs", func(r *rig) (tested, error) {
			return NewRMSNorm(r.dev, RMSNormParams{K: 64, XStride: 96, YStride: 64, MWord: WordOutputs, Eps: eps, Gather: true})
		}, "rmsnorm", "step[output_at(row)]", "row"},
		{"layer norm", func(r *rig) (tested, error) {
			return NewLayerNorm(r.dev, LayerNormParams{K: 50, XStride: 64, YStride: 64, MWord: WordTokens, Eps: eps})
		}, "layernorm", "v - mean", "v"},
		{"slice norm", func(r *rig) (tested, error) {
			return NewSliceNorm(r.dev, SliceNormParams{Slices: 3, Width: 20, Stride: 64, Eps: eps, Scale: 0.5})
		}, "slice_norm", "* weight[e]", "* weight[0]"},
		{"gated norm", func(r *rig) (tested, error) {
			return NewGatedNorm(r.dev, GatedNormParams{Groups: 3, Width: 20, Weights: 20, XStride: 64, ZStride: 96, ZOffset: 8, Eps: eps})
		}, "gated_norm", "Z_AT + first", "first"},
		{"gate, then norm", func(r *rig) (tested, error) {
			return NewGatedNorm(r.dev, GatedNormParams{Groups: 2, Width: 20, Weights: 40, GateFirst: true, XStride: 64, ZStride: 64, Eps: eps})
		}, "gated_norm", "value *= gate(z_at + e)", "value *= 2.0"},
		{"heads", func(r *rig) (tested, error) {
			return NewHeadNorm(r.dev, HeadNormParams{Heads: 4, KVHeads: 2, HeadDim: 20, Stride: 160, Eps: eps, Bias: true, Values: ValuesNormed})
		}, "head_norm", "x[i] += bias[first + e]", "x[i] -= bias[first + e]"},
		{"values from keys", func(r *rig) (tested, error) {
			return NewHeadNorm(r.dev, HeadNormParams{Heads: 2, KVHeads: 2, HeadDim: 20, Stride: 128, Eps: eps, Values: ValuesFromKeys})
		}, "head_norm", "+ e] = y * scale", "+ e] = y"},
		{"whole heads", func(r *rig) (tested, error) {
			return NewHeadNorm(r.dev, HeadNormParams{Heads: 4, KVHeads: 2, HeadDim: 10, Stride: 96, Eps: eps, Whole: true})
		}, "head_norm", "w = first + e", "w = e"},
		{"centered heads", func(r *rig) (tested, error) {
			return NewHeadNorm(r.dev, HeadNormParams{Heads: 2, KVHeads: 1, HeadDim: 24, Stride: 96, Eps: eps, Stacked: true, Centered: true})
		}, "head_norm", "x[i] -= mean", "x[i] += mean"},
		{"glu", func(r *rig) (tested, error) {
			return NewGLU(r.dev, GLUParams{Width: 50, GStride: 64, UStride: 128, HStride: 96, UOffset: 52, MWord: WordTokens, Activation: GELU})
		}, "glu", "U_OFFSET / 4u + i", "i"},
		{"gate", func(r *rig) (tested, error) {
			return NewGate(r.dev, GateParams{Width: 50, XStride: 64, ZStride: 128, ZOffset: 50})
		}, "gate", "sigmoid(z[", "(z["},
		{"gated rows", func(r *rig) (tested, error) {
			return NewGateRows(r.dev, GateRowsParams{Width: 50, GStride: 32, XStride: 64, MWord: WordTokens})
		}, "gate_rows", "select(e, 1.0, gate >= 0.0)", "1.0"},
		{"pool", func(r *rig) (tested, error) {
			return NewPool(r.dev, PoolParams{K: 50, XStride: 64, YStride: 96, MaxTokens: 20})
		}, "pool", "first + t", "first"},
		{"tables", func(r *rig) (tested, error) { return NewTables(r.dev) }, "tables", "step[run + 2u] + id.x", "step[run + 2u]"},
		{"ahead", func(r *rig) (tested, error) { return NewAhead(r.dev) }, "ahead", "ahead[id.x]", "ahead[id.x / 2u]"},
		{"copies", func(r *rig) (tested, error) { return NewCopyBlocks(r.dev, layout(KVF16, 10), 1) }, "copy_blocks", "v_cache[target_at] = v_cache[source]", "v_cache[target_at] = k_cache[source]"},
		{"rope f32", func(r *rig) (tested, error) {
			return NewRopeStore(r.dev, RopeStoreParams{Layout: layout(KVF32, 20), Heads: 4, Group: 1, Stride: 160, RotaryDim: 12, Adjacent: true, Bias: true, Growing: true})
		}, "rope_store", "* table[position * TABLE_ROW + ROTARY_DIM]", ""},
		{"rope f16", func(r *rig) (tested, error) {
			return NewRopeStore(r.dev, RopeStoreParams{Layout: layout(KVF16, 21), Heads: 2, Stride: 160, RotaryDim: 20, Residual: 32})
		}, "rope_store", "k_cache[at] = kv_word(a, b)", "k_cache[at] = kv_word(b, a)"},
		{"rope bf16", func(r *rig) (tested, error) {
			return NewRopeStore(r.dev, RopeStoreParams{Layout: layout(KVBF16, 16), Heads: 2, Stride: 96, RotaryDim: 16})
		}, "rope_store", "a * table[at] - b * table[at + 1u]", "a * table[at] + b * table[at + 1u]"},
		{"rope q8", func(r *rig) (tested, error) {
			return NewRopeStore(r.dev, RopeStoreParams{Layout: layout(KVQ8, 22), Heads: 2, Stride: 160, RotaryDim: 22})
		}, "rope_store_q8", "let inverse = 1.0 / scale", "let inverse = 0.5 / scale"},
		{"queries", func(r *rig) (tested, error) {
			return NewRopeStore(r.dev, RopeStoreParams{Layout: layout(KVF16, 16), Heads: 2, Stride: 32, RotaryDim: 16, Queries: true})
		}, "rope_store", "qkv[base + second] = y", "qkv[base + second] = x"},
		{"heads' turn", headTail(RopeStoreParams{Layout: layout(KVF16, 20), Heads: 2, Group: 1, RotaryDim: 16, Bias: true}, 0), "matvec", "r.xy * s + r.zw * c", "r.xy * s - r.zw * c"},
		{"heads' words", headTail(RopeStoreParams{Layout: layout(KVF32, 20), Heads: 2, Group: 1, RotaryDim: 12, Adjacent: true, Growing: true}, 0), "matvec", "kv_word(r.w, 0.0)", "kv_word(r.z, 0.0)"},
		{"values", headTail(RopeStoreParams{Layout: layout(KVF16, 20), Heads: 2, RotaryDim: 16}, 80), "matvec", "if n < KV_HEADS {", "if n < 2u * KV_HEADS {"},
		{"convolution", func(r *rig) (tested, error) {
			return NewConvolution(r.dev, ConvolutionParams{Channels: 20, Taps: 4, XOffset: 7, XStride: 64, YStride: 32, Bias: true, Activation: SiLU, StateAt: 3, SlotWords: 80})
		}, "convolution", "STATE_AT + channel", "STATE_AT + channel + 1u"},
		{"gated convolution", func(r *rig) (tested, error) {
			return NewConvolution(r.dev, ConvolutionParams{Channels: 20, Taps: 3, XStride: 64, YStride: 32, Gated: true, SlotWords: 40})
		}, "convolution", "x[at] * x[at + 2u * CHANNELS]", "x[at]"},
		{"delta net", recurrence(RecurrenceParams{Delta: true, KeyHeads: 2, Key: 24, Tiled: true}), "recurrence", "decay * (*s)[i] + u", "(*s)[i] + u"},
		{"delta net by chunks", recurrence(RecurrenceParams{Delta: true, KeyHeads: 2, Key: 22, Chunked: true}), "recurrence_chunks", "mine -=", "mine +="},
		{"mamba", recurrence(RecurrenceParams{KeyHeads: 1, Key: 16, Chunked: true}), "recurrence_pairs", "decay * q_scale[i]", "q_scale[i]"},
		{"softmax of experts", func(r *rig) (tested, error) { return softmax(r) }, "route", "weight *= SCALE", "weight *= 2.0 * SCALE"},
		{"sorted choices", func(r *rig) (tested, error) { return softmax(r) }, "sort_choices", "sorted[ORDER + at] = c", "sorted[ORDER + at] = 0u"},
		{"sigmoids of experts", func(r *rig) (tested, error) {
			return NewRouter(r.dev, RouterParams{Experts: 40, Used: 4, Stride: 64, Scale: 2.5, MaxTokens: 8, Sigmoid: true, Bias: true, Least: 1e-20})
		}, "route", "rank < USED", "rank + 1u < USED"},
		{"experts of all", func(r *rig) (tested, error) {
			return NewRouter(r.dev, RouterParams{Experts: 40, Used: 4, Stride: 64, Scale: 1, MaxTokens: 8, Whole: true, Scaled: true})
		}, "route", "weight *= scales[e]", "weight *= scales[0]"},
		{"experts' gates and ups", experts(ExpertLinearParams{Gated: SiLU, Norm: true, Bias: true, Eps: eps}, quant.Q4_0, 60, 64), "expert_matvec", "dot(unit_low(u), low)", "dot(unit_low(u), high)"},
		{"experts' sums", experts(ExpertLinearParams{Sum: true, Add: true, Bias: true}, quant.F16, 50, 40), "sum_choices", "routing[c].weight * x", "x"},
		{"sorted experts", experts(ExpertLinearParams{Over: Clamped}, quant.Q8_0, 50, 64), "matmul", "fma(vec4<f32>(a.y)", "fma(vec4<f32>(a.x)"},
		{"lora", func(r *rig) (tested, error) {
			return NewLoRA(r.dev, LoRAParams{K: 90, N: 60, Rank: 12, Slots: []int{0, 40}, XStride: 96, MWord: WordTokens, Norm: true, Eps: eps})
		}, "lora_down", "v *= norm[k]", "v *= 2.0"},
		{"lora's place", func(r *rig) (tested, error) { return NewLoRAPlace(r.dev) }, "lora_place", "place[2] + ", ""},
		{"best token", func(r *rig) (tested, error) { return NewSample(r.dev, SampleParams{Vocab: 300, Stride: 320}) }, "sample", "return peak.y", "return peak.y + 1u"},
		{"sample", drawing(5000, Draws{Random: true}), "sample", "token = id;", "token = 1u + id;"},
		{"sample among few", drawing(300, Draws{Random: true}), "sample", "!wide_less(goal, sum)", "wide_less(goal, sum)"},
		{"withheld", drawing(300, Draws{Random: true}), "withhold", "list[i].x", "list[1].x"},
		{"picked masks", drawing(300, Draws{}), "pick_mask", "what == ALWAYS ||", "what == 0u ||"},
		{"log-probabilities", drawing(600, Draws{Logprobs: true}), "top_logits", "logit_of(mine.x) - log_total", "logit_of(mine.x)"},
		{"penalties", func(r *rig) (tested, error) {
			return NewPenalize(r.dev, PenalizeParams{Vocab: 300, Stride: 320, Context: 64})
		}, "penalize", "next], run + 1u)", "next], run)"},
		{"penalties taken back", func(r *rig) (tested, error) {
			return NewPenalize(r.dev, PenalizeParams{Vocab: 7, Stride: 32, Context: 10})
		}, "penalize", "AT_RAW] + i))", "AT_RAW]))"},
		{"embedding", func(r *rig) (tested, error) { return r.embedding(quant.Q4_0, 40, 64, EmbedParams{Scale: 3}) }, "embed", "x[at] = weights_low(u, s) * SCALE", "x[at] = weights_low(u, s)"},
		{"positions", func(r *rig) (tested, error) { return r.embedding(quant.F16, 40, 50, EmbedParams{Positions: true}) }, "embed", "x[at] += ", "x[at] = "},
		{"strips", strips, "strips", "vec4<f32>(-MOST)", "vec4<f32>(0.0)"},
		{"tiles of halves", tiles, "halves_tile", "1032.0h", "1031.0h"},
	}
}

// drawing makes what draws take.
func drawing(vocab int, d Draws) func(*rig) (tested, error) {
	return func(r *rig) (tested, error) {
		k, err := NewSample(r.dev, SampleParams{Vocab: vocab, Stride: RowStride(vocab)})
		if err == nil {
			err = k.Make(d)
		}
		return k.Testing(d), err
	}
}

func (r *rig) embedding(typ quant.Type, n, k int, p EmbedParams) (*Embed, error) {
	m, err := NewMatrix(r.dev, "embedding", typ, n, k, 0)
	if err != nil {
		return nil, err
	}
	r.Cleanup(m.Release)
	p.Matrix, p.XStride = m, RowStride(k)
	return NewEmbed(r.dev, p)
}

// Every kernel passes its self-test, and does not where it computes wrongly.
func TestSelfTestOfKernels(t *testing.T) {
	cases := kernelCases()
	for i, c := range cases {
		share := 1
		if os.Getenv("QUIRE_ALL") == "" && runtime.GOOS == "js" {
			share = 12
		} else if os.Getenv("QUIRE_ALL") == "" && !gputest.First {
			share = 6
		}
		if i%share > 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			k, err := c.make(r)
			require.NoError(t, err)
			failures, passed := r.selfTestOf(k)
			for _, f := range failures {
				t.Error(f)
			}
			assert.NotEmpty(t, passed)

			hits := 0
			broken = func(label, text string) string {
				name, _, _ := strings.Cut(label, "/")
				if file, _, _ := strings.Cut(name, " "); file != c.file {
					return text
				}
				changed := strings.Replace(text, c.was, c.wrong, 1)
				if changed != text {
					hits++
				}
				return changed
			}
			defer func() { broken = nil }()
			k, err = c.make(r)
			require.NoError(t, err)
			require.NotZero(t, hits, "nothing is broken")
			failures, _ = r.selfTestOf(k)
			require.NotEmpty(t, failures)
			named := fmt.Sprint(failures[0])
			assert.Contains(t, named, r.dev.Info().Name)
		})
	}
}
