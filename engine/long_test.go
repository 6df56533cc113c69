package engine

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/reference"
	"quire/engine/sample"
)

// A prompt of more tokens than Mesa's lavapipe lets an invocation's loops turn gives the reference's logits, prefilled in
// chunks and decoded, in either mode. attention's TestManyKeys is its short form.
func TestLongPrompt(t *testing.T) {
	tokens := 70000
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("attention of 70,000 tokens takes minutes on a software GPU: set QUIRE_ALL=1")
	}
	m := randomModel{arch: "llama", headDim: 8, rotary: 8, kvHeads: 1, ffn: 32, layers: 1, metadata: map[string]any{"context_length": uint32(tokens + 8)}}
	file := m.file(t)
	prompt := make([]int32, tokens)
	for i := range prompt {
		prompt[i] = int32(3 + (i*i*5+i)%(randomVocabulary-3))
	}
	header, err := gguf.Read(file, file.Size())
	require.NoError(t, err)
	truth, err := reference.Load(header, file)
	require.NoError(t, err)
	for _, deterministic := range []bool{false, true} {
		e, err := Open(context.Background(), gpu.ReaderSource(file, file.Size()), Options{
			GPU: gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}, KVType: "f32", MaxSeqs: 2, Deterministic: deterministic})
		require.NoError(t, err)
		r := submit(t, e, Request{Prompt: prompt, MaxTokens: 2, IgnoreEnd: true, Sample: sample.Params{Logprobs: 20}}).Result()
		require.NoError(t, r.Err)
		state := truth.NewState()
		want, err := state.ForwardLast(prompt, 1)
		require.NoError(t, err)
		next, err := state.Forward(r.IDs[:1])
		require.NoError(t, err)
		want = append(want, next...)
		require.NoError(t, e.Close())
		require.Len(t, r.Tokens, 2)
		for i, token := range r.Tokens {
			require.Len(t, token.Top, 20)
			for _, c := range token.Top {
				assert.InDelta(t, want[i][c.ID], c.Logit, 2e-4, "token %d", i)
			}
		}
	}
}
