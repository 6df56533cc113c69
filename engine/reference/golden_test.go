package reference

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/tests/testdata"
)

func loadModel(t *testing.T, name string) *Model {
	t.Helper()
	src, size := testdata.Open(t, name)
	defer src.Close()
	f, err := gguf.Read(src, size)
	require.NoError(t, err)
	m, err := Load(f, src)
	require.NoError(t, err)
	return m
}

func readFloats(t *testing.T, name string) []float64 {
	t.Helper()
	data := testdata.Bytes(t, name)
	out := make([]float64, len(data)/4)
	for i := range out {
		out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
	}
	return out
}

func largestDifference(t *testing.T, want, got []float64) float64 {
	t.Helper()
	require.Len(t, got, len(want))
	worst := 0.0
	for i := range want {
		d := math.Abs(want[i] - got[i])
		require.False(t, math.IsNaN(d))
		worst = max(worst, d)
	}
	return worst
}

func best(logits []float64) int32 {
	at := 0
	for i, f := range logits {
		if f > logits[at] {
			at = i
		}
	}
	return int32(at)
}

func TestStories260K(t *testing.T) {
	m := loadModel(t, "models/stories260K.gguf")
	assert.Equal(t, 10000.0, m.Rope.Base)
	for _, name := range []string{"empty_prompt", "robot_prompt"} {
		t.Run(name, func(t *testing.T) {
			var golden struct {
				Prompt []int32 `json:"prompt_tokens"`
				Tokens []int32
			}
			require.NoError(t, json.Unmarshal(testdata.Bytes(t, "golden/stories260K/"+name+".json"), &golden))
			n := len(golden.Tokens)
			input := append([]int32{1}, golden.Tokens[:n-1]...)
			state := m.NewState()
			residuals := make([]float64, n*len(m.Layers)*m.Width)
			state.Residuals = func(layer int, rows []float64) {
				for p := range n {
					copy(residuals[(p*len(m.Layers)+layer)*m.Width:], rows[p*m.Width:][:m.Width])
				}
			}
			logits, err := state.Forward(input)
			require.NoError(t, err)
			want := readFloats(t, "golden/stories260K/"+name+".logits.f32")
			for p, row := range logits {
				assert.Less(t, largestDifference(t, want[p*512:][:512], row), 1e-4, "position %d", p)
				if p >= len(golden.Prompt)-1 {
					assert.Equal(t, golden.Tokens[p], best(row), "position %d", p)
				}
			}
			if name == "robot_prompt" {
				want := readFloats(t, "golden/stories260K/robot_prompt.residuals.f32")
				assert.Less(t, largestDifference(t, want, residuals), 1e-4)
			}
		})
	}
}

// checkGolden feeds prompt and golden tokens at once and compares each position's logits.
func checkGolden(t *testing.T, m *Model, name string) {
	var golden struct {
		Prompt    []int32 `json:"prompt_ids"`
		Greedy    []int32 `json:"greedy_ids"`
		Positions []struct {
			ID  int32
			Gap float64
			Top [][2]float64
		}
	}
	require.NoError(t, json.Unmarshal(testdata.Bytes(t, "golden/"+name+".json"), &golden))
	require.Len(t, golden.Positions, len(golden.Greedy))
	input := append(golden.Prompt, golden.Greedy[:len(golden.Greedy)-1]...)
	logits, err := m.NewState().ForwardLast(input, len(golden.Greedy))
	require.NoError(t, err)
	full := readFloats(t, "golden/"+name+".logits.f32")
	assert.Less(t, largestDifference(t, full, logits[0]), 1e-4, "last position of the prompt")
	for i, position := range golden.Positions {
		assert.Equal(t, golden.Greedy[i], position.ID)
		assert.Equal(t, position.ID, best(logits[i]), "token %d", i)
		for _, top := range position.Top {
			assert.InDelta(t, top[1], logits[i][int(top[0])], 1e-4, "token %d, logit of %v", i, top[0])
		}
		first, second := logits[i][int(position.Top[0][0])], logits[i][int(position.Top[1][0])]
		assert.InDelta(t, position.Gap, first-second, 1e-4, "token %d", i)
	}
}

func TestQuireTales(t *testing.T) {
	m := loadModel(t, "models/quire-tales.gguf")
	for _, name := range []string{"once", "kite", "turns", "strange"} {
		t.Run(name, func(t *testing.T) { checkGolden(t, m, "quire-tales/"+name) })
	}
}

func TestSmolLM2(t *testing.T) {
	names := []string{"plain"}
	if os.Getenv("QUIRE_ALL") != "" {
		names = append(names, "odd", "turns", "gravity", "long")
	}
	m := loadModel(t, "models/SmolLM2-135M-Instruct.Q4_1.gguf")
	for _, name := range names {
		t.Run(name, func(t *testing.T) { checkGolden(t, m, "smollm2-135m/"+name) })
	}
}

func TestForwardInPieces(t *testing.T) {
	m := loadModel(t, "models/tiny-tales.gguf")
	tokens := []int32{84, 104, 101, 32, 102, 111, 120, 256, 10, 32}
	whole := m.NewState()
	want, err := whole.Forward(tokens)
	require.NoError(t, err)
	state := m.NewState()
	var got [][]float64
	for _, piece := range [][]int32{tokens[:1], tokens[1:4], {}, tokens[4:5], tokens[5:]} {
		rows, err := state.Forward(piece)
		require.NoError(t, err)
		got = append(got, rows...)
	}
	assert.Equal(t, want, got)
	assert.Equal(t, whole.Keys, state.Keys)
	assert.Equal(t, whole.Values, state.Values)
	assert.Equal(t, len(tokens), state.Len())
	last, err := m.NewState().ForwardLast(tokens, 2)
	require.NoError(t, err)
	assert.Equal(t, want[8:], last)
}

func TestForwardRefusesTokens(t *testing.T) {
	m := loadModel(t, "models/tiny-tales.gguf")
	state := m.NewState()
	for _, token := range []int32{-1, 257} {
		_, err := state.Forward([]int32{1, token})
		assert.ErrorContains(t, err, "outside the vocabulary")
		assert.Zero(t, state.Len())
		assert.Empty(t, state.Keys[0])
	}
}
