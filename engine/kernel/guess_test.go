package kernel

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

// Behind a token comes what was drawn there, the next of its row, or what the host knows.
func TestNextTokens(t *testing.T) {
	r := newRig(t)
	const tokens = 150
	s := StepData{Next: []uint32{1000, 0xFFFFFFFF, 1002}, Rows: []StepRow{{First: 0, Count: 100}, {First: 100, Count: 3}, {First: 103, Count: 47}}}
	var want []uint32
	for i := range tokens {
		s.Tokens = append(s.Tokens, uint32(i))
		want = append(want, uint32(i+1))
	}
	want[99], want[149] = 1000, 1002
	results := make([]byte, 4*ResultWords*5)
	for o, token := range []int{40, 100, 101, 102, 120} {
		out := Output{Token: uint32(token), Flags: OutputSample}
		if token == 40 {
			out.Flags = 0 // its logits are read back, and nothing is drawn
		} else {
			want[token] = uint32(500 + o)
		}
		s.Outputs = append(s.Outputs, out)
		binary.LittleEndian.PutUint32(results[4*ResultWords*o:], uint32(500+o))
	}
	k, err := NewNextTokens(r.dev)
	require.NoError(t, err)
	next := r.buffer("next", make([]byte, 4*NextTokensWords(tokens)))
	b, err := k.Bind(r.step(s), r.buffer("results", results).All(), next.All())
	require.NoError(t, err)
	r.submit(func(rec *gpu.Recorder) { k.Record(rec, b, tokens) })
	got := r.words(next)
	assert.EqualValues(t, tokens, got[WordTokens])
	assert.Equal(t, want, got[got[wordAtTokens]:])
}

// The guess is the most likely token, and the first where several are.
func TestGuess(t *testing.T) {
	for _, vocabulary := range []int{1, 3, 70, 256, 257, 5000} {
		r := newRig(t)
		const outputs = 6
		k, err := NewGuess(r.dev, vocabulary)
		require.NoError(t, err)
		stride := RowStride(vocabulary)
		logits := r.floats(outputs*stride, 3)
		var want []uint32
		for o := range outputs {
			row := logits[o*stride:]
			for i := vocabulary; i < stride; i++ {
				row[i] = 100 // no token
			}
			switch o {
			case 0:
				row[vocabulary-1] = 50
			case 1:
				row[vocabulary/2], row[vocabulary-1] = 50, 50
			case 2:
				for i := range vocabulary {
					row[i] = -3e38
				}
			}
			best := 0
			for i := range vocabulary {
				if row[i] > row[best] {
					best = i
				}
			}
			want = append(want, uint32(best))
		}
		guesses := r.buffer("guesses", make([]byte, 4*outputs))
		b, err := k.Bind(r.step(StepData{Outputs: make([]Output, outputs)}), r.rows("logits", logits, len(logits), len(logits), 0).All(), guesses.All())
		require.NoError(t, err)
		r.submit(func(rec *gpu.Recorder) { k.Record(rec, b, outputs) })
		assert.Equal(t, want, r.words(guesses), "vocabulary of %d", vocabulary)
	}
}
