package train

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/reference"
	"quire/engine/tokenizer"
)

// TestFile writes a model after a step and reads it back with the reference, whose forward pass gives the loss of the next
// step; so names, shapes and RoPE's pairing are the file format's.
func TestFile(t *testing.T) {
	for name, tied := range map[string]bool{"tied": true, "untied": false} {
		t.Run(name, func(t *testing.T) {
			c := tiny()
			c.Vocabulary, c.Tied = ByteVocabulary, tied
			m := newModel(t, c)
			text := []byte("ä byte is a byte, \x00 or \xff as well. A byte is a byte.")
			tokens := Tokens(text)
			require.Len(t, tokens, len(text)+1)
			b := (&Windows{Text: tokens, Length: c.Length, Random: rand.New(rand.NewPCG(3, 3))}).Batch(1)
			trainer := newTrainer(t, m, Options{Batch: 1, Optimizer: DefaultOptimizer(1e-2, 10)})
			_, err := trainer.Step(context.Background(), b)
			require.NoError(t, err)
			var out bytes.Buffer
			require.NoError(t, m.WriteGGUF(context.Background(), &out, "tiny"))
			next, err := trainer.Step(context.Background(), b)
			require.NoError(t, err)

			data := bytes.NewReader(out.Bytes())
			f, err := gguf.Read(data, data.Size())
			require.NoError(t, err)
			read, err := reference.Load(f, data)
			require.NoError(t, err)
			logits, err := read.NewState().Forward(b.Tokens)
			require.NoError(t, err)
			var flat []float64
			for _, row := range logits {
				flat = append(flat, row...)
			}
			loss, _ := reference.CrossEntropy(flat, b.Targets)
			assert.InDelta(t, loss, next.Loss, 1e-5)

			tok, err := tokenizer.New(f)
			require.NoError(t, err)
			assert.Equal(t, tokens[1:], tok.EncodePrompt(string(text), tokenizer.EncodeOptions{}))
			assert.Equal(t, text, tok.Decode(tokens, tokenizer.DecodeOptions{}))
			end, ok := tok.EOS()
			assert.True(t, ok)
			assert.Equal(t, tokens[0], end)
		})
	}
	assert.ErrorContains(t, newModel(t, tiny()).WriteGGUF(context.Background(), &bytes.Buffer{}, "x"), "this one has 95")
}
