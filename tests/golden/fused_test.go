package golden

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gguf"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
	"quire/tests/testdata"
)

// Converters can lay matrices together, or apart: the same model has the same logits.
func TestFusedTensors(t *testing.T) {
	names := []string{"qwen3next", "gemma4-moe"}
	switch {
	case all():
		names = append(names, "gemma4", "qwen35", "qwen3moe", "lfm2moe")
	case !gputest.First:
		t.Skip("the first host's turn")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			f := loadFamily(t, name)
			p := &f.Prompts[slices.IndexFunc(f.Prompts, func(p familyPrompt) bool { return p.Name == "five" })]
			e, err := engine.Open(context.Background(), fuse(t, "families/"+f.Model).source(t), engine.Options{KVType: "f32", MaxSeqs: 1})
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, e.Close()) })
			worst, rows := 0.0, 0
			generate(t, e, engine.Request{Prompt: p.PromptIDs, MaxTokens: 1, IgnoreEnd: true, Logits: func(at int, logits []float32) {
				rows++
				for id, want := range f.want(p, at) {
					worst = max(worst, math.Abs(float64(logits[id])-float64(want)))
				}
			}})
			assert.Equal(t, p.Rows, rows)
			assert.LessOrEqual(t, worst, f.tolerance())
		})
	}
}

// fuse reads a file of F32 tensors. What its layers have apart is one: q, k and v, experts' gates and ups, and a gated delta net's
// projections as the first files of Qwen3-Next have them. Gates and ups in one are apart.
func fuse(t *testing.T, name string) *written {
	file, size := testdata.Open(t, name)
	defer file.Close()
	f, err := gguf.Read(file, size)
	require.NoError(t, err)
	out := &written{meta: map[string]any{}}
	for key, v := range f.Metadata.All() {
		out.meta[key] = v.Any()
	}
	taken, changed := map[string]bool{}, 0
	find := func(names ...string) (data [][]byte, shapes [][]uint64) {
		for _, name := range names {
			x, ok := f.Tensor(name)
			if !ok {
				return nil, nil
			}
			d := make([]byte, x.Bytes)
			_, err := file.ReadAt(d, x.Offset)
			require.NoError(t, err)
			data, shapes = append(data, d), append(shapes, x.Shape)
		}
		return data, shapes
	}
	put := func(name string, data []byte, shape ...uint64) {
		out.add(name, quant.F32, data, shape...)
		changed++
	}
	take := func(names ...string) {
		for _, name := range names {
			taken[name] = true
		}
	}
	number := func(key string) int {
		arch, _, _ := f.Metadata.String("general.architecture")
		n, _, err := f.Metadata.Int64(arch + "." + key)
		require.NoError(t, err)
		return int(n)
	}
	for i := range number("block_count") {
		at := func(names ...string) []string {
			for j := range names {
				names[j] = fmt.Sprintf("blk.%d.%s", i, names[j])
			}
			return names
		}
		for _, end := range []string{".weight", ".bias"} {
			names := at("attn_q"+end, "attn_k"+end, "attn_v"+end)
			if data, shapes := find(names...); data != nil {
				rows := uint64(0)
				for _, s := range shapes {
					rows += s[len(s)-1]
				}
				shape := append(slices.Clone(shapes[0][:len(shapes[0])-1]), rows)
				put(at("attn_qkv" + end)[0], slices.Concat(data...), shape...)
				take(names...)
			}
		}
		apart, one := at("ffn_gate_exps.weight", "ffn_up_exps.weight"), at("ffn_gate_up_exps.weight")
		if data, shapes := find(apart...); data != nil {
			s := shapes[0]
			put(one[0], inTurn(int(s[2]), data...), s[0], 2*s[1], s[2])
			take(apart...)
		} else if data, shapes := find(one...); data != nil {
			s := shapes[0]
			for half, name := range apart {
				var part []byte
				each := len(data[0]) / int(s[2])
				for e := range int(s[2]) {
					part = append(part, data[0][e*each+half*each/2:][:each/2]...)
				}
				put(name, part, s[0], s[1]/2, s[2])
			}
			take(one...)
		}
		recurrent := at("attn_qkv.weight", "attn_gate.weight", "ssm_ba.weight")
		if data, shapes := find(recurrent...); data != nil {
			heads, keys := number("ssm.group_count"), number("ssm.group_count")*number("ssm.state_size")
			row := 4 * int(shapes[0][0])
			q, k, v := data[0][:keys*row], data[0][keys*row:2*keys*row], data[0][2*keys*row:]
			put(at("ssm_in.weight")[0], inTurn(heads, q, k, v, data[1]), shapes[0][0], shapes[0][1]+shapes[1][1])
			take(recurrent[:2]...)
		}
	}
	require.NotZero(t, changed)
	for i := range f.Tensors {
		if x := &f.Tensors[i]; !taken[x.Name] {
			data, _ := find(x.Name)
			out.add(x.Name, x.Type, data[0], x.Shape...)
		}
	}
	return out
}

// inTurn takes of each its first n-th, then of each its second, and so on.
func inTurn(n int, all ...[]byte) []byte {
	var out []byte
	for i := range n {
		for _, data := range all {
			each := len(data) / n
			out = append(out, data[i*each:][:each]...)
		}
	}
	return out
}
