package model

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/quant"
	"quire/tests/tiny"
)

// adapterFile writes an adapter for tiny models, of tensors in F32 by their names.
func adapterFile(t *testing.T, m meta, tensors map[string][]uint64) *gguf.File {
	return adapterOf(t, quant.F32, m, tensors)
}

// adapterOf writes one of tensors of a type.
func adapterOf(t *testing.T, typ quant.Type, m meta, tensors map[string][]uint64) *gguf.File {
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	for key, value := range (meta{"general.type": "adapter", "adapter.type": "lora", "general.architecture": "llama", "adapter.lora.alpha": float32(8)}) {
		if given, ok := m[key]; ok {
			value = given
		}
		require.NoError(t, w.Metadata.Set(key, value))
	}
	for key, value := range m {
		require.NoError(t, w.Metadata.Set(key, value))
	}
	var data [][]byte
	for name, shape := range tensors {
		require.NoError(t, w.Declare(name, typ, shape...))
		n := typ.RowBytes(shape[0])
		for _, side := range shape[1:] {
			n *= int64(side)
		}
		data = append(data, make([]byte, n))
	}
	for _, d := range data {
		require.NoError(t, w.WriteTensor(bytes.NewReader(d)))
	}
	require.NoError(t, w.Close())
	f, err := gguf.Read(bytes.NewReader(out.Bytes()), int64(out.Len()))
	require.NoError(t, err)
	return f
}

// An adapter that does not fit the model is refused by the name of what does not.
func TestAdapters(t *testing.T) {
	const q = "blk.1.attn_q.weight"
	pair := func(base string, in, rank, out uint64) map[string][]uint64 {
		return map[string][]uint64{base + loraA: {in, rank}, base + loraB: {rank, out}}
	}
	fits := pair(q, tiny.Width, 4, tiny.Width)
	p, err := NewPlanWith(tiny.Model{}.File(t), PlanOptions{Rank: 8})
	require.NoError(t, err)
	ad, err := p.NewAdapter(adapterFile(t, nil, fits))
	require.NoError(t, err)
	assert.Equal(t, 4, ad.Rank)
	assert.Equal(t, float32(2), ad.pairs[q].factor)
	ad, err = p.NewAdapter(adapterFile(t, meta{"adapter.lora.alpha": float32(0)}, pair("output.weight", tiny.Width, 16, tiny.Vocabulary)))
	require.NoError(t, err, "the head, though it is the embedding")
	assert.Equal(t, float32(1), ad.pairs["output.weight"].factor, "alpha 0 stands for the scale alone")

	p.ignored = []string{"blk.7.attn_k.weight"}
	ad, err = p.NewAdapter(adapterFile(t, nil, pair("blk.7.attn_k.weight", 5, 4, 6)))
	require.NoError(t, err, "what has no meaning is passed over")
	assert.Zero(t, ad.Rank)

	for says, file := range map[string]*gguf.File{
		`general.type is "model"`:                                      adapterFile(t, meta{"general.type": "model"}, fits),
		`adapter.type is "ia3"`:                                        adapterFile(t, meta{"adapter.type": "ia3"}, fits),
		`models of architecture "gemma"`:                               adapterFile(t, meta{"general.architecture": "gemma"}, fits),
		"adapter.alora.invocation_tokens is":                           adapterFile(t, meta{"adapter.alora.invocation_tokens": []uint32{1}}, fits),
		"the adapter has no tensors":                                   adapterFile(t, nil, nil),
		"and no " + q + loraB:                                          adapterFile(t, nil, map[string][]uint64{q + loraA: {tiny.Width, 4}}),
		"and no " + q + loraA:                                          adapterFile(t, nil, map[string][]uint64{q + loraB: {4, tiny.Width}}),
		"shapes [31 4] and [4 32]":                                     adapterFile(t, nil, pair(q, 31, 4, tiny.Width)),
		"shapes [32 4] and [4 33]":                                     adapterFile(t, nil, pair(q, tiny.Width, 4, 33)),
		"shapes [32 4] and [5 32]":                                     adapterFile(t, nil, map[string][]uint64{q + loraA: {tiny.Width, 4}, q + loraB: {5, tiny.Width}}),
		"want a matrix":                                                adapterFile(t, nil, map[string][]uint64{q + loraA: {tiny.Width}, q + loraB: {4, tiny.Width}}),
		"has type Q4_0 (F32, F16, BF16 and Q8_0 run)":                  adapterOf(t, quant.Q4_0, nil, pair(q, tiny.Width, 32, tiny.Width)),
		"the adapter changes experts (tensor blk.0.ffn_up_exps.weight": adapterFile(t, nil, map[string][]uint64{"blk.0.ffn_up_exps.weight" + loraA: {tiny.Width, 4, 5}, "blk.0.ffn_up_exps.weight" + loraB: {4, tiny.Width, 5}}),
		"changes blk.2.attn_q.weight":                                  adapterFile(t, nil, pair("blk.2.attn_q.weight", tiny.Width, 4, tiny.Width)),
		"changes token_embd.weight":                                    adapterFile(t, nil, pair("token_embd.weight", tiny.Width, 4, tiny.Vocabulary)),
		"changes blk.0.attn_norm.weight":                               adapterFile(t, nil, pair("blk.0.attn_norm.weight", tiny.Width, 4, 1)),
		q + ".lora_c ends in neither":                                  adapterFile(t, nil, map[string][]uint64{q + ".lora_c": {4, tiny.Width}}),
	} {
		_, err := p.NewAdapter(file)
		require.ErrorIs(t, err, ErrAdapter, says)
		assert.ErrorContains(t, err, says)
	}
}

// Adapters are read in each of the types that converters write.
func TestAdapterTypes(t *testing.T) {
	values := make([]float32, 64)
	for i := range values {
		values[i] = float32(i-32) / 4 // whole numbers of 1/4, of which a block of Q8_0 holds up to 127
	}
	values[0], values[32] = -31.75, 31.75
	for _, typ := range adapterTypes {
		data := make([]byte, typ.RowBytes(64))
		require.NoError(t, quant.Quantize(typ, values, data))
		got, err := floats(bytes.NewReader(data), &gguf.Tensor{Name: "a", Type: typ, Shape: []uint64{32, 2}, Bytes: int64(len(data))})
		require.NoError(t, err)
		assert.Equal(t, values, got, typ.String())
	}
	p, err := NewPlanWith(tiny.Model{}.File(t), PlanOptions{Rank: 32})
	require.NoError(t, err)
	const q = "blk.1.attn_q.weight"
	ad, err := p.NewAdapter(adapterOf(t, quant.Q8_0, nil, map[string][]uint64{q + loraA: {tiny.Width, 32}, q + loraB: {32, tiny.Width}}))
	require.NoError(t, err)
	assert.Equal(t, 32, ad.Rank)
}

// What is not finite in an adapter would reach requests of others, and is refused when it is read.
func TestAdapterIsFinite(t *testing.T) {
	nan, infinity := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		a, b, factor float32
		says         string
	}{
		{1, 2, 3, ""}, {nan, 1, 1, "tensor q.lora_a holds infinity or NaN"}, {-infinity, 1, 1, "tensor q.lora_a holds infinity or NaN"},
		{1, nan, 1, "tensor q.lora_b holds infinity or NaN"}, {1, infinity, 1, "tensor q.lora_b holds infinity or NaN"},
		{1, math.MaxFloat32, 2, "tensor q.lora_b holds infinity or NaN, or is too large times alpha"}, {1, 1, nan, "tensor q.lora_b holds"},
	} {
		pair := adapterPair{factor: c.factor, a: &gguf.Tensor{Name: "q" + loraA, Shape: []uint64{2, 1}, Bytes: 8},
			b: &gguf.Tensor{Name: "q" + loraB, Shape: []uint64{1, 2}, Bytes: 8, Offset: 8}}
		matrix := &gguf.Tensor{Name: "q", Shape: []uint64{2, 2}}
		downs, ups := make([]float32, 2), make([]float32, 2)
		err := pair.place(bytes.NewReader(littleEndian([]float32{0, c.a, 0, c.b})), &slot{block: block{"q", 2, []Part{{Tensor: matrix, Stride: 1}}}}, downs, 2, ups, 1)
		if c.says == "" {
			require.NoError(t, err)
			assert.Equal(t, [][]float32{{0, 1}, {0, 6}}, [][]float32{downs, ups})
			continue
		}
		require.ErrorIs(t, err, ErrAdapter)
		assert.ErrorContains(t, err, c.says)
	}
}
