package kernel

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

// The mask is that of the first choice which the lane's last token fits.
func TestPickMask(t *testing.T) {
	const vocab, outputs, sets = 300, 7, 5
	dev := newRig(t).dev
	k, err := NewSample(dev, SampleParams{Vocab: vocab, Stride: 320})
	require.NoError(t, err)
	require.NoError(t, k.Wait(context.Background()))
	bits := make([]uint32, sets*MaskWords(vocab))
	rnd := rand.New(rand.NewPCG(1, 2))
	in := func(set uint32, token uint32) bool {
		return bits[int(set)*MaskWords(vocab)+int(token/32)]>>(token%32)&1 != 0
	}
	for i := range bits {
		bits[i] = rnd.Uint32()
	}
	given := func(words []uint32) *gpu.Buffer {
		data := []byte{}
		for _, w := range words {
			data = binary.LittleEndian.AppendUint32(data, w)
		}
		b, err := dev.NewBuffer("b", uint64(len(data)), gpu.Storage)
		require.NoError(t, err)
		t.Cleanup(b.Release)
		require.NoError(t, b.Upload(0, data))
		return b
	}
	for range 20 {
		var s StepData
		var picks Choices
		picks.Reset(outputs)
		lanes, want := make([]uint32, outputs), make([]uint32, outputs)
		for i := range lanes {
			lanes[i] = rnd.Uint32N(vocab)
		}
		for o := range outputs {
			out := Output{Lane: uint32(outputs - 1 - o), Flags: OutputSample | OutputMask(9)}
			s.Outputs = append(s.Outputs, out)
			if want[o] = out.Flags; o == 0 {
				continue // it has no mask to pick
			}
			picks.Output(o)
			mask, token := -1, lanes[out.Lane]
			for i := range rnd.IntN(MostChoices + 1) {
				what, of := rnd.Uint32N(vocab), 100+uint32(i)
				switch set := rnd.Uint32N(sets); rnd.IntN(60) {
				case 0:
					what = InSet | set
				case 1:
					what = AnyToken
				}
				fits := what == AnyToken || what == token || what != AnyToken && what&InSet != 0 && in(what&^InSet, token)
				if picks.Add(o, what, of); fits && mask < 0 {
					mask = int(of)
				}
			}
			want[o] = OutputSample | OutputMask(max(mask, 0))
		}
		words := s.AppendWords(nil)
		step := given(words)
		bind, err := dev.Bind(k.pick, step.All(), given(picks).All(), given(bits).All(), given(lanes).All())
		require.NoError(t, err)
		var rec gpu.Recorder
		rec.Dispatch(k.pick, bind, 1, outputs, 1)
		require.NoError(t, dev.Submit(&rec))
		data := make([]byte, 4*len(words))
		require.NoError(t, step.Read(context.Background(), 0, data))
		got := make([]uint32, outputs)
		for o := range got {
			got[o] = binary.LittleEndian.Uint32(data[4*(int(words[wordAtOutputs])+outputWords*o+3):])
		}
		assert.Equal(t, want, got)
	}
}
