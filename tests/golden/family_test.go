package golden

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine"
	"quire/engine/gpu/gputest"
)

// Golden files of tiny models, by what runs them; QUIRE_ALL runs all of them on every host.
var (
	everywhere = []string{"llama-llama3", "quant-q4_k_m", "gemma3", "lfm2"}
	native     = []string{ // not the tab: between them attention, experts, and states of each kind
		"qwen2", "qwen35", "granitehybrid", "quant-q5_0", "qwen3moe", "gptoss-mxfp4",
	}
	oneBinding = []string{ // the default native one
		"qwen3", "llama-linear", "gemma2", "gemma4", "qwen35-mtp", "qwen3next",
		"quant-q8_0", "quant-q6_k",
		"mixtral", "qwen2moe", "gptoss-f32", "lfm2moe", "quantmoe-q4_k_m",
		"granite", "gpt2", "phi3", "mistral3", "llama-yarn-beta", "olmo2", "falcon", "stablelm",
		"granitehybrid-moe",
	}
	onlyAll = []string{
		"smollm3", "llama-yarn", "mistral", "starcoder2",
		"gemma4-keqv", "gemma4-moe", "quant-q4_0", "quant-q4_1",

		"quant-q3_k_l", "quant-iq4_nl", "quant-nvfp4", "quant-iq3_xxs", "quant-iq2_s", "quant-iq2_xxs", "quant-iq1_s", "quant-tq1_0",
		"quantmoe-iq3_xxs",
	}
)

// families are those that this run is asked for.
func families() []string {
	switch {
	case all():
		return slices.Concat(everywhere, native, oneBinding, onlyAll)
	case runtime.GOOS == "js":
		return everywhere
	case gputest.First:
		return slices.Concat(everywhere, native, oneBinding)
	}
	return slices.Concat(everywhere, native)
}

// Every logit of a prompt, the text after it, and the best logits before each of its tokens are the golden ones.
func TestFamilies(t *testing.T) {
	for _, name := range families() {
		t.Run(name, func(t *testing.T) {
			f := loadFamily(t, name)
			e := openFile(t, "families/"+f.Model, engine.Options{KVType: "f32", MaxSeqs: 4})
			worst := 0.0
			for _, p := range f.Prompts {
				compare := func(at int, id int, logit float32, want float64) {
					d := math.Abs(float64(logit) - want)
					worst = max(worst, d)
					assert.LessOrEqual(t, d, f.tolerance(), "prompt %s, position %d, token %d", p.Name, at, id)
				}
				fed := append(append([]int32{}, p.PromptIDs...), p.GreedyIDs[:len(p.GreedyIDs)-1]...)
				rows := 0
				generate(t, e, engine.Request{Prompt: fed, MaxTokens: 1, IgnoreEnd: true, Logits: func(at int, logits []float32) {
					rows++
					if at < p.Rows {
						for id, want := range f.want(&p, at) {
							compare(at, id, logits[id], float64(want))
						}
					}
					if after := at - len(p.PromptIDs) + 1; after >= 0 {
						for _, top := range p.Positions[after].Top {
							compare(at, int(top[0]), logits[int(top[0])], top[1])
						}
					}
				}})
				assert.Equal(t, len(fed), rows)
				got := generate(t, e, engine.Request{Prompt: p.PromptIDs, MaxTokens: len(p.GreedyIDs), IgnoreEnd: true, Salt: "computed anew"}).IDs
				for i, position := range p.Positions {
					if position.Gap <= 4e-3 { // either of the two best may come, and another text from there
						break
					}
					assert.Equal(t, position.ID, got[i], "prompt %s, token %d", p.Name, i)
				}
			}
			t.Logf("largest difference of a logit %.2g, tolerance %.2g", worst, f.tolerance())
		})
	}
}
