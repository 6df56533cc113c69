package bench

import "quire/engine/quant"

// PerLayerShape is what a Gemma 4 for small devices has beside a Gemma 3.
type PerLayerShape struct {
	Width   int     // of a token's embedding for each layer
	Every   int     // the layers that see all; the others see the shape's window
	HeadDim int     // of those that see all
	Shared  int     // last layers, which have no K and V of their own, and an FFN twice as wide
	Cap     float32 // of the logits
}

// seesAll tells whether a layer has no window.
func (p *PerLayerShape) seesAll(layer int) bool { return layer%p.Every == p.Every-1 }

// layer is the shape of a layer's attention and FFN, and whether it has K and V.
func (p *PerLayerShape) layer(s Shape, layer int) (own Shape, keys bool) {
	if p == nil {
		return s, true
	}
	if p.seesAll(layer) {
		s.HeadDim = p.HeadDim
	}
	keys = layer < s.Layers-p.Shared
	if !keys {
		s.FFN *= 2
	}
	return s, keys
}

// tensors declares what follows a layer's FFN.
func (p *PerLayerShape) tensors(layer func(name string, t quant.Type, shape ...uint64), width uint64, t quant.Type) {
	layer("inp_gate.weight", t, width, uint64(p.Width))
	layer("proj.weight", t, uint64(p.Width), width)
	layer("post_norm.weight", quant.F32, width)
}

// metadata is what files of such models say.
func (p *PerLayerShape) metadata(s Shape, set func(key string, value any)) {
	pattern, ffn := make([]bool, s.Layers), make([]int32, s.Layers)
	for i := range s.Layers {
		own, _ := p.layer(s, i)
		pattern[i], ffn[i] = !p.seesAll(i), int32(own.FFN)
	}
	set("attention.sliding_window_pattern", pattern)
	set("feed_forward_length", ffn)
	set("embedding_length_per_layer_input", uint32(p.Width))
	set("attention.shared_kv_layers", uint32(p.Shared))
	set("attention.key_length", uint32(p.HeadDim))
	set("attention.value_length", uint32(p.HeadDim))
	set("attention.key_length_swa", uint32(s.HeadDim))
	set("attention.value_length_swa", uint32(s.HeadDim))
	set("rope.dimension_count", uint32(p.HeadDim))
	set("rope.dimension_count_swa", uint32(s.HeadDim))
	set("final_logit_softcapping", p.Cap)
}
