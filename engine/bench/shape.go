package bench

import (
	"fmt"
	"strings"

	"quire/engine/quant"
)

// Shape is a model's dimensions under the name of the model that has them.
type Shape struct {
	Name                    string
	Architecture            string
	Layers, Width, FFN      int
	Heads, KVHeads, HeadDim int
	Vocabulary, Context     int
	RopeBase                float32
	Tied                    bool // the head shares the embedding's weights
	Bias                    bool // on q, k and v
	Normed                  bool // q and k are, head by head
	Capitals                bool // tokens of several bytes are of nothing else
	Experts, Used           int  // of each layer in place of its FFN; 0: none
	ExpertFFN               int
	Sinks                   bool              // with all else that a gpt-oss has
	PerLayer                *PerLayerShape    // of a Gemma 4; nil: none
	Window                  int               // of all layers but every sixth; 0: none
	After                   bool              // what a block gives is normalised
	State                   *StateShape       // of layers that keep one in place of K and V; nil: none does
	Convolution             *ConvolutionShape // in place of attention; nil: no layer has one
	Pre                     string
}

// Shapes are the shapes that have a name.
var Shapes = []Shape{
	{Name: "qwen-0.5b", Architecture: "qwen2", Layers: 24, Width: 896, FFN: 4864, Heads: 14, KVHeads: 2, HeadDim: 64,
		Vocabulary: 151936, Context: 32768, RopeBase: 1e6, Tied: true, Bias: true, Pre: "qwen2"},
	{Name: "llama-1b", Architecture: "llama", Layers: 16, Width: 2048, FFN: 8192, Heads: 32, KVHeads: 8, HeadDim: 64,
		Vocabulary: 128256, Context: 131072, RopeBase: 5e5, Tied: true, Pre: "llama-bpe"},
	{Name: "llama-3b", Architecture: "llama", Layers: 28, Width: 3072, FFN: 8192, Heads: 24, KVHeads: 8, HeadDim: 128,
		Vocabulary: 128256, Context: 131072, RopeBase: 5e5, Tied: true, Pre: "llama-bpe"},
	{Name: "llama-8b", Architecture: "llama", Layers: 32, Width: 4096, FFN: 14336, Heads: 32, KVHeads: 8, HeadDim: 128,
		Vocabulary: 128256, Context: 131072, RopeBase: 5e5, Pre: "llama-bpe"},
	{Name: "qwen3-30b-a3b", Architecture: "qwen3moe", Layers: 48, Width: 2048, FFN: 6144, Heads: 32, KVHeads: 4, HeadDim: 128,
		Vocabulary: 151936, Context: 40960, RopeBase: 1e6, Normed: true, Experts: 128, Used: 8, ExpertFFN: 768, Pre: "qwen2"},
	// Its twin without experts: the same layers, and as many weights as a token has of it.
	{Name: "qwen3-30b-a3b-dense", Architecture: "qwen3", Layers: 48, Width: 2048, FFN: 8 * 768, Heads: 32, KVHeads: 4, HeadDim: 128,
		Vocabulary: 151936, Context: 40960, RopeBase: 1e6, Normed: true, Pre: "qwen2"},
	{Name: "gpt-oss-20b", Architecture: "gpt-oss", Layers: 24, Width: 2880, FFN: 2880, Heads: 64, KVHeads: 8, HeadDim: 64, Vocabulary: 201088,
		Context: 131072, RopeBase: 150000, Bias: true, Experts: 32, Used: 4, ExpertFFN: 2880, Window: 128, Sinks: true, Pre: "gpt-4o"},
	// Qwen3-0.6B, Gemma 3 1B and LFM2-1.2B as their config.json have them. LFM2's FFN is two thirds of block_ff_dim, in multiples
	// of block_multiple_of.
	{Name: "qwen3-0.6b", Architecture: "qwen3", Layers: 28, Width: 1024, FFN: 3072, Heads: 16, KVHeads: 8, HeadDim: 128,
		Vocabulary: 151936, Context: 40960, RopeBase: 1e6, Tied: true, Normed: true, Pre: "qwen2"},
	{Name: "gemma3-1b", Architecture: "gemma3", Layers: 26, Width: 1152, FFN: 6912, Heads: 4, KVHeads: 1, HeadDim: 256,
		Vocabulary: 262144, Context: 32768, RopeBase: 1e6, Tied: true, Normed: true, After: true, Window: 512, Pre: "llama-bpe"},
	// Gemma 4 E2B as its config.json has it.
	{Name: "gemma4-e2b", Architecture: "gemma4", Layers: 35, Width: 1536, FFN: 6144, Heads: 8, KVHeads: 1, HeadDim: 256,
		Vocabulary: 262144, Context: 131072, RopeBase: 1e6, Tied: true, Normed: true, After: true, Window: 512, Pre: "llama-bpe",
		PerLayer: &PerLayerShape{Width: 256, Every: 5, HeadDim: 512, Shared: 20, Cap: 30}},
	{Name: "lfm2-1.2b", Architecture: "lfm2", Layers: 16, Width: 2048, FFN: 8192, Heads: 32, KVHeads: 8, HeadDim: 64,
		Vocabulary: 65536, Context: 128000, RopeBase: 1e6, Tied: true, Normed: true, Pre: "lfm2",
		Convolution: &ConvolutionShape{Taps: 3, Attention: []int{2, 5, 8, 10, 12, 14}}},
	// Qwen3.5-2B as its config.json has it; transformers' Qwen3_5TextConfig has the sizes that all of the family share.
	{Name: "qwen35-2b", Architecture: "qwen35", Layers: 24, Width: 2048, FFN: 6144, Heads: 8, KVHeads: 2, HeadDim: 256,
		Vocabulary: 248320, Context: 262144, RopeBase: 1e7, Tied: true, Normed: true, Pre: "qwen35",
		State: &StateShape{Interval: 4, Taps: 4, KeyHeads: 16, Key: 128, Heads: 16, Value: 128, RotaryDimension: 64}},
}

// ShapeNames lists the names of Shapes.
func ShapeNames() []string {
	names := make([]string, len(Shapes))
	for i, s := range Shapes {
		names[i] = s.Name
	}
	return names
}

// FindShape returns the shape of a name.
func FindShape(name string) (Shape, error) {
	for _, s := range Shapes {
		if strings.EqualFold(s.Name, name) {
			return s, nil
		}
	}
	return Shape{}, fmt.Errorf("there is no shape %q; these exist: %s", name, strings.Join(ShapeNames(), ", "))
}

// tensors declares what a model of the shape has, in file order; matrices are of type t.
func (s Shape) tensors(declare func(name string, t quant.Type, shape ...uint64), t quant.Type) {
	width, vocabulary := uint64(s.Width), uint64(s.Vocabulary)
	declare("token_embd.weight", t, width, vocabulary)
	if p := s.PerLayer; p != nil {
		all := uint64(p.Width * s.Layers)
		declare("per_layer_token_embd.weight", t, all, vocabulary)
		declare("per_layer_model_proj.weight", t, width, all)
		declare("per_layer_proj_norm.weight", quant.F32, uint64(p.Width))
	}
	for i := range s.Layers {
		layer := func(name string, t quant.Type, shape ...uint64) {
			declare(fmt.Sprintf("blk.%d.%s", i, name), t, shape...)
		}
		own, keys := s.PerLayer.layer(s, i)
		ffn := uint64(own.FFN)
		layer("attn_norm.weight", quant.F32, width)
		norm := "ffn_norm.weight"
		if s.State != nil || s.Sinks {
			norm = "post_attention_norm.weight"
		}
		switch {
		case s.State.keeps(i):
			s.State.tensors(layer, width, t)
		case s.Convolution.has(i):
			s.Convolution.tensors(layer, width, t)
		default:
			own.attention(layer, t, keys)
		}
		if s.After {
			layer("post_attention_norm.weight", quant.F32, width)
			layer("post_ffw_norm.weight", quant.F32, width)
		}
		layer(norm, quant.F32, width)
		if experts, inner := uint64(s.Experts), uint64(s.ExpertFFN); experts > 0 {
			layer("ffn_gate_inp.weight", quant.F32, width, experts)
			layer("ffn_gate_exps.weight", t, width, inner, experts)
			layer("ffn_up_exps.weight", t, width, inner, experts)
			layer("ffn_down_exps.weight", t, inner, width, experts)
			if s.Sinks {
				s.sinks(layer)
			}
			continue
		}
		layer("ffn_gate.weight", t, width, ffn)
		layer("ffn_up.weight", t, width, ffn)
		layer("ffn_down.weight", t, ffn, width)
		if s.PerLayer != nil {
			s.PerLayer.tensors(layer, width, t)
		}
	}
	last := "output_norm.weight"
	if s.Convolution != nil {
		last = "token_embd_norm.weight"
	}
	declare(last, quant.F32, width)
	if !s.Tied {
		declare("output.weight", t, width, vocabulary)
	}
}

// sinks declares what a layer of a gpt-oss has beside its matrices.
func (s Shape) sinks(layer func(name string, t quant.Type, shape ...uint64)) {
	width, experts, inner := uint64(s.Width), uint64(s.Experts), uint64(s.ExpertFFN)
	layer("attn_sinks.weight", quant.F32, uint64(s.Heads))
	layer("attn_output.bias", quant.F32, width)
	layer("ffn_gate_inp.bias", quant.F32, experts)
	layer("ffn_gate_exps.bias", quant.F32, inner, experts)
	layer("ffn_up_exps.bias", quant.F32, inner, experts)
	layer("ffn_down_exps.bias", quant.F32, width, experts)
}

// attention declares the tensors of a layer's attention; without keys, those that are left where K and V are an earlier layer's.
func (s Shape) attention(layer func(name string, t quant.Type, shape ...uint64), t quant.Type, keys bool) {
	width, q, kv := uint64(s.Width), uint64(s.Heads*s.HeadDim), uint64(s.KVHeads*s.HeadDim)
	queries := q
	if s.State != nil { // with a gate each
		queries *= 2
	}
	if s.Normed {
		layer("attn_q_norm.weight", quant.F32, uint64(s.HeadDim))
	}
	layer("attn_q.weight", t, width, queries)
	if !keys {
		layer("attn_output.weight", t, q, width)
		return
	}
	if s.Normed {
		layer("attn_k_norm.weight", quant.F32, uint64(s.HeadDim))
	}
	layer("attn_k.weight", t, width, kv)
	layer("attn_v.weight", t, width, kv)
	if s.Bias {
		layer("attn_q.bias", quant.F32, q)
		layer("attn_k.bias", quant.F32, kv)
		layer("attn_v.bias", quant.F32, kv)
	}
	layer("attn_output.weight", t, q, width)
}

// metadata is what a model of the shape says about itself, key by key.
func (s Shape) metadata(set func(key string, value any)) {
	set("general.architecture", s.Architecture)
	set("general.name", s.Name+" with random weights")
	for _, entry := range []struct {
		key   string
		value any
	}{
		{"vocab_size", uint32(s.Vocabulary)}, {"context_length", uint32(s.Context)}, {"embedding_length", uint32(s.Width)},
		{"block_count", uint32(s.Layers)}, {"feed_forward_length", uint32(s.FFN)},
		{"attention.head_count", uint32(s.Heads)}, {"attention.head_count_kv", uint32(s.KVHeads)},
		{"attention.key_length", uint32(s.HeadDim)}, {"attention.value_length", uint32(s.HeadDim)},
		{"attention.layer_norm_rms_epsilon", float32(1e-5)},
		{"rope.dimension_count", uint32(s.HeadDim)}, {"rope.freq_base", s.RopeBase},
	} {
		set(s.Architecture+"."+entry.key, entry.value)
	}
	if s.Experts > 0 {
		set(s.Architecture+".expert_count", uint32(s.Experts))
		set(s.Architecture+".expert_used_count", uint32(s.Used))
		set(s.Architecture+".expert_feed_forward_length", uint32(s.ExpertFFN))
	}
	if s.Sinks {
		set(s.Architecture+".rope.scaling.type", "yarn")
		set(s.Architecture+".rope.scaling.factor", float32(32))
		set(s.Architecture+".rope.scaling.original_context_length", uint32(4096))
	}
	if s.Window > 0 {
		set(s.Architecture+".attention.sliding_window", uint32(s.Window))
	}
	if s.PerLayer != nil {
		s.PerLayer.metadata(s, func(key string, value any) { set(s.Architecture+"."+key, value) })
	}
	if s.Convolution != nil {
		set(s.Architecture+".shortconv.l_cache", uint32(s.Convolution.Taps))
		set(s.Architecture+".attention.head_count_kv", s.Convolution.kvHeads(s.Layers, s.KVHeads))
	}
	if s.State != nil {
		s.State.metadata(func(key string, value uint32) { set(s.Architecture+"."+key, value) })
	}
	s.vocabulary(set)
}
