// Package tiny makes GGUF models of a few kilobytes whose weights are computed from their tensors' names, so that a
// program in another language can make the same and say what their logits are.
package tiny

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/quant"
)

// Shape of the models: a byte-level vocabulary of 256 bytes, then BOS and EOS.
const (
	Width, Heads, KVHeads, HeadDim = 32, 4, 2, 8
	FFN, Vocabulary, Context       = 48, 258, 128
	BOS, EOS                       = 256, 257
)

// Model says how a file departs from the plain one.
type Model struct {
	Architecture string // "" is llama
	Layers       int    // 0: 2
	Meta         map[string]any
	Drop         []string         // keys and tensors
	Tensors      map[string][]int // further tensors, or others of the name, as rows and columns or a length
	NoTensors    bool             // metadata only
}

// Bytes writes the file.
func (m Model) Bytes(t testing.TB) []byte {
	t.Helper()
	if m.Architecture == "" {
		m.Architecture = "llama"
	}
	if m.Layers == 0 {
		m.Layers = 2
	}
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	set := func(key string, value any) {
		if !slices.Contains(m.Drop, key) {
			require.NoError(t, w.Metadata.Set(key, value))
		}
	}
	for _, pair := range m.pairs() {
		set(pair.key, pair.value)
	}
	for _, key := range slices.Sorted(maps.Keys(m.Meta)) {
		set(key, m.Meta[key])
	}
	tensors := m.tensors()
	for _, tensor := range tensors {
		shape := make([]uint64, 0, 2)
		for _, n := range slices.Backward(tensor.shape) {
			shape = append(shape, uint64(n))
		}
		require.NoError(t, w.Declare(tensor.name, quant.F32, shape...))
	}
	for _, tensor := range tensors {
		require.NoError(t, w.WriteTensor(bytes.NewReader(tensor.data())))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// File reads the header of what Bytes writes.
func (m Model) File(t testing.TB) *gguf.File {
	t.Helper()
	data := m.Bytes(t)
	f, err := gguf.Read(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	return f
}

type pair struct {
	key   string
	value any
}

// vocabulary gives the bytes as GPT-2 spells them, then BOS and EOS, and their types.
func vocabulary() (tokens []string, types []int32) {
	tokens, types = make([]string, Vocabulary), make([]int32, Vocabulary)
	next := 256
	for b := range 256 {
		r := rune(b)
		if b <= ' ' || b >= 0x7f && b <= 0xa0 || b == 0xad {
			r = rune(next)
			next++
		}
		tokens[b], types[b] = string(r), 1
	}
	tokens[BOS], tokens[EOS], types[BOS], types[EOS] = "<|begin|>", "<|end|>", 3, 3
	return tokens, types
}

func (m Model) pairs() []pair {
	tokens, types := vocabulary()
	a := m.Architecture + "."
	return []pair{
		{"general.architecture", m.Architecture}, {a + "context_length", uint32(Context)}, {a + "embedding_length", uint32(Width)},
		{a + "block_count", uint32(m.Layers)}, {a + "feed_forward_length", uint32(FFN)}, {a + "attention.head_count", uint32(Heads)},
		{a + "attention.head_count_kv", uint32(KVHeads)}, {a + "attention.key_length", uint32(HeadDim)},
		{a + "attention.value_length", uint32(HeadDim)}, {a + "rope.dimension_count", uint32(HeadDim)},
		{a + "attention.layer_norm_rms_epsilon", float32(1e-5)}, {"tokenizer.ggml.model", "gpt2"}, {"tokenizer.ggml.pre", "gpt-2"},
		{"tokenizer.ggml.tokens", tokens}, {"tokenizer.ggml.token_type", types}, {"tokenizer.ggml.merges", []string{}},
		{"tokenizer.ggml.bos_token_id", uint32(BOS)}, {"tokenizer.ggml.eos_token_id", uint32(EOS)}, {"tokenizer.ggml.add_bos_token", true},
	}
}

type tensor struct {
	name   string
	shape  []int // rows and columns, or a length
	center float64
	spread float64
}

func (m Model) tensors() []tensor {
	if m.NoTensors {
		return nil
	}
	even := func(variance float64) float64 { return math.Sqrt(3 * variance) }
	out := []tensor{{"token_embd.weight", []int{Vocabulary, Width}, 0, even(1)}, {"output_norm.weight", []int{Width}, 1, 0.5}}
	for l := range m.Layers {
		add := func(name string, center, spread float64, shape ...int) {
			out = append(out, tensor{fmt.Sprintf("blk.%d.%s.weight", l, name), shape, center, spread})
		}
		add("attn_norm", 1, 0.5, Width)
		add("attn_q", 0, even(4./Width), Heads*HeadDim, Width)
		add("attn_k", 0, even(4./Width), KVHeads*HeadDim, Width)
		add("attn_v", 0, even(1./Width), KVHeads*HeadDim, Width)
		add("attn_output", 0, even(1./(Heads*HeadDim)), Width, Heads*HeadDim)
		add("ffn_norm", 1, 0.5, Width)
		add("ffn_gate", 0, even(1./Width), FFN, Width)
		add("ffn_up", 0, even(1./Width), FFN, Width)
		add("ffn_down", 0, even(1./FFN), Width, FFN)
	}
	out = slices.DeleteFunc(out, func(t tensor) bool { return m.Tensors[t.name] != nil })
	for _, name := range slices.Sorted(maps.Keys(m.Tensors)) {
		out = append(out, tensor{name, m.Tensors[name], 0, even(1)})
	}
	return slices.DeleteFunc(out, func(t tensor) bool { return slices.Contains(m.Drop, t.name) })
}

// data gives center + spread·u, with u from -1 to 1 by a hash of name and place.
func (t tensor) data() []byte {
	n := 1
	for _, d := range t.shape {
		n *= d
	}
	h := fnv.New32a()
	h.Write([]byte(t.name))
	seed := h.Sum32()
	out := make([]byte, 0, 4*n)
	for i := range n {
		x := seed + uint32(i)*2654435761
		x ^= x >> 16
		x *= 0x7feb352d
		x ^= x >> 15
		x *= 0x846ca68b
		x ^= x >> 16
		u := float64(x>>8)/(1<<23) - 1
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(t.center+t.spread*u)))
	}
	return out
}
