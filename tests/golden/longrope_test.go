package golden

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu/gputest"
)

// Prompts on both sides of LongRoPE's border run in one batch, each by its own table, and neither takes the other's blocks, nor
// does a saved session's next turn.
func TestLongRope(t *testing.T) {
	if !gputest.First && !all() {
		t.Skip("the first host's turn")
	}
	f := loadFamily(t, "phi3")
	e := openFile(t, "families/"+f.Model, engine.Options{KVType: "f32", Context: 320, MaxSeqs: 4})
	check := func(p familyPrompt, got []int32) {
		for i, position := range p.Positions {
			if position.Gap <= 4e-3 {
				break
			}
			require.Equal(t, position.ID, got[i], "prompt %s, token %d", p.Name, i)
		}
	}
	var over familyPrompt
	var streams []*engine.Stream
	for _, p := range f.Prompts {
		s, err := e.Submit(context.Background(), engine.Request{Prompt: p.PromptIDs, MaxTokens: len(p.GreedyIDs), IgnoreEnd: true})
		require.NoError(t, err)
		streams = append(streams, s)
		if p.Name == "over" {
			over = p
		}
	}
	for i, s := range streams {
		r := s.Result()
		require.NoError(t, r.Err)
		check(f.Prompts[i], r.IDs)
	}
	require.Greater(t, len(over.PromptIDs), 256, "past the border")
	again := generate(t, e, engine.Request{Prompt: over.PromptIDs, MaxTokens: len(over.GreedyIDs), IgnoreEnd: true})
	assert.NotZero(t, again.Figures.CachedTokens)
	check(over, again.IDs)
	short := generate(t, e, engine.Request{Prompt: over.PromptIDs[:200], MaxTokens: 1, IgnoreEnd: true})
	assert.Zero(t, short.Figures.CachedTokens, "blocks of the long table")

	said := e.NewSession(over.PromptIDs...)
	var saved bytes.Buffer
	require.NoError(t, said.Save(&saved))
	other := openFile(t, "families/"+f.Model, engine.Options{KVType: "f32", Context: 320, MaxSeqs: 4})
	_, err := other.Restore(bytes.NewReader(saved.Bytes()))
	require.NoError(t, err)
	check(over, generate(t, other, engine.Request{Prompt: over.PromptIDs, MaxTokens: len(over.GreedyIDs), IgnoreEnd: true}).IDs)
}
