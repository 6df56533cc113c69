package bench

import "quire/engine/quant"

// StateShape is what the layers of a hybrid are like that keep a state, which are all but every Interval-th.
type StateShape struct {
	Interval        int
	Taps            int // of the convolution
	KeyHeads, Key   int
	Heads, Value    int
	RotaryDimension int // of attention's heads
}

// keeps tells whether a layer keeps a state.
func (s *StateShape) keeps(layer int) bool { return s != nil && (layer+1)%s.Interval != 0 }

// tensors declares what stands for attention in a layer that keeps a state: a gated delta net.
func (s *StateShape) tensors(layer func(name string, t quant.Type, shape ...uint64), width uint64, t quant.Type) {
	inner, heads := uint64(s.Heads*s.Value), uint64(s.Heads)
	channels := inner + 2*uint64(s.KeyHeads*s.Key)
	layer("attn_qkv.weight", t, width, channels)
	layer("attn_gate.weight", t, width, inner)
	layer("ssm_alpha.weight", t, width, heads)
	layer("ssm_beta.weight", t, width, heads)
	layer("ssm_conv1d.weight", quant.F32, uint64(s.Taps), channels)
	layer("ssm_a", quant.F32, heads)
	layer("ssm_dt.bias", quant.F32, heads)
	layer("ssm_norm.weight", quant.F32, uint64(s.Value))
	layer("ssm_out.weight", t, inner, width)
}

// metadata is what a model says about its states.
func (s *StateShape) metadata(set func(key string, value uint32)) {
	for _, entry := range []struct {
		key   string
		value int
	}{
		{"full_attention_interval", s.Interval}, {"ssm.conv_kernel", s.Taps}, {"ssm.group_count", s.KeyHeads}, {"ssm.state_size", s.Key},
		{"ssm.time_step_rank", s.Heads}, {"ssm.inner_size", s.Heads * s.Value}, {"rope.dimension_count", s.RotaryDimension},
	} {
		set(entry.key, uint32(entry.value))
	}
}
