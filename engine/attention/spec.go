package attention

import (
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// itemSpec is what the kernels share that walk the keys of items, those that a word of the step buffer counts. They read the
// step, queries, keys and values, and write the output.
func (p Params) itemSpec(file, variant string, items int, own ...kernel.Const) kernel.Spec {
	s := kernel.Spec{
		File: file, Variant: variant,
		Consts: slices.Concat(p.shapeConsts(), p.sightConsts(), own, []kernel.Const{
			{Name: "Q_STRIDE", Value: p.QStride}, {Name: "Q_OFFSET", Value: p.QOffset},
			{Name: "SCALE", Value: p.Scale}, {Name: "ITEMS_WORD", Value: kernel.ListWord(items, p.List)},
		}),
		Slots:    map[string]string{"q": p.qLibrary()},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	}
	p.useKeys(&s)
	return s
}

// shapeConsts are the constants that name the heads, sightConsts those of the libraries sight, score, mask and dropout.
func (p Params) shapeConsts() []kernel.Const {
	return []kernel.Const{
		{Name: "HEAD_DIM", Value: p.HeadDim}, {Name: "HEADS_PER_KV", Value: p.Heads / p.KVHeads},
		{Name: "KV_HEADS", Value: p.KVHeads}, {Name: "OUT_STRIDE", Value: p.OutStride},
	}
}

func (p Params) sightConsts() []kernel.Const {
	window, sinks := min(p.Window, farthest), min(p.Sinks, farthest)
	if window == 0 {
		sinks = 0
	}
	return append([]kernel.Const{
		{Name: "CAUSAL", Value: !p.Bidirectional}, {Name: "WINDOW", Value: window}, {Name: "SINKS", Value: sinks},
		{Name: "SOFTCAP", Value: p.Softcap}, {Name: "ALIBI", Value: p.ALiBi}, {Name: "MASK", Value: int(p.Mask)},
	}, p.Dropout.consts()...)
}

// useKeys chooses how keys are found.
func (p Params) useKeys(s *kernel.Spec) {
	s.Consts = append(s.Consts, kernel.Const{Name: "GROUP", Value: p.Group})
	if p.Contiguous {
		s.Slots["keys"] = "keys_rows"
		return
	}
	s.Slots["keys"] = "keys_blocks"
	s.Consts = append(s.Consts, kernel.Const{Name: "BLOCK_SIZE", Value: p.BlockSize}, kernel.Const{Name: "BLOCK_PAD", Value: p.BlockPad})
}

// kvLibrary names the library that reads rows of K and V.
func (p Params) kvLibrary() string {
	name := "kv_" + p.KVType.String()
	if p.HeadDim%4 == 0 {
		name += "x4"
	}
	return name
}

func (p Params) qLibrary() string {
	name := "q_" + p.QType.String()
	if p.QType == kernel.KVF32 && p.HeadDim%4 == 0 && p.QStride%4 == 0 && p.QOffset%4 == 0 {
		name += "x4"
	}
	return name
}

// keepLSE binds the log-sum-exps behind what is bound already, where they are wanted.
func (p Params) keepLSE(s *kernel.Spec) {
	s.Slots["lse"] = "lse_none"
	if p.LSE {
		s.Slots["lse"] = "lse_keep"
		s.Consts = append(s.Consts, kernel.Const{Name: "LSE_BINDING", Value: len(s.Bindings)})
		s.Bindings = append(s.Bindings, gpu.ReadWrite)
	}
}
