package kernel

import (
	"context"
	"fmt"
	"slices"

	"quire/engine/gpu"
)

// RecurrenceParams describe layers whose heads keep a matrix that decays: gated delta nets and Mamba-2.
type RecurrenceParams struct {
	Delta           bool // the gated delta rule; otherwise Mamba-2's
	Heads, KeyHeads int
	Tiled           bool // head h has the keys of h % KeyHeads; otherwise neighbours share them
	Key, Value      int  // elements of a head's key and value

	XStride                   int // floats from one token's q, k and v to the next
	QOffset, KOffset, VOffset int
	Gates                     GateLayout
	YStride                   int
	Scale                     float32 // of q
	StateAt, SlotWords        int     // the states' place in a slot, and its words; multiples of 4

	Keeps     bool   // states are kept behind StepData.Keeps, of rows that are not walked by chunks
	MaxTokens int    // of one row in a step
	Chunked   bool   // long rows are walked by chunks: faster, and in another order of sums
	MaxTurns  int    // bounds the turns of an invocation's loops; 0: MaxTurns
	Variant   string // "" to let the adapter decide, "baseline" or "subgroup"
}

// GateLayout says where a token's gates lie: Δ's and β's of Run heads together, Step floats from one run to the next.
type GateLayout struct{ Stride, Run, Step, DeltaOffset, BetaOffset int }

// StateWords is how many words of a slot the heads' states take.
func (p RecurrenceParams) StateWords() int { return p.Heads * p.Value * 4 * ceilDiv(p.Key, 4) }

// chunk is how many tokens the chunked form takes at once (shaders/lib/chunk.wgsl), and pairWords what it notes of a token for
// each head.
const (
	chunk     = 16
	pairWords = 2*chunk + 8
)

// MostKept is how many tokens a row may have whose states are kept.
const MostKept = chunkedFrom - 1

// chunkedFrom is the number of a row's tokens from which it is walked by chunks, and chunkedKey the longest key that has room
// in a workgroup then.
const (
	chunkedFrom = 2 * chunk
	chunkedKey  = 128
	never       = 1<<32 - 1
)

// Recurrence walks the tokens of a step's rows, each with the state of its sequence: one by one, and long rows by chunks.
type Recurrence struct {
	dev           *gpu.Device
	params        RecurrenceParams
	kernel        *gpu.Kernel
	groups        int        // workgroups of a row
	tokens        int        // of a row that a launch walks
	spans         []gpu.View // of launches; nil where one is enough
	chunked       bool
	pairs, chunks *gpu.Kernel
	chunkGroups   int
	chunkTokens   int
	chunkSpans    []gpu.View
}

// NewRecurrence composes the kernels and starts to compile them.
func NewRecurrence(dev *gpu.Device, p RecurrenceParams) (*Recurrence, error) {
	if p.Heads < 1 || p.KeyHeads < 1 || p.Heads%p.KeyHeads != 0 || p.Key < 1 || p.Value < 1 || p.Heads*p.Value > p.YStride ||
		p.StateAt%4 != 0 || p.SlotWords%4 != 0 || p.StateAt+p.StateWords() > p.SlotWords {
		return nil, fmt.Errorf("recurrence: %w: %d heads of %d for %d of %d", ErrMatrixShape, p.Heads, p.Value, p.KeyHeads, p.Key)
	}
	subgroup, err := normSubgroup(dev.Info(), p.Variant)
	if err != nil {
		return nil, fmt.Errorf("recurrence: %w", err)
	}
	const workgroup = 64
	lanes := 1 // of invocations that share a row of the state: enough to have few words each
	for subgroup != 0 && lanes < min(8, int(subgroup)) && lanes*8 < p.Key {
		lanes *= 2
	}
	r := &Recurrence{dev: dev, params: p, groups: p.Heads * ceilDiv(p.Value, workgroup/lanes),
		chunked: p.Chunked && p.Key <= chunkedKey && p.MaxTokens >= chunkedFrom}
	if r.kernel, r.tokens, r.spans, err = p.walk(dev, r.spec(p, lanes, workgroup), 1); err != nil || !r.chunked {
		return r, err
	}
	r.chunkGroups = p.Heads * ceilDiv(p.Value, 8)
	m, err := Module(dev, p.pairs())
	if err != nil {
		return nil, err
	}
	r.pairs = dev.Kernel(m)
	r.chunks, r.chunkTokens, r.chunkSpans, err = p.walk(dev, p.chunks(), chunk)
	return r, err
}

// walk makes a kernel whose launches walk a multiple of so many tokens of a row: as many as its loops may, or all.
func (p RecurrenceParams) walk(dev *gpu.Device, s Spec, unit int) (k *gpu.Kernel, tokens int, spans []gpu.View, err error) {
	if tokens, err = p.fit(s, unit); err != nil {
		return nil, 0, nil, err
	}
	tokens = min(tokens, ceilDiv(max(p.MaxTokens, 1), unit)*unit)
	s.MaxTurns = p.MaxTurns
	s.Consts = append(s.Consts, Const{"TOKENS", tokens})
	if tokens < p.MaxTokens {
		s.Slots["span"] = "span_parts"
		s.Consts = append(s.Consts, Const{"SPAN_BINDING", len(s.Bindings)})
		s.Bindings = append(s.Bindings, gpu.Constant)
	}
	m, err := Module(dev, s)
	if err != nil {
		return nil, 0, nil, err
	}
	if tokens < p.MaxTokens {
		spans, err = NewSpans(dev, ceilDiv(p.MaxTokens, tokens))
	}
	return dev.Kernel(m), tokens, spans, err
}

// quads is the library that reads q, k and v.
func (p RecurrenceParams) quads() string {
	for _, n := range []int{p.Key, p.XStride, p.QOffset, p.KOffset, p.VOffset} {
		if n%4 != 0 {
			return "quads_f32"
		}
	}
	return "quads_f32x4"
}

// keyed are the constants that all of the kernels have.
func (p RecurrenceParams) keyed() []Const {
	return []Const{{"HEADS", p.Heads}, {"KEY_HEADS", p.KeyHeads}, {"TILED", p.Tiled}, {"KEY", p.Key}, {"X_STRIDE", p.XStride}, {"Q_AT", p.QOffset}, {"K_AT", p.KOffset}}
}

// gated are those of kernels that read gates.
func (p RecurrenceParams) gated() []Const {
	return []Const{{"SCALE", p.Scale}, {"GATE_STRIDE", p.Gates.Stride}, {"GATE_RUN", p.Gates.Run}, {"GATE_STEP", p.Gates.Step}, {"STEP_AT", p.Gates.DeltaOffset}}
}

// stored are those of kernels that move states.
func (p RecurrenceParams) stored() []Const {
	return []Const{{"VALUE", p.Value}, {"V_AT", p.VOffset}, {"Y_STRIDE", p.YStride}, {"STATE_AT", p.StateAt}, {"SLOT_WORDS", p.SlotWords}}
}

// pairs is the kernel that finds what tokens of a chunk have to do with one another.
func (p RecurrenceParams) pairs() Spec {
	return Spec{
		File: "recurrence_pairs", Variant: "baseline",
		Consts:   slices.Concat(p.keyed(), p.gated(), []Const{{"DELTA", p.Delta}, {"BETA_AT", p.Gates.BetaOffset}, {"CHUNKED", chunkedFrom}}),
		Slots:    map[string]string{"quads": p.quads()},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	}
}

// chunks is the kernel that walks by chunks, but for how many tokens a launch walks.
func (p RecurrenceParams) chunks() Spec {
	return Spec{
		File: "recurrence_chunks", Variant: "baseline",
		Consts:   slices.Concat(p.keyed(), p.stored(), []Const{{"DELTA", p.Delta}, {"CHUNKED", chunkedFrom}}),
		Slots:    map[string]string{"quads": p.quads(), "span": "span_whole"},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite},
	}
}

// spec is the kernel that walks token by token, but for how many tokens a launch walks.
func (r *Recurrence) spec(p RecurrenceParams, lanes, workgroup int) Spec {
	rule, sums, from := "rule_mamba", 1, uint32(never)
	if p.Delta {
		rule, sums = "rule_delta", 5
	}
	if r.chunked {
		from = chunkedFrom
	}
	s := Spec{
		File: "recurrence", Variant: "baseline",
		Consts:   slices.Concat(p.keyed(), p.gated(), p.stored(), []Const{{"LANES", lanes}, {"SUMS", sums}, {"WORKGROUP", workgroup}, {"CHUNKED", from}, {"KEEPS", p.Keeps}}),
		Slots:    map[string]string{"rule": rule, "reduce": "reduce_alone", "quads": p.quads(), "span": "span_whole"},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite},
	}
	if p.Delta {
		s.Consts = append(s.Consts, Const{"BETA_AT", p.Gates.BetaOffset})
	}
	if lanes > 1 {
		s.Slots["reduce"] = "reduce_subgroup"
		s.Variant, s.Needs = "subgroup", gpu.FeatureSubgroups
	}
	return s
}

// fit is how many tokens of a row a launch may walk, a multiple of unit.
func (p RecurrenceParams) fit(s Spec, unit int) (int, error) {
	turns := func(tokens int) (int, error) {
		s := s
		s.Consts = append(s.Consts[:len(s.Consts):len(s.Consts)], Const{"TOKENS", tokens})
		return s.Turns()
	}
	none, err := turns(0)
	if err != nil {
		return 0, err
	}
	one, err := turns(unit)
	if err != nil {
		return 0, err
	}
	most := MaxTurns
	if p.MaxTurns > 0 {
		most = p.MaxTurns
	}
	if n := (most - none) / max(1, one-none); n > 0 {
		return n * unit, nil
	}
	return 0, fmt.Errorf("%s: %w: keys of %d", s.File, ErrTurns, p.Key)
}

// Release gives back what the launches are told by.
func (r *Recurrence) Release() {
	ReleaseSpans(r.spans)
	ReleaseSpans(r.chunkSpans)
}

// Wait blocks until the kernels have compiled.
func (r *Recurrence) Wait(ctx context.Context) error {
	for _, k := range []*gpu.Kernel{r.kernel, r.pairs, r.chunks} {
		if k == nil {
			continue
		}
		if err := k.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// PairWords is how many words RecurrenceViews.Pairs has for a step of so many tokens; 0 where nothing is walked by chunks.
func (r *Recurrence) PairWords(tokens int) int {
	if !r.chunked {
		return 0
	}
	return tokens * r.params.Heads * pairWords
}

// RecurrenceViews are a Recurrence's buffers: X holds q, k and v, [token][XStride]; Gates Δ and β before softplus and sigmoid,
// [token][Gates.Stride]; Heads a for each head, what its Δ is shifted by, and without the delta rule D; State the layer's
// states, [slot][SlotWords]; Y the answers, [token][YStride]. Pairs is scratch of PairWords.
type RecurrenceViews struct{ Step, X, Gates, Heads, State, Y, Pairs gpu.View }

// RecurrenceBind is a Recurrence's buffers, bound.
type RecurrenceBind struct {
	pairs          *gpu.BindGroup
	tokens, chunks []*gpu.BindGroup // a launch each
}

// Bind binds the buffers.
func (r *Recurrence) Bind(v RecurrenceViews) (b RecurrenceBind, err error) {
	if b.tokens, err = r.bind(r.kernel, r.spans, v.Step, v.X, v.Gates, v.Heads, v.State, v.Y); err != nil || !r.chunked {
		return b, err
	}
	if b.pairs, err = r.dev.Bind(r.pairs, v.Step, v.X, v.Gates, v.Heads, v.Pairs); err != nil {
		return b, err
	}
	b.chunks, err = r.bind(r.chunks, r.chunkSpans, v.Step, v.X, v.Pairs, v.Heads, v.State, v.Y)
	return b, err
}

func (r *Recurrence) bind(k *gpu.Kernel, spans []gpu.View, views ...gpu.View) ([]*gpu.BindGroup, error) {
	if spans != nil {
		return BindSpans(r.dev, k, spans, views)
	}
	b, err := r.dev.Bind(k, views...)
	return []*gpu.BindGroup{b}, err
}

// Record records the step's rows.
func (r *Recurrence) Record(rec *gpu.Recorder, b RecurrenceBind, s *StepData) {
	short, long := 0, 0 // the longest row that is walked either way
	for i := range s.Rows {
		if n := int(s.Rows[i].Count); r.chunked && n >= chunkedFrom {
			long = max(long, n)
		} else {
			short = max(short, n)
		}
	}
	if long > 0 {
		x, y := Fold(len(s.Rows) * r.params.Heads * ceilDiv(long, chunk))
		rec.Dispatch(r.pairs, b.pairs, x, y, 1)
	}
	r.record(rec, r.chunks, b.chunks, len(s.Rows)*r.chunkGroups, ceilDiv(long, max(r.chunkTokens, 1)))
	r.record(rec, r.kernel, b.tokens, len(s.Rows)*r.groups, ceilDiv(short, r.tokens))
}

func (r *Recurrence) record(rec *gpu.Recorder, k *gpu.Kernel, launches []*gpu.BindGroup, groups, n int) {
	x, y := Fold(groups)
	for _, b := range launches[:n] {
		rec.Dispatch(k, b, x, y, 1)
	}
}
