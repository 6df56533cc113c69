package golden

import (
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/quant"
	"quire/engine/reference"
	"quire/engine/reference/referencetest"
)

// rounding is what a cache of each packed type makes of a row.
var rounding = map[string]func(row []float64){
	"bf16": func(row []float64) {
		for i, x := range row {
			row[i] = float64(quant.BF16ToF32(quant.F32ToBF16(float32(x))))
		}
	},
	"q8": reference.StoreQ8,
}

// rounded gives the logits at each token in exact arithmetic, but for K and V, which are rounded as the cache does.
func rounded(t *testing.T, m *reference.Model, kv string, tokens []int32) [][]float32 {
	t.Helper()
	s := m.NewState()
	s.Store = rounding[kv]
	rows, err := s.Forward(tokens)
	require.NoError(t, err)
	out := make([][]float32, len(rows))
	for i, row := range rows {
		for _, x := range row {
			out[i] = append(out[i], float32(x))
		}
	}
	return out
}

// The tolerance with a packed cache is twice what rounding K and V to it does to the golden logits in exact arithmetic.
func TestGoldenTokensPackedCache(t *testing.T) {
	for _, m := range prompts {
		if m.model != "quire-tales" && (!all() || runtime.GOOS == "js") { // the reference needs minutes, and more memory than a tab has
			continue
		}
		ref := referencetest.Load(t, m.file)
		for _, kv := range []string{"q8", "bf16"} {
			t.Run(m.model+" "+kv, func(t *testing.T) {
				e := open(t, m.file, engine.Options{KVType: kv, Context: 1024, TokenBudget: 64})
				names := m.names
				if !all() {
					names = names[:1]
				}
				for _, name := range names {
					t.Run(name, func(t *testing.T) {
						p := covering(m.model, load(t, m.model, name))
						tolerance := 0.0
						for at, logits := range rounded(t, ref, kv, fed(p)) {
							tolerance = max(tolerance, 2*difference(p, at, logits))
						}
						t.Logf("tolerance %.2g", tolerance)
						follow(t, e, p, tolerance)
					})
				}
			})
		}
	}
}

func TestStories260KQ8Cache(t *testing.T) {
	ref := referencetest.Load(t, "stories260K")
	e := open(t, "stories260K", engine.Options{KVType: "q8", Context: 512})
	s := loadStory(t, "robot_prompt")
	tokens := append([]int32{s.PromptTokens[0]}, s.Tokens[:len(s.Tokens)-1]...)
	exact := rounded(t, ref, "q8", tokens)
	differs := func(p int, logits []float32) float64 {
		worst := 0.0
		for i, want := range s.logits[p*len(logits):][:len(logits)] {
			worst = max(worst, math.Abs(float64(logits[i])-float64(want)))
		}
		return worst
	}
	tolerance, worst, compared := 0.0, 0.0, 0
	for p := range exact {
		tolerance = max(tolerance, 2*differs(p, exact[p]))
	}
	generate(t, e, engine.Request{Prompt: tokens, MaxTokens: 1, IgnoreEnd: true, Logits: func(p int, logits []float32) {
		worst = max(worst, differs(p, logits))
		best, second := 0, 1
		want := s.logits[p*len(logits):][:len(logits)]
		for i, x := range want {
			switch {
			case x > want[best]:
				best, second = i, best
			case i != best && x > want[second]:
				second = i
			}
		}
		if float64(want[best]-want[second]) > 2*tolerance {
			for i, x := range logits {
				assert.True(t, i == best || x < logits[best], "token %d at position %d, want %d", i, p, best)
			}
			compared++
		}
	}})
	assert.LessOrEqual(t, worst, tolerance)
	assert.Positive(t, compared)
	t.Logf("%d of %d best tokens compared; largest difference of a logit: %.2g, tolerance %.2g", compared, len(tokens), worst, tolerance)
}
