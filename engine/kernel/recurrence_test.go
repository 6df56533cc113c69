package kernel

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/reference"
)

// stateRows are a step's rows with state slots: one alone, one that forks, one from nothing.
func stateRows(counts []int) (s StepData, slots int) {
	for i, n := range counts {
		row := StepRow{First: uint32(len(s.Tokens)), Count: uint32(n), From: uint32(2*i + 1), To: uint32(2*i + 1)}
		switch i % 3 {
		case 1:
			row.To++
		case 2:
			row.From = 0
		}
		s.Rows = append(s.Rows, row)
		s.Tokens = append(s.Tokens, make([]uint32, n)...)
	}
	return s, 2*len(counts) + 1
}

// strided gives the first width elements of each row of a stride.
func strided[T any](x []T, at, width, stride int) []T {
	var out []T
	for ; at+width <= len(x); at += stride {
		out = append(out, x[at:at+width]...)
	}
	return out
}

func TestConvolution(t *testing.T) {
	for i, c := range []struct {
		channels, taps int
		bias           bool
		activation     Activation
		counts         []int
	}{
		{5, 4, false, SiLU, []int{7, 1, 2, 3, 1, 40}},
		{96, 4, true, SiLU, []int{1, 1, 1}},
		{67, 3, true, "", []int{2, 5, 1, 1}},
		{3, 1, false, "", []int{3, 1}},
		{8, 9, true, SiLU, []int{4, 8, 9, 20}},
	} {
		t.Run(fmt.Sprintf("%d·%d", c.channels, c.taps), func(t *testing.T) {
			r := newRig(t)
			step, slots := stateRows(c.counts)
			p := ConvolutionParams{Channels: c.channels, Taps: c.taps, Bias: c.bias, Activation: c.activation,
				XOffset: i, XStride: c.channels + 10, YStride: c.channels + i, StateAt: 4 * i}
			p.SlotWords = p.StateAt + p.StateWords() + 4
			x, states := r.floats(len(step.Tokens)*p.XStride, 1), r.floats(slots*p.SlotWords, 1)
			weight, bias := r.floats(c.channels*c.taps, 1), r.floats(c.channels, 1)
			k, err := NewConvolution(r.dev, p)
			require.NoError(t, err)
			y, state := r.buffer("y", make([]byte, 4*len(step.Tokens)*p.YStride)), r.rows("state", states, len(states), len(states), 0)
			b, err := k.Bind(r.step(step), r.rows("x", x, len(x), len(x), 0).All(), r.rows("weight", weight, len(weight), len(weight), 0).All(),
				r.rows("bias", bias, len(bias), len(bias), 0).All(), state.All(), y.All())
			require.NoError(t, err)
			r.submit(func(rec *gpu.Recorder) { k.Record(rec, b, len(step.Tokens)) })

			if !c.bias {
				bias = nil
			}
			var want []float64
			var plain []float32
			after := append([]float32(nil), states...)
			for _, row := range step.Rows {
				mine := strided(x[int(row.First)*p.XStride:int(row.First+row.Count)*p.XStride], p.XOffset, c.channels, p.XStride)
				past := make([]float32, p.StateWords())
				if row.From != 0 {
					copy(past, states[int(row.From)*p.SlotWords+p.StateAt:])
				}
				w, f := reference.Convolve(widen(mine), weight, bias, widen(past), c.channels), reference.Convolve(mine, weight, bias, past, c.channels)
				if c.activation == SiLU {
					w, f = reference.SiLU(w), reference.SiLU(f)
				}
				want, plain = append(want, w...), append(plain, f...)
				copy(after[int(row.To)*p.SlotWords+p.StateAt:], past)
			}
			r.accurate(want, plain, strided(r.read(y), 0, c.channels, p.YStride))
			assert.Equal(t, after, r.read(state), "what the rows' slots remember, and no other word")
		})
	}
	_, err := NewConvolution(newRig(t).dev, ConvolutionParams{Channels: 4, Taps: 4, XStride: 3, YStride: 4})
	require.ErrorIs(t, err, ErrMatrixShape)
}

// recurrenceCase is a launch of the recurrence; the zero values are those of random gates.
type recurrenceCase struct {
	delta           bool
	heads, keyHeads int
	tiled           bool
	key, value      int
	counts          []int
	a, shift        float32 // 0: random
	scale           float64 // of q and k; 0: 1
	turns           int
	off             int // makes places odd
}

func (c recurrenceCase) String() string {
	return fmt.Sprintf("delta=%t/%d·%d/%d·%d/%v/a=%g/shift=%g/scale=%g", c.delta, c.heads, c.value, c.keyHeads, c.key, c.counts, c.a, c.shift, c.scale)
}

var recurrenceCases = []recurrenceCase{
	{delta: true, heads: 4, keyHeads: 2, tiled: true, key: 16, value: 16, counts: []int{7, 1, 30, 1, 2}},
	{delta: false, heads: 8, keyHeads: 1, key: 16, value: 16, counts: []int{5, 1, 20, 1}},
	{delta: true, heads: 6, keyHeads: 3, key: 18, value: 7, counts: []int{3, 1, 9}, off: 1},
	{delta: false, heads: 6, keyHeads: 2, key: 33, value: 5, counts: []int{3, 1, 9}, off: 3},
	{delta: true, heads: 2, keyHeads: 2, key: 128, value: 128, counts: []int{70, 1}},
	{delta: false, heads: 3, keyHeads: 3, key: 128, value: 64, counts: []int{40, 1, 1}},
	{delta: true, heads: 2, keyHeads: 1, key: 24, value: 8, counts: []int{700}, a: -1e-5, shift: -2},
	{delta: false, heads: 2, keyHeads: 1, key: 24, value: 8, counts: []int{700}, a: -1e-4, shift: -3},
	{delta: true, heads: 2, keyHeads: 1, key: 24, value: 8, counts: []int{9, 40}, a: -60, shift: 4},
	{delta: false, heads: 2, keyHeads: 1, key: 24, value: 8, counts: []int{9, 40}, a: -60, shift: 4},
	{delta: true, heads: 2, keyHeads: 1, key: 24, value: 8, counts: []int{9, 40}, a: -1, shift: -30},
	{delta: true, heads: 2, keyHeads: 1, key: 24, value: 8, counts: []int{9, 40}, scale: 1e-4},
	{delta: true, heads: 2, keyHeads: 1, key: 24, value: 8, counts: []int{9, 40}, scale: 1e4},
	{delta: true, heads: 2, keyHeads: 2, tiled: true, key: 256, value: 3, counts: []int{5, 1}},
	{delta: true, heads: 4, keyHeads: 2, tiled: true, key: 16, value: 16, counts: []int{7, 1, 30, 1, 2}, turns: 60},
	{delta: false, heads: 4, keyHeads: 2, key: 36, value: 16, counts: []int{7, 1, 30, 1, 2}, turns: 120},
}

// recurrenceRun is a case's data, and what comes of it.
type recurrenceRun struct {
	params      RecurrenceParams
	step        StepData
	x, gates    []float32
	heads       []float32
	states      []float32
	want        []float64
	plain       []float32
	wantStates  []float64
	plainStates []float32
}

// recurrence makes a case's data and computes what comes of it.
func (r *rig) recurrence(c recurrenceCase) *recurrenceRun {
	run := r.recurrenceData(c)
	wide := append([]float64(nil), widen(run.states)...)
	narrow := append([]float32(nil), run.states...)
	for _, row := range run.step.Rows {
		run.want = append(run.want, walk[float64](run, row, wide)...)
		run.plain = append(run.plain, walk[float32](run, row, narrow)...)
	}
	run.wantStates, run.plainStates = wide, narrow
	return run
}

func (r *rig) recurrenceData(c recurrenceCase) *recurrenceRun {
	step, slots := stateRows(c.counts)
	width := 2*c.keyHeads*c.key + c.heads*c.value
	run := &recurrenceRun{step: step, params: RecurrenceParams{Delta: c.delta, Heads: c.heads, KeyHeads: c.keyHeads, Tiled: c.tiled, Key: c.key, Value: c.value,
		QOffset: c.off, KOffset: c.off + c.keyHeads*c.key, VOffset: c.off + 2*c.keyHeads*c.key, XStride: RowStride(width + c.off), YStride: RowStride(c.heads * c.value),
		Gates: GateLayout{Stride: 2*c.heads + 1, Run: c.heads, DeltaOffset: 1, BetaOffset: 1 + c.heads}, Scale: 1, StateAt: 8, MaxTokens: len(step.Tokens), MaxTurns: c.turns}}
	p := &run.params
	if c.delta {
		p.Scale = float32(1 / math.Sqrt(float64(c.key)))
	}
	p.SlotWords = 8 + p.StateWords() + 4
	scale := c.scale
	if scale == 0 {
		scale = 1
	}
	tokens := len(step.Tokens)
	run.x = r.floats(tokens*p.XStride, 1)
	for t := range tokens {
		for i := range 2 * c.keyHeads * c.key {
			run.x[t*p.XStride+p.QOffset+i] *= float32(scale)
		}
	}
	run.gates, run.heads = r.floats(tokens*p.Gates.Stride, 1), r.floats(3*c.heads, 1)
	for h := range c.heads {
		run.heads[h] = -float32(math.Exp(float64(run.heads[h])))
		if c.a != 0 {
			run.heads[h], run.heads[c.heads+h] = c.a, c.shift
		}
	}
	run.states = r.floats(slots*p.SlotWords, 0.3)
	clear(run.states[:p.SlotWords]) // slot 0 is all zeros
	for slot := range slots {
		for i := range p.StateWords() {
			if i%(4*ceilDiv(p.Key, 4)) >= p.Key {
				run.states[slot*p.SlotWords+p.StateAt+i] = 0 // as from nothing
			}
		}
	}
	return run
}

// walk computes a row, and moves its state.
func walk[T reference.Float](run *recurrenceRun, row StepRow, states []T) []T {
	p := run.params
	as := func(x []float32) []T {
		out := make([]T, len(x))
		for i, f := range x {
			out[i] = T(f)
		}
		return out
	}
	x := run.x[int(row.First)*p.XStride : int(row.First+row.Count)*p.XStride]
	gates := run.gates[int(row.First)*p.Gates.Stride : int(row.First+row.Count)*p.Gates.Stride]
	quads := 4 * ceilDiv(p.Key, 4)
	state := make([]T, p.Heads*p.Value*p.Key)
	copy(state, strided(states[int(row.From)*p.SlotWords+p.StateAt:][:p.StateWords()], 0, p.Key, quads))
	heads := as(run.heads)
	rule := reference.Recurrence[T]{Delta: p.Delta, Heads: p.Heads, KeyHeads: p.KeyHeads, Tiled: p.Tiled, Key: p.Key, Value: p.Value, Scale: T(p.Scale),
		A: heads[:p.Heads], Shift: heads[p.Heads : 2*p.Heads], D: heads[2*p.Heads:]}
	out := rule.Walk(as(strided(x, p.QOffset, p.KeyHeads*p.Key, p.XStride)), as(strided(x, p.KOffset, p.KeyHeads*p.Key, p.XStride)),
		as(strided(x, p.VOffset, p.Heads*p.Value, p.XStride)), as(strided(gates, p.Gates.DeltaOffset, p.Heads, p.Gates.Stride)),
		as(strided(gates, p.Gates.BetaOffset, p.Heads, p.Gates.Stride)), state)
	for i := range p.Heads * p.Value {
		to := states[int(row.To)*p.SlotWords+p.StateAt+i*quads:][:quads]
		clear(to)
		copy(to, state[i*p.Key:(i+1)*p.Key])
	}
	return out
}

// launch runs the kernel on the data.
func (r *rig) launch(run *recurrenceRun, step StepData, state, y *gpu.Buffer) {
	k, err := NewRecurrence(r.dev, run.params)
	require.NoError(r, err)
	r.Cleanup(k.Release)
	flat := func(label string, x []float32) gpu.View { return r.rows(label, x, len(x), len(x), 0).All() }
	v := RecurrenceViews{Step: r.step(step), X: flat("x", run.x), Gates: flat("gates", run.gates), Heads: flat("heads", run.heads), State: state.All(), Y: y.All()}
	if n := k.PairWords(len(step.Tokens)); n > 0 {
		v.Pairs = r.buffer("pairs", make([]byte, 4*n)).All()
	}
	b, err := k.Bind(v)
	require.NoError(r, err)
	r.submit(func(rec *gpu.Recorder) { k.Record(rec, b, &step) })
}

func TestRecurrence(t *testing.T) {
	for i, c := range recurrenceCases {
		if !gputest.First && os.Getenv("QUIRE_ALL") == "" && i > 3 && (runtime.GOOS == "js" || i != 8 && i != 9) {
			continue
		}
		for _, variant := range []string{"baseline", "subgroup", "chunked"} {
			t.Run(c.String()+"/"+variant, func(t *testing.T) {
				r := newRig(t)
				chunked := variant == "chunked"
				if chunked {
					variant = "baseline"
				}
				if variant == "subgroup" && subgroupSize(r.dev.Info()) == 0 {
					t.Skip("no subgroups")
				}
				run := r.recurrence(c)
				run.params.Variant, run.params.Chunked = variant, chunked
				y, state := r.buffer("y", make([]byte, 4*len(run.step.Tokens)*run.params.YStride)), r.rows("state", run.states, len(run.states), len(run.states), 0)
				r.launch(run, run.step, state, y)
				r.accurate(run.want, run.plain, strided(r.read(y), 0, c.heads*c.value, run.params.YStride))
				r.accurate(run.wantStates, run.plainStates, r.read(state))
			})
		}
	}
}

// However a row is cut into steps, its answers and its state are the same, bit for bit.
func TestRecurrenceChunks(t *testing.T) {
	for _, delta := range []bool{true, false} {
		r := newRig(t)
		run := r.recurrence(recurrenceCase{delta: delta, heads: 4, keyHeads: 2, key: 20, value: 12, counts: []int{25}})
		run.params.Variant = "baseline"
		var want, wantState []float32
		for _, cut := range [][]int{{25}, {1, 24}, {7, 7, 7, 4}, {24, 1}} {
			y, state := r.buffer("y", make([]byte, 4*25*run.params.YStride)), r.rows("state", run.states, len(run.states), len(run.states), 0)
			first := 0
			for _, n := range cut {
				step := run.step
				step.Rows = []StepRow{{First: uint32(first), Count: uint32(n), From: 1, To: 1}}
				r.launch(run, step, state, y)
				first += n
			}
			if want == nil {
				want, wantState = r.read(y), r.read(state)
				continue
			}
			require.Equal(t, want, r.read(y), "%v", cut)
			require.Equal(t, wantState, r.read(state), "%v", cut)
		}
	}
}

func TestRecurrenceRefuses(t *testing.T) {
	r := newRig(t)
	p := r.recurrence(recurrenceCases[0]).params
	for name, change := range map[string]func(*RecurrenceParams){
		"heads that do not divide": func(p *RecurrenceParams) { p.KeyHeads = 3 },
		"a slot that is too small": func(p *RecurrenceParams) { p.SlotWords = p.StateWords() },
		"a place that is odd":      func(p *RecurrenceParams) { p.StateAt = 2 },
		"rows that are too short":  func(p *RecurrenceParams) { p.YStride = 3 },
	} {
		bad := p
		change(&bad)
		_, err := NewRecurrence(r.dev, bad)
		require.ErrorIs(t, err, ErrMatrixShape, name)
	}
	p.MaxTurns, p.Key, p.SlotWords = 3, 200, 1<<16
	_, err := NewRecurrence(r.dev, p)
	require.ErrorIs(t, err, ErrTurns)
}

func TestGatedNorm(t *testing.T) {
	for _, c := range []struct {
		groups, width, tokens int
		shared, first         bool
	}{{4, 16, 5, true, false}, {1, 128, 3, false, true}, {3, 37, 2, false, true}, {2, 128, 1, true, false}, {5, 1, 2, true, false}} {
		for _, variant := range []string{"baseline", ""} {
			r := newRig(t)
			p := GatedNormParams{Groups: c.groups, Width: c.width, Weights: c.width, GateFirst: c.first, XStride: RowStride(c.groups * c.width),
				ZStride: c.groups*c.width + 9, ZOffset: 5, Eps: eps, Variant: variant}
			if !c.shared {
				p.Weights *= c.groups
			}
			width := c.groups * c.width
			x, z, weight := r.floats(c.tokens*width, 1), r.floats(c.tokens*p.ZStride, 3), r.floats(p.Weights, 1)
			n, err := NewGatedNorm(r.dev, p)
			require.NoError(t, err)
			rows := r.rows("x", x, width, p.XStride, 0)
			b, err := n.Bind(r.step(StepData{Tokens: make([]uint32, c.tokens)}), rows.All(), r.rows("z", z, len(z), len(z), 0).All(), r.rows("weight", weight, len(weight), len(weight), 0).All())
			require.NoError(t, err)
			r.submit(func(rec *gpu.Recorder) { n.Record(rec, b, c.tokens) })
			gates := strided(z, p.ZOffset, width, p.ZStride)
			r.accurate(reference.GatedNorm(widen(x), widen(gates), weight, c.width, c.first, eps), reference.GatedNorm(x, gates, weight, c.width, c.first, eps),
				strided(r.read(rows), 0, width, p.XStride))
		}
	}
	_, err := NewGatedNorm(newRig(t).dev, GatedNormParams{Groups: 2, Width: 4, Weights: 3, XStride: 8, ZStride: 8})
	require.ErrorIs(t, err, ErrMatrixShape)
}

func TestGate(t *testing.T) {
	r := newRig(t)
	const width, tokens = 70, 3
	p := GateParams{Width: width, XStride: RowStride(width), ZStride: 100, ZOffset: 30}
	x, z := r.floats(tokens*width, 1), r.floats(tokens*p.ZStride, 5)
	z[30], z[31] = 500, -500
	g, err := NewGate(r.dev, p)
	require.NoError(t, err)
	rows := r.rows("x", x, width, p.XStride, 0)
	b, err := g.Bind(r.step(StepData{Tokens: make([]uint32, tokens)}), rows.All(), r.rows("z", z, len(z), len(z), 0).All())
	require.NoError(t, err)
	r.submit(func(rec *gpu.Recorder) { g.Record(rec, b, tokens) })
	gates := strided(z, p.ZOffset, width, p.ZStride)
	r.accurate(reference.Gate(widen(x), widen(gates)), reference.Gate(x, gates), strided(r.read(rows), 0, width, p.XStride))
	p.ZStride = 99
	_, err = NewGate(r.dev, p)
	require.ErrorIs(t, err, ErrMatrixShape)
}
