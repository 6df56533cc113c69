package reference

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/testdata"
)

type tensors map[string][]float64

func readTensors(t *testing.T, name string) tensors {
	t.Helper()
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(testdata.Bytes(t, name), &all))
	out := tensors{}
	for key, raw := range all {
		var tensor struct{ Data string }
		if key == "config" || json.Unmarshal(raw, &tensor) != nil {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(tensor.Data)
		require.NoError(t, err)
		for i := 0; i+4 <= len(data); i += 4 {
			out[key] = append(out[key], float64(math.Float32frombits(binary.LittleEndian.Uint32(data[i:]))))
		}
	}
	return out
}

// heads reorders [heads][rows][dim] to [rows][heads][dim].
func heads(x []float64, heads, rows, dim int) []float64 {
	out := make([]float64, 0, len(x))
	for r := range rows {
		for h := range heads {
			out = append(out, x[(h*rows+r)*dim:][:dim]...)
		}
	}
	return out
}

// One forward pass of a trained GPT-nano: our operations on the tensors recorded in between.
func TestGPTNano(t *testing.T) {
	weights := readTensors(t, "golden/llm-viz/gpt-nano-sort-model.json")
	golden := readTensors(t, "golden/llm-viz/gpt-nano-sort-t0-partials.json")
	const batch, rows, headCount, dim, wide = 3, 11, 3, 16, 48
	const block = "transformer.h.0."
	near := func(name string, got []float64) {
		t.Helper()
		assert.Less(t, largestDifference(t, golden[name], got), 1e-5, name)
	}
	linear := func(weight string, x []float64, k int) []float64 {
		return Add(MatMul(weights[block+weight+".weight"], x, k), weights[block+weight+".bias"])
	}
	near("qkv", linear("attn.c_attn", golden["ln1"], wide))
	near("yProj", linear("attn.c_proj", golden["y"], wide))
	near("attnResid", Add(golden["x"], golden["yProj"]))
	near("fc", linear("mlp.c_fc", golden["ln2"], wide))
	near("mlp", linear("mlp.c_proj", golden["gelu"], 4*wide))
	near("mlpResid", Add(golden["attnResid"], golden["mlp"]))
	near("lm_head", MatMul(weights["lm_head.weight"], golden["ln_f"], wide))

	var probabilities []float64
	for i := range batch * rows {
		probabilities = append(probabilities, Softmax(golden["lm_head"][3*i:3*i+3])...)
	}
	near("probs", probabilities)

	var attention []float64
	for b := range batch {
		sequence := func(name string) []float64 {
			n := rows * wide
			return heads(golden[name][b*n:(b+1)*n], headCount, rows, dim)
		}
		out, lse := Attention(sequence("q"), sequence("k"), sequence("v"), AttentionParams{
			Heads: headCount, KVHeads: headCount, HeadDim: dim, Causal: true, Scale: 0.25})
		attention = append(attention, out...)
		for r := range rows {
			for h := range headCount {
				// A row's log-sum-exp turns its score with itself into its weight.
				at := ((b*headCount+h)*rows+r)*rows + r
				assert.InDelta(t, golden["attSm"][at], math.Exp(golden["att"][at]-lse[r*headCount+h]), 1e-6)
			}
		}
	}
	near("y", attention)
}
