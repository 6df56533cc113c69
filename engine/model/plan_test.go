package model_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/kernel"
	"quire/engine/model"
	"quire/engine/quant"
	"quire/tests/tiny"
)

type meta = map[string]any

// refused asserts that a model does not run and that the message has all of says.
func refused(t *testing.T, m tiny.Model, says ...string) {
	t.Helper()
	_, err := model.NewPlan(m.File(t))
	require.ErrorIs(t, err, model.ErrUnsupported)
	for _, s := range says {
		assert.ErrorContains(t, err, s)
	}
}

func TestKeysThatChangeTheResult(t *testing.T) {
	for key, value := range (meta{
		"attention.causal": uint8(2), "attention.scale": float32(0.5), "attention.clamp_kqv": float32(8), "attention.max_alibi_bias": float32(8),
		"attention.sliding_window_pattern": []bool{true, false}, "attention.key_length_swa": uint32(4),
		"attention.shared_kv_layers": uint32(1), "attention.temperature_scale": float32(1), "attention.output_scale": float32(0.5),
		"attention.of_some_later_kind": uint32(3), "attention.q_lora_rank": uint32(4), "attention.recurrent_layers": []bool{false, true},
		"rope.scaling.type": "longrope", "rope.scaling.attn_factor": float32(1.5), "rope.scaling.yarn_attn_factor": float32(0.5),
		"rope.scaling.alpha": float32(1000), "embedding_length_out": uint32(16),
		"rope.scaling.yarn_ext_factor": float32(1), "rope.scaling.yarn_log_multiplier": float32(0.1), "rope.freq_base_swa": float32(500),
		"rope.dimension_sections": []int32{2, 1, 1, 0}, "rope.of_some_later_kind": "much",
		"expert_used_count": uint32(2), "expert_weights_scale": float32(2.5), "expert_gating_func": uint32(2),
		"logit_scale": float32(0.25), "residual_scale": float32(0.22), "embedding_scale": float32(12),
		"attn_logit_softcapping": float32(50), "final_logit_softcapping": float32(30), "pooling_type": uint32(9),
		"hidden_activation": "gelu", "activation_sparsity_scale": []float32{1.5, 0}, "attention.value_scale": float32(2), "logits_soft_cap": float32(30),
		"scale_emb": float32(12), "use_alibi": true, "is_causal": false, "no_rope_layers": []bool{true, false}, "sliding_window": uint32(24),
		"use_parallel_residual": true, "nextn_predict_layers": uint32(1), "ssm.state_size": uint32(16), "tensor_data_layout": "other",
	}) {
		t.Run(key, func(t *testing.T) { refused(t, tiny.Model{Meta: meta{"llama." + key: value}}, "llama."+key) })
	}
}

func TestKeysThatChangeNothing(t *testing.T) {
	for name, change := range map[string]meta{
		"causal": {"attention.causal": true}, "causal by number": {"attention.causal": uint8(1)}, "usual scale": {"attention.scale": float32(0.35355338)}, "no scale": {"attention.scale": float32(0)},
		"clamp": {"attention.clamp_kqv": float32(0)}, "no window": {"attention.sliding_window": uint32(0)}, "window of the context": {"attention.sliding_window": uint32(128)},
		"pattern without a window": {"attention.sliding_window": uint32(0), "attention.sliding_window_pattern": uint32(6), "rope.freq_base_swa": float32(500)},
		"windows as the rest":      {"attention.key_length_swa": uint32(8)}, "all windows off": {"attention.sliding_window_pattern": []bool{false, false}},
		"LayerNorm's epsilon": {"attention.layer_norm_epsilon": float32(1e-5)}, "other temperature": {"attention.temperature_scale": float32(0)},
		"no scaling": {"rope.scaling.type": "none"}, "scaling by 1": {"rope.scaling.type": "linear", "rope.scaling.factor": float32(1)},
		"factor alone": {"rope.scaling.factor": float32(1)}, "factor 0": {"rope.scaling.factor": float32(0)}, "old factor": {"rope.scale_linear": float32(1)},
		"both factors": {"rope.scaling.factor": float32(4), "rope.scale_linear": float32(4)},
		"how trained":  {"rope.scaling.finetuned": false, "rope.scaling.original_context_length": uint32(64)},
		"YaRN's names": {"rope.scaling.attn_factor": float32(1), "rope.scaling.yarn_ext_factor": float32(-1), "rope.scaling.yarn_beta_fast": float32(32),
			"rope.scaling.yarn_beta_slow": float32(1), "rope.scaling.yarn_attn_factor": float32(1), "rope.scaling.yarn_log_multiplier": float32(0)},
		"sections": {"rope.dimension_sections": []int32{0, 0, 0, 0}},
		"dense":    {"expert_count": uint32(0), "expert_used_count": uint32(2), "expert_shared_feed_forward_length": uint32(64), "expert_weights_scale": float32(1)},
		"factors":  {"logit_scale": float32(1), "residual_scale": float32(1), "embedding_scale": float32(0)},
		"caps":     {"attn_logit_softcapping": float32(0), "final_logit_softcapping": float32(0)},
		"pooling":  {"pooling_type": uint32(0)}, "prediction": {"nextn_predict_layers": uint32(0)}, "residual": {"use_parallel_residual": false},
		"width of what comes out": {"embedding_length_out": uint32(32)}, "alpha": {"rope.scaling.alpha": float32(1)},
		"activation": {"hidden_activation": "silu", "activation_function": "swiglu"}, "value scale": {"attention.value_scale": float32(1)},
		"layout": {"tensor_data_layout": "Meta AI original pth"}, "vocabulary": {"vocab_size": uint32(258)},
	} {
		t.Run(name, func(t *testing.T) {
			m := tiny.Model{Meta: meta{}}
			for key, value := range change {
				m.Meta["llama."+key] = value
			}
			p, err := model.NewPlan(m.File(t))
			require.NoError(t, err)
			assert.Empty(t, p.Warnings)
		})
	}
}

func TestUnknownKeysAreWarnings(t *testing.T) {
	p, err := model.NewPlan(tiny.Model{Meta: meta{"llama.favourite_colour": "green", "llama.quick": []int32{1, 2}, "qwen2.attention.causal": false}}.File(t))
	require.NoError(t, err)
	require.Len(t, p.Warnings, 2)
	assert.Contains(t, p.Warnings[0], `llama.favourite_colour is "green"`)
	assert.Contains(t, p.Warnings[1], "llama.quick is [1 2]")

	p, err = model.NewPlan(tiny.Model{Meta: meta{"llama.rope.scaling.type": "none", "llama.rope.scaling.factor": float32(4)}}.File(t))
	require.NoError(t, err)
	assert.EqualValues(t, 1, p.Ropes[0].Scale)
	require.Len(t, p.Warnings, 1)
	assert.Contains(t, p.Warnings[0], "llama.rope.scaling.type")
}

func TestLinearScaling(t *testing.T) {
	for name, change := range map[string]meta{
		"by type":           {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": float32(4)},
		"factor alone":      {"llama.rope.scaling.factor": float32(4)},
		"old key":           {"llama.rope.scale_linear": float32(4)},
		"old key with type": {"llama.rope.scaling.type": "linear", "llama.rope.scale_linear": float32(4)},
		"float64":           {"llama.rope.scaling.factor": 4.0},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := model.NewPlan(tiny.Model{Meta: change}.File(t))
			require.NoError(t, err)
			assert.EqualValues(t, 4, p.Ropes[0].Scale)
		})
	}
	const factor, old = "llama.rope.scaling.factor", "llama.rope.scale_linear"
	refused(t, tiny.Model{Meta: meta{factor: float32(4), old: float32(2)}}, factor, old)
	refused(t, tiny.Model{Meta: meta{factor: float32(-4)}}, factor)
	refused(t, tiny.Model{Meta: meta{old: float32(-1)}}, old)
	refused(t, tiny.Model{Meta: meta{"llama.rope.scaling.type": "linear"}}, factor)
	refused(t, tiny.Model{Meta: meta{"llama.rope.scaling.attn_factor": float32(0)}}, "llama.rope.scaling.attn_factor")
	refused(t, tiny.Model{Meta: meta{"llama.rope.scaling.type": "longrope"}}, "llama.rope.scaling.type", "longrope")
}

func TestTensorsThatNothingReads(t *testing.T) {
	for _, name := range []string{
		"output.bias", "output_norm.bias", "token_embd_norm.weight", "rope_factors_long.weight", "rope_factors_short.weight", "cls.weight", "v.blk.0.attn_q.weight",
		"blk.0.attn_norm.bias", "blk.0.ffn_norm.bias",
		"blk.0.attn_q_norm.weight", "blk.0.attn_k_norm.weight", "blk.0.attn_sinks.weight", "blk.0.post_attention_norm.weight", "blk.0.post_ffw_norm.weight",
		"blk.0.attn_sub_norm.weight", "blk.0.ffn_sub_norm.weight", "blk.0.ffn_gate_inp.weight", "blk.0.layer_output_scale.weight", "blk.0.attn_rot_embd.weight",
		"blk.0.attn_q.scale", "blk.0.ffn_down.scale", "blk.0.ffn_down.input_scale", "output.scale", "blk.2.attn_q.weight", "blk.17.ffn_norm.weight", "something.else",
	} {
		t.Run(name, func(t *testing.T) { refused(t, tiny.Model{Tensors: map[string][]int{name: {32}}}, "tensor "+name) })
	}
	refused(t, tiny.Model{Tensors: map[string][]int{"blk.2.attn_q.weight": {32, 32}}}, "past llama.block_count", "2")
	refused(t, tiny.Model{Meta: meta{"llama.block_count": uint32(1)}}, "past llama.block_count", "1")
	refused(t, tiny.Model{Tensors: map[string][]int{"blk.0.attn_sub_norm.weight": {32}, "blk.1.attn_sub_norm.weight": {32}}}, "and 1 more of the kind")

	plan, problems := model.Check(tiny.Model{Meta: meta{"llama.logit_scale": float32(2)}, Tensors: map[string][]int{"output.bias": {258}, "blk.0.ffn_sub_norm.weight": {48}}}.File(t))
	assert.NotNil(t, plan, "it can still be described")
	said := errors.Join(problems...).Error()
	assert.Len(t, problems, 3, said)
	for _, name := range []string{"llama.logit_scale", "output.bias", "blk.0.ffn_sub_norm.weight"} {
		assert.Equal(t, 1, strings.Count(said, name), said)
	}
}

func TestPerLayerValues(t *testing.T) {
	p, err := model.NewPlan(tiny.Model{Meta: meta{"llama.attention.head_count": []uint32{4, 4}, "llama.attention.head_count_kv": []int32{2, 2},
		"llama.feed_forward_length": []int64{48, 48}}}.File(t))
	require.NoError(t, err)
	assert.Equal(t, []int{4, 2, 48}, []int{p.Config.Heads, p.Config.KVHeads, p.Config.FFN})
	for _, key := range []string{"llama.attention.head_count", "llama.attention.head_count_kv", "llama.feed_forward_length"} {
		refused(t, tiny.Model{Meta: meta{key: []uint32{4, 1 << 20}}}, key, "layer 1")
		refused(t, tiny.Model{Meta: meta{key: []uint32{2, 2, 2}}}, key, "3 values for 2 layers")
		refused(t, tiny.Model{Meta: meta{key: []uint32{}}}, key, "0 values")
		refused(t, tiny.Model{Meta: meta{key: []uint32{0, 0}}}, key, "is 0")
	}
}

// Layers may differ in their heads and their FFN: their K and V are in KV groups of their own.
func TestLayersThatDiffer(t *testing.T) {
	m := tiny.Model{
		Meta: meta{"llama.attention.head_count": []uint32{4, 2}, "llama.attention.head_count_kv": []int32{2, 1}, "llama.feed_forward_length": []int64{48, 64}},
		Tensors: map[string][]int{"blk.1.attn_q.weight": {16, 32}, "blk.1.attn_k.weight": {8, 32}, "blk.1.attn_v.weight": {8, 32},
			"blk.1.attn_output.weight": {32, 16}, "blk.1.ffn_gate.weight": {64, 32}, "blk.1.ffn_up.weight": {64, 32}, "blk.1.ffn_down.weight": {32, 64}},
	}
	p, err := model.NewPlan(m.File(t))
	require.NoError(t, err)
	assert.Equal(t, []int{4, 2, 64}, []int{p.Config.Heads, p.Config.KVHeads, p.Config.FFN}, "the most")
	assert.Equal(t, []int{0, 0}, p.Windows(), "a group each")
	assert.Equal(t, []int{2, 2}, p.HeadsPerKV(), "an item list each")
	for _, kind := range []kernel.KVType{kernel.KVF32, kernel.KVQ8} {
		layouts := p.KVLayouts(16, kind)
		assert.Equal(t, []int{1, 2}, []int{layouts[0].KVHeads, layouts[1].KVHeads})
		assert.Equal(t, layouts[1].Bytes(5), layouts[0].Bytes(5), "an id takes as much in both")
		assert.Zero(t, layouts[1].Pad)
	}
	n, err := p.KVBytes("f32", 10)
	require.NoError(t, err)
	assert.EqualValues(t, 10*2*4*(2*8+8), n)
}

func TestWhatConfigurationsNeed(t *testing.T) {
	const key, value, eps = "llama.attention.key_length", "llama.attention.value_length", "llama.attention.layer_norm_rms_epsilon"
	refused(t, tiny.Model{Drop: []string{eps}}, eps)
	refused(t, tiny.Model{Drop: []string{"llama.context_length"}}, "llama.context_length")
	refused(t, tiny.Model{Drop: []string{value}, Meta: meta{key: uint32(16)}}, value, "V rows of 8")
	refused(t, tiny.Model{Drop: []string{key}, Meta: meta{value: uint32(16)}}, key, "V rows of 16")
	for _, drop := range [][]string{{key}, {value}, {key, value}} {
		p, err := model.NewPlan(tiny.Model{Drop: drop}.File(t))
		require.NoError(t, err)
		assert.Equal(t, 8, p.Config.HeadDim)
	}
}

func TestFilesThatAreNoModel(t *testing.T) {
	refused(t, tiny.Model{Meta: meta{"split.no": uint16(0), "split.count": uint16(2), "split.tensors.count": int32(20)}}, "shard 1 of 2", "-00001-of-00002.gguf")
	refused(t, tiny.Model{Drop: []string{"general.architecture"}, Meta: meta{"split.no": uint16(1), "split.count": uint16(3)}}, "shard 2 of 3")
	refused(t, tiny.Model{Meta: meta{"split.tensors.count": int32(200)}}, "one shard", "split.tensors.count")
	refused(t, tiny.Model{NoTensors: true, Meta: meta{"split.no": uint16(0), "split.count": uint16(2)}}, "shard 1 of 2")
	refused(t, tiny.Model{NoTensors: true}, "a vocabulary only")
	refused(t, tiny.Model{Meta: meta{"general.type": "adapter"}}, "LoRA adapter")
	refused(t, tiny.Model{Meta: meta{"general.type": "mmproj"}}, "mmproj")
	_, err := model.NewPlan(tiny.Model{Meta: meta{"general.type": "model", "split.no": uint16(0), "split.count": uint16(1), "split.tensors.count": int32(20)}}.File(t))
	assert.NoError(t, err)
}

// A matrix in NVFP4 may have a number beside it; nothing else there is taken for one.
func TestScalesOfMatrices(t *testing.T) {
	plan := func(tensors map[string][]int) error {
		f := tiny.Model{Tensors: tensors}.File(t)
		for _, name := range []string{"attn_q", "attn_k", "ffn_gate", "ffn_up"} {
			tensor, ok := f.Tensor("blk.0." + name + ".weight")
			require.True(t, ok)
			tensor.Type = quant.NVFP4
		}
		_, err := model.NewPlan(f)
		return err
	}
	require.NoError(t, plan(map[string][]int{"blk.0.attn_q.scale": {1}, "blk.0.attn_q.input_scale": {1}, "blk.0.ffn_up.scale": {1}}))
	assert.ErrorContains(t, plan(map[string][]int{"blk.0.attn_k.scale": {2}}), "tensor blk.0.attn_k.scale has type F32 and shape [2], want one number")
	assert.ErrorContains(t, plan(map[string][]int{"blk.0.attn_v.scale": {1}}), "blk.0.attn_v.scale", "which is F32 itself")
	assert.ErrorContains(t, plan(map[string][]int{"blk.1.attn_q.scale": {1}}), "blk.1.attn_q.scale")
}

// A type that does not run is named, with the tensor and the types that do.
func TestTypesThatDoNotRun(t *testing.T) {
	for _, name := range []string{"token_embd.weight", "blk.1.attn_v.weight", "blk.0.ffn_up.weight"} {
		for _, typ := range []quant.Type{quant.Q8_K, quant.Q1_0, quant.Q2_0, quant.F64, quant.I8, 99} {
			f := tiny.Model{}.File(t)
			tensor, ok := f.Tensor(name)
			require.True(t, ok)
			tensor.Type = typ
			_, err := model.NewPlan(f)
			require.ErrorIs(t, err, model.ErrUnsupported)
			assert.ErrorContains(t, err, "tensor "+name+" has type "+typ.String()+" (F32, F16, ")
			assert.ErrorContains(t, err, "MXFP4 and NVFP4 run)")
		}
	}
}
