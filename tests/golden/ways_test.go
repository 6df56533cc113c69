package golden

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu/gputest"
)

// Golden texts come whatever way a request takes: several prompts in one batch, each with an answer that forks from it, cut into
// chunks of 7, with too little memory for all of them, which go on by recompute or from host memory; and from a saved session.
func TestFamiliesInAllWays(t *testing.T) {
	names := []string{"phi3", "gemma2", "gemma4"}
	switch {
	case all():
		names = append(names, "granite", "gpt2", "mistral", "olmo2", "stablelm", "llama-yarn", "gptoss-f32")
	case !gputest.First:
		t.Skip("the first host's turn")
	}
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			f := loadFamily(t, name)
			long := f.Prompts[len(f.Prompts)-1]
			o := engine.Options{KVType: "f32", TokenBudget: 7, Context: len(long.PromptIDs) + 25, MaxSeqs: 8, Preemption: []string{"swap", "recompute"}[i%2]}
			check := func(p *familyPrompt, from int, got []int32) {
				require.Len(t, got, len(p.GreedyIDs)-from)
				for i, position := range p.Positions[from:] {
					if position.Gap <= 4e-3 { // either of the two best may come, and another text from there
						break
					}
					require.Equal(t, position.ID, got[i], "prompt %s, token %d", p.Name, from+i)
				}
			}
			two := o
			two.MaxSeqs = 2
			alone := openFile(t, "families/"+f.Model, two)
			said := append(append([]int32{}, long.PromptIDs...), generate(t, alone, engine.Request{Prompt: long.PromptIDs, MaxTokens: 12, IgnoreEnd: true}).IDs...)
			var saved bytes.Buffer
			require.NoError(t, alone.NewSession(said...).Save(&saved))

			o.KVMemory = alone.Info().KVBytes
			e := openFile(t, "families/"+f.Model, o)
			var requests []engine.Request
			prompts := append(f.Prompts[:len(f.Prompts):len(f.Prompts)], f.Prompts...)
			for i, p := range prompts {
				requests = append(requests, engine.Request{Prompt: p.PromptIDs, MaxTokens: len(p.GreedyIDs), IgnoreEnd: true, N: 2, Salt: fmt.Sprint(i)})
			}
			for i, s := range submitAll(t, e, requests) {
				r := s.Result()
				require.NoError(t, r.Err)
				require.Len(t, r.Choices, 2)
				for _, c := range r.Choices {
					check(&prompts[i], 0, c.IDs)
				}
			}
			assert.NotZero(t, e.Stats().Preemptions)

			_, err := e.Restore(bytes.NewReader(saved.Bytes()))
			require.NoError(t, err)
			check(&long, 12, generate(t, e, engine.Request{Prompt: said, MaxTokens: len(long.GreedyIDs) - 12, IgnoreEnd: true}).IDs)
		})
	}
}
