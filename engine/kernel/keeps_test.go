package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

// keepsRow is a row of so many tokens from slot 1 on, whose states stay behind tokens that are due, each in a slot of its own.
func keepsRow(count int) (s StepData) {
	s = StepData{Tokens: make([]uint32, count), Rows: []StepRow{{Count: uint32(count), From: 1, To: 1}}, Keeps: make([]uint32, count)}
	for i := range count - 1 {
		if i != 4 {
			s.Keeps[i] = uint32(2 + i)
		}
	}
	return s
}

// keepsTokens are those of a row whose states are kept.
const keepsTokens = 9

// keeps compares, in [from, to) of a slot's words and that there is no change in others, the states that a row leaves on its way with those that rows that end there leave, bit for bit.
func (r *rig) keeps(states []float32, words, from, to int, launch func(s StepData, state *gpu.Buffer)) {
	of := func(s StepData) []float32 {
		state := r.rows("state", states, len(states), len(states), 0)
		launch(s, state)
		return r.read(state)
	}
	got := of(keepsRow(keepsTokens))
	for i := range keepsTokens {
		s := keepsRow(i + 1)
		s.Keeps = nil
		slot := 2 + i
		if i == keepsTokens-1 {
			slot = 1
		}
		want := append([]float32(nil), states[slot*words:][:words]...)
		if i != 4 {
			copy(want[from:to], of(s)[words+from:])
		}
		require.Equal(r, want, got[slot*words:][:words], "behind token %d", i)
	}
	require.Equal(r, states[:words], got[:words])
}

func TestConvolutionKeepsStates(t *testing.T) {
	for _, taps := range []int{2, 4, 6} {
		r := newRig(t)
		p := ConvolutionParams{Channels: 70, Taps: taps, Activation: SiLU, XStride: 72, YStride: 70, StateAt: 4, Keeps: true}
		p.SlotWords = p.StateAt + p.StateWords()
		k, err := NewConvolution(r.dev, p)
		require.NoError(t, err)
		flat := func(label string, n int) gpu.View { return r.rows(label, r.floats(n, 1), n, n, 0).All() }
		x, weight, y := flat("x", keepsTokens*p.XStride), flat("weight", p.Channels*taps), r.buffer("y", make([]byte, 4*keepsTokens*p.YStride))
		r.keeps(r.floats((2+keepsTokens)*p.SlotWords, 1), p.SlotWords, p.StateAt, p.SlotWords, func(s StepData, state *gpu.Buffer) {
			b, err := k.Bind(r.step(s), x, weight, weight, state.All(), y.All())
			require.NoError(t, err)
			r.submit(func(rec *gpu.Recorder) { k.Record(rec, b, len(s.Tokens)) })
		})
	}
}

func TestRecurrenceKeepsStates(t *testing.T) {
	for _, delta := range []bool{true, false} {
		for _, variant := range []string{"baseline", "subgroup"} {
			r := newRig(t)
			if variant == "subgroup" && subgroupSize(r.dev.Info()) == 0 {
				continue
			}
			run := r.recurrenceData(recurrenceCase{delta: delta, heads: 4, keyHeads: 2, key: 40, value: 12, counts: []int{keepsTokens, 1, 1, 1, 1, 1}})
			run.params.Variant, run.params.Keeps, run.params.Chunked = variant, true, true
			y := r.buffer("y", make([]byte, 4*keepsTokens*run.params.YStride))
			p := run.params
			r.keeps(run.states, p.SlotWords, p.StateAt, p.StateAt+p.StateWords(), func(s StepData, state *gpu.Buffer) { r.launch(run, s, state, y) })
		}
	}
}
