package runner

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/kernel"
	"quire/engine/step"
)

// put writes an output's result as the sampler does: its token, no log-probabilities.
func put(f *flight, i int, token uint32) {
	for len(f.bytes) < (i+1)*resultBytes {
		f.bytes = append(f.bytes, 0)
	}
	binary.LittleEndian.PutUint32(f.bytes[i*resultBytes:], token)
}

func TestReadResults(t *testing.T) {
	notNumbers := kernel.NotNumbers
	f := &flight{number: 3, outputs: []flightOutput{{sequence: 1, sample: true}, {sequence: 2}, {sequence: 3, sample: true}, {sequence: 4}}}
	put(f, 0, 17)
	put(f, 1, 99) // nobody asked for its token
	put(f, 2, uint32(notNumbers))
	put(f, 3, uint32(notNumbers))
	var l step.Result
	require.NoError(t, f.read(&l, 100))
	assert.Equal(t, []int32{17, 0}, l.Tokens)
	assert.Len(t, l.Drawn, 2)
	assert.Equal(t, []uint64{3, 4}, l.Broken, "drawn from or not")

	put(f, 0, 100)
	assert.EqualError(t, f.read(&step.Result{}, 100), "runner: step 3 drew token 100 of a vocabulary of 100")
	put(f, 0, math.MaxUint32)
	assert.Error(t, f.read(&step.Result{}, 100))
}

// Rows of logits are Stride apart, and only those asked for are given.
func TestReadRows(t *testing.T) {
	const vocabulary = 5
	f := &flight{outputs: []flightOutput{{sequence: 1, position: 7, logits: true}, {sequence: 2}, {sequence: 3, position: 9, logits: true}}}
	var rows []byte
	for i := range 3 * kernel.RowStride(vocabulary) {
		rows = binary.LittleEndian.AppendUint32(rows, math.Float32bits(float32(i)))
	}
	var l step.Result
	f.readRows(&l, rows, vocabulary)
	assert.Equal(t, []step.Logits{
		{Sequence: 1, Position: 7, Values: []float32{0, 1, 2, 3, 4}}, {Sequence: 3, Position: 9, Values: []float32{64, 65, 66, 67, 68}},
	}, l.Logits)
}
