package model

import "quire/engine/kernel"

func init() { register("qwen3next", qwen3next) }

// qwen3next is Qwen3-Next: a qwen35 whose feed-forward blocks are experts, one of which has all tokens, by a gate of its own.
// Heads of values that share a key are neighbours, and the gates of Δ and β come in one matrix, key head by key head.
func qwen3next(b *builder) {
	recurrentLayers := b.recurrentLayers()
	b.drafters("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "attn_q_norm", "attn_k_norm", "post_attention_norm",
		"ffn_gate_inp", "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps", "ffn_gate_inp_shexp", "ffn_gate_shexp", "ffn_up_shexp", "ffn_down_shexp")
	attention := b.gatedAttention()
	r := b.recurrent()
	mixture := b.mixture(true)
	shared := b.integer("expert_shared_feed_forward_length", mixture.ffn, 1, 1<<18)

	feedForward := func(x rows) {
		n := b.rmsNorm(x, "post_attention_norm")
		f := b.sharedExpert(n, shared) // before the others are added to x, which n is of
		b.addMixture(x, n, mixture)
		b.addProject(x, f, "ffn_down_shexp")
	}

	x := b.embed("token_embd", 1)
	for i := range b.layers() {
		if recurrentLayers[i] {
			r := b.stateful(r)
			run, at := r.heads/r.keyHeads, r.channels()+r.inner()
			b.deltaBlock(x, append(b.qwen3nextHeads(x, r), b.blocks(x.width, []string{"ssm_ba"}, []int{2 * r.heads})...),
				kernel.GateLayout{Run: run, Step: 2 * run, DeltaOffset: at + run, BetaOffset: at}, r)
		} else {
			b.gatedBlock(x, attention)
		}
		feedForward(x)
	}
	b.gatedEnd(x, attention, feedForward)
}

// qwen3nextHeads are the rows of q, k and v, and of z. The first files had all four in one tensor, key head by key head.
func (b *builder) qwen3nextHeads(x rows, r recurrent) []block {
	const old = "ssm_in"
	t, one := b.find(b.name(old + ".weight"))
	if !one {
		return b.blocks(x.width, []string{"attn_qkv", "attn_gate"}, []int{r.channels(), r.inner()})
	}
	values := r.heads / r.keyHeads * r.value
	b.checkRows(t, r.channels()+r.inner(), x.width)
	var qkv, z []Part
	for head := range r.keyHeads {
		at := head * 2 * (r.key + values)
		take := func(rows, offset int) Part {
			p := Part{Tensor: t, First: at, Rows: rows, Offset: offset + head*rows, Stride: 1}
			at += rows
			return p
		}
		qkv = append(qkv, take(r.key, 0), take(r.key, r.keys()), take(values, 2*r.keys()))
		z = append(z, take(values, 0))
	}
	return []block{{old, r.channels(), qkv}, {old + " gate", r.inner(), z}}
}
