package golden

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu"
	"quire/tests/testdata"
)

// adapted are golden files of qwen3 without an adapter, and with some.
var adapted = []string{"qwen3", "qwen3-lora1", "qwen3-lora2", "qwen3-lora1-half", "qwen3-lora1-lora2"}

// openAdapted opens qwen3 with its adapters.
func openAdapted(t *testing.T, o engine.Options) (e *engine.Engine, adapters map[string]uint64) {
	o.LoRARank = 12
	e = openFile(t, "families/qwen3.gguf", o)
	adapters = map[string]uint64{}
	for _, name := range []string{"qwen3-lora1.gguf", "qwen3-lora2.gguf"} {
		f, size := testdata.Open(t, "families/"+name)
		number, err := e.AddLoRA(gpu.ReaderSource(f, size))
		require.NoError(t, err)
		adapters[name] = number
	}
	return e, adapters
}

// Requests with adapters, and without any, give in one batch what models give into which the adapters are merged: logits at every
// position, and the text.
func TestLoRA(t *testing.T) {
	covered := 1
	if all() {
		covered = 2
	}
	for _, deterministic := range []bool{false, true}[:covered] {
		e, adapters := openAdapted(t, engine.Options{KVType: "f32", MaxSeqs: 24, Deterministic: deterministic})
		type run struct {
			f      *family
			p      *familyPrompt
			text   bool
			stream *engine.Stream
		}
		var runs []*run
		worst := 0.0
		for _, name := range adapted {
			f := loadFamily(t, name)
			var lora []engine.LoRA
			for _, a := range f.Adapters {
				lora = append(lora, engine.LoRA{Adapter: adapters[a.File], Scale: a.Scale})
			}
			for i := range f.Prompts {
				p := &f.Prompts[i]
				compare := func(at, id int, logit float32, want float64) {
					d := math.Abs(float64(logit) - want)
					worst = max(worst, d)
					assert.LessOrEqual(t, d, f.tolerance(), "%s, prompt %s, position %d, token %d", name, p.Name, at, id)
				}
				fed := append(append([]int32{}, p.PromptIDs...), p.GreedyIDs[:len(p.GreedyIDs)-1]...)
				logits := engine.Request{Prompt: fed, MaxTokens: 1, IgnoreEnd: true, LoRA: lora, Logits: func(at int, logits []float32) {
					if at < p.Rows {
						for id, want := range f.want(p, at) {
							compare(at, id, logits[id], float64(want))
						}
					}
					if after := at - len(p.PromptIDs) + 1; after >= 0 {
						for _, top := range p.Positions[after].Top {
							compare(at, int(top[0]), logits[int(top[0])], top[1])
						}
					}
				}}
				text := engine.Request{Prompt: p.PromptIDs, MaxTokens: len(p.GreedyIDs), IgnoreEnd: true, LoRA: lora}
				for i, r := range []engine.Request{logits, text} {
					s, err := e.Submit(t.Context(), r)
					require.NoError(t, err)
					runs = append(runs, &run{f, p, i == 1, s})
				}
			}
		}
		for _, r := range runs {
			result := r.stream.Result()
			require.NoError(t, result.Err)
			for i, position := range r.p.Positions {
				if !r.text || position.Gap <= 4e-3 { // either of the two best may come, and another text from there
					break
				}
				assert.Equal(t, position.ID, result.IDs[i], "%s, token %d", r.p.Name, i)
			}
		}
		t.Logf("largest difference of a logit %.2g", worst)
	}
}
