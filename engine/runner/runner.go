// Package runner turns a step into GPU work: it fills the step buffer, replays the model's kernels and reads the sampled
// tokens back, several steps behind. It decides nothing.
package runner

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/model"
	"quire/engine/sample"
	"quire/engine/step"
)

// Options fix a runner for its life.
type Options struct {
	KVType        kernel.KVType
	Blocks        int  // of the KV cache, the null block included
	States        int  // slots for sequences' states, the null slot included; 0: the model has none
	Keeps         bool // steps may keep states behind any of their tokens
	BlockSize     int
	MaxSeqs       int                     // lanes
	TokenBudget   int                     // tokens of one step
	MaxOutputs    int                     // rows of logits of one step
	MaskSlots     int                     // sets of tokens that step.Masks may write
	StopTokens    func() ([]int32, error) // that are not drawn where an output says so; asked for while kernels compile, for it may take long
	Context       int                     // tokens of one sequence
	Depth         int                     // steps in flight
	Together      int                     // of them, the most that Hold keeps back to submit them as one; 0: none
	TokenLayers   int                     // the most tokens times layers of one submission; 0: any number
	Variant       string
	Tuning        *attention.Tuning // what was measured on the adapter; nil: nothing
	Deterministic bool
	SelfTest      bool // compute with every kernel once, and compare
	Late          bool // kernels that a model may do without are made behind the first step that would take them
	Profile       bool // time every kernel on the GPU; each step is then waited for
	Progress      func(stage string, done, total int64)
}

// Runner runs steps on a device. It is used by one goroutine.
type Runner struct {
	device  *gpu.Device
	options Options
	plan    *model.Plan
	*resources

	rec        gpu.Recorder
	joined     joined
	translator translator
	words      []uint32

	flights    []*flight    // oldest first
	undrawn    kernel.Draws // of the step submitted last, where it waits
	guessing   step.Guessing
	waits      bool        // for its masks
	look       *model.Look // at the next step, or nil
	completing *completing // nil: no late kernel has been made yet
	wrong      struckOut
	expected   int      // the most sequences that there have been at once
	expects    bool     // more than the late kernels were made for
	host       [][]byte // host memory: [block] as readBlocks gives it
	hostStates [][]byte // [state] as ReadState gives it
	moved      []int32
	hosts      []int32
	stats      Stats
	profile    []KernelTime
	unprofiled bool          // for now, in spite of Options.Profile
	timed      bool          // handed counts
	handed     time.Duration // in all of the device's Submit
	before     time.Duration // that JavaScript had encoded
}

// Stats counts what the runner did.
type Stats struct {
	Steps      uint64
	Joined     uint64 // steps that were submitted as one with those before them
	Dispatches int    // in the last step
	Shared     uint64 // rows that read keys together with others, of each of attention's item lists
}

// New loads a model's weights from src and builds everything on the GPU.
func New(ctx context.Context, d *gpu.Device, p *model.Plan, src gpu.Source, o Options) (*Runner, error) {
	r := &Runner{device: d, options: o, plan: p}
	var err error
	if r.resources, err = newResources(ctx, d, p, src, o); err != nil {
		return nil, err
	}
	r.translator.longAt, r.translator.kept, r.translator.asks = o.Context, r.kept, r.graph.TakesAsked()
	r.translator.adapters = adapters{placed: map[string]ranks{}, lists: map[string][]kernel.AdapterFour{}}
	for _, l := range r.graph.Lists() {
		r.translator.lists = append(r.translator.lists, itemList{items: l, kvHeads: l.KVHeads, units: units(d.Info(), l.HeadDim, o), room: l.Room})
	}
	r.translator.groups, r.translator.blockSize = r.graph.Sharing(), o.BlockSize
	r.graph.SplitSubmissions(o.TokenLayers)
	return r, nil
}

// units guesses at the GPU's compute units.
func units(info gpu.AdapterInfo, headDim int, o Options) int {
	if measured := o.Tuning.Units(headDim); o.Variant == "" && measured > 0 {
		return measured
	}
	if info.Type == "cpu" {
		return 4
	}
	return 64
}

// Open gives a lane to a sequence: how its tokens are drawn from now on, and after which.
func (r *Runner) Open(lane int32, p sample.Params, h sample.History) error {
	if err := r.send(); err != nil {
		return err
	}
	w := laneWrite{lane: lane}
	for i, word := range p.Words() {
		binary.LittleEndian.PutUint32(w.data[4*i:], word)
	}
	r.pending = append(r.pending, w)
	r.random[lane], r.logprobs[lane] = false, false
	random, logprobs := !p.Greedy(), p.Logprobs > 0
	if random {
		if err := r.makeDraws(r.device, step.DrawsRandom); err != nil {
			return err
		}
	}
	if logprobs {
		if err := r.makeDraws(r.device, step.DrawsLogprobs); err != nil {
			return err
		}
	}
	r.random[lane], r.logprobs[lane] = random, logprobs
	return r.openPenalties(lane, p, h)
}

// Look has the step that is submitted next looked at; its Seen reads what is found.
func (r *Runner) Look(l *model.Look) error {
	err := r.graph.Look(l)
	if err == nil {
		r.look = l
	}
	return err
}

// SplitSubmissions bounds how many tokens times layers one submission computes; 0 leaves a step whole.
func (r *Runner) SplitSubmissions(tokenLayers int) { r.graph.SplitSubmissions(tokenLayers) }

// Submit runs a step behind those already submitted and returns at once. Where an output is Masked, its tokens are drawn by Draw,
// which must come before the next step.
func (r *Runner) Submit(s *step.Step) error {
	look := r.look
	r.look = nil
	if len(s.Tokens) > r.options.TokenBudget || len(s.Outputs) > r.options.MaxOutputs || len(s.Pools) > r.options.MaxSeqs || len(s.Rows) > r.options.MaxSeqs {
		return fmt.Errorf("runner: step %d has %d tokens, %d rows and %d outputs: too many", s.Number, len(s.Tokens), len(s.Rows), len(s.Outputs))
	}
	f, err := r.takeFlight(s)
	if err != nil {
		return err
	}
	if err := r.growTables(s); err != nil {
		return err
	}
	r.translator.looked = look != nil
	data := r.translator.translate(s)
	r.words = data.AppendWords(r.words[:0])
	if len(r.words) > r.kept.At {
		return fmt.Errorf("runner: step %d needs %d words, the step buffer has %d", s.Number, len(r.words), r.kept.At)
	}
	draws := r.draws(s)
	joins := look == nil && r.joins(s, draws)
	if !joins || len(r.words) > aheadWords || len(r.joined.flights) >= r.options.Together {
		if err := r.send(); err != nil {
			return err
		}
	}
	if err := r.swap(f, s); err != nil {
		return err
	}
	rec := &r.rec
	before := r.begin(rec)
	for i := range r.pending {
		rec.Write(r.laneParams, uint64(r.pending[i].lane)*laneBytes, r.pending[i].data[:])
	}
	r.pending = r.pending[:0]
	if draws.Random {
		if draws.Random, err = r.awaitDraws(step.DrawsRandom); err != nil {
			return err
		}
	}
	if draws.Logprobs {
		if draws.Logprobs, err = r.awaitDraws(step.DrawsLogprobs); err != nil {
			return err
		}
	}
	r.graph.SplitFirst(firstAlone(r.device.Info(), len(r.flights), len(s.Tokens)))
	r.graph.Record(rec, data, look)
	if r.waits = draws.Pick; r.waits {
		r.undrawn, r.guessing = draws, s.Guessing
	} else {
		r.draw(rec, draws, len(r.joined.flights))
	}
	if f.logits != nil {
		rec.Read(f.logits, r.graph.Logits(), 0, f.logits.Size())
	}
	if !r.waits {
		r.guess(rec, s.Guessing, f)
	}
	if n := uint64(len(f.pooled)); n > 0 {
		rec.Read(f.vectors.Readback, r.graph.Pooled(), 0, n*vectorBytes(r.plan.PooledWidth()))
		if labels := r.plan.Labels(); labels > 0 {
			rec.Read(f.scores.Readback, r.graph.Scores(), 0, n*vectorBytes(labels))
		}
	}
	if err := r.end(f, joins); err != nil {
		return err
	}
	r.stats.Steps++
	r.stats.Dispatches, r.stats.Shared = rec.Dispatches()-before, r.translator.shared
	r.flights = append(r.flights, f)
	return nil
}

// firstAlone says whether a GPU that has nothing to do gets a step's first layer before the others: writing down the rest takes half a
// millisecond for a prompt on a large GPU, which it need not wait.
func firstAlone(info gpu.AdapterInfo, inFlight, tokens int) bool {
	return info.Type == "discrete" && inFlight == 0 && tokens >= promptRows
}

// promptRows are more tokens than steps have in which sequences only decode, as a rule.
const promptRows = 65

// draws lists what a step draws, and the tokens that it withholds.
func (r *Runner) draws(s *step.Step) kernel.Draws {
	d := kernel.Draws{Outputs: len(s.Outputs), Pick: slices.ContainsFunc(s.Outputs, func(o step.Output) bool { return o.Masked })}
	r.withheld.Reset()
	for i, o := range s.Outputs {
		lane := s.Rows[o.Row].Lane
		d.Logprobs, d.Random = d.Logprobs || o.Sample && r.logprobs[lane], d.Random || o.Sample && r.random[lane]
		if raw, ok := r.penalties.lanes[lane]; ok && o.Sample {
			d.Penalties, d.Raw = r.penalties.bound, d.Raw || raw
		}
		if o.Sample && o.NoStop {
			for _, token := range r.stopTokens {
				r.withheld.Add(i, kernel.RowStride(r.plan.Config.Vocabulary), token)
			}
		}
	}
	d.Withheld = r.withheld.Len()
	return d
}

// takeFlight prepares what the step's landing needs.
func (r *Runner) takeFlight(s *step.Step) (*flight, error) {
	var f *flight
	if last := len(r.spare) - 1; last >= 0 {
		f, r.spare = r.spare[last], r.spare[:last]
	} else {
		var err error
		if f, err = r.newFlight(r.device, r.options.MaxOutputs); err != nil {
			return nil, err
		}
	}
	f.number = s.Number
	f.outputs = f.outputs[:0]
	rows := false
	for _, o := range s.Outputs {
		row := &s.Rows[o.Row]
		f.outputs = append(f.outputs, flightOutput{sequence: row.Sequence, position: int(s.Positions[o.Token]), sample: o.Sample, masked: o.Masked, logits: o.Logits})
		rows = rows || o.Logits
	}
	if err := r.takePools(f, s); err != nil {
		return nil, err
	}
	if rows {
		size := uint64(len(s.Outputs)) * uint64(4*kernel.RowStride(r.plan.Config.Vocabulary))
		logits, err := r.device.NewReadback("logits", size)
		if err != nil {
			return nil, err
		}
		f.logits = logits
	}
	return f, nil
}

// takePools prepares what the step's pools need.
func (r *Runner) takePools(f *flight, s *step.Step) error {
	f.pooled = f.pooled[:0]
	for _, p := range s.Pools {
		f.pooled = append(f.pooled, step.Pooled{Sequence: s.Rows[p.Row].Sequence, Position: int(s.Positions[p.First]), Count: int(p.Count)})
	}
	for _, rows := range []struct {
		label string
		width int
		into  *readback
	}{{"embeddings", r.plan.PooledWidth(), &f.vectors}, {"scores", r.plan.Labels(), &f.scores}} {
		if len(f.pooled) == 0 || rows.width == 0 || rows.into.Readback != nil {
			continue
		}
		var err error
		if rows.into.Readback, err = r.device.NewReadback(rows.label, uint64(r.options.MaxSeqs)*vectorBytes(rows.width)); err != nil {
			return err
		}
		r.readbacks = append(r.readbacks, rows.into.Readback)
	}
	return nil
}

// vectorBytes is how far rows of a width lie apart.
func vectorBytes(width int) uint64 { return 4 * uint64(kernel.RowStride(width)) }

// Land waits for the oldest step in flight.
func (r *Runner) Land(ctx context.Context) (*step.Result, error) {
	if len(r.flights) == 0 {
		return nil, fmt.Errorf("runner: no step is in flight")
	}
	f := r.flights[0]
	l := &r.landed
	l.Number, l.Tokens, l.Drawn, l.Guesses = f.number, l.Tokens[:0], l.Drawn[:0], l.Guesses[:0]
	l.Undrawable = r.undrawable
	l.Logits, l.Pooled, l.Broken = l.Logits[:0], l.Pooled[:0], l.Broken[:0]
	if n := len(f.outputs); n > 0 {
		f.bytes = grow(f.bytes, int(f.resultBytes()))
		if err := f.results.Wait(ctx, f.bytes); err != nil {
			return nil, err
		}
		if err := f.read(l, r.plan.Config.Vocabulary); err != nil {
			return nil, err
		}
	}
	if f.logits != nil {
		rows := make([]byte, f.logits.Size())
		err := f.logits.Wait(ctx, rows)
		f.logits.Release()
		f.logits = nil
		if err != nil {
			return nil, err
		}
		f.readRows(l, rows, r.plan.Config.Vocabulary)
	}
	if len(f.pooled) > 0 {
		if err := f.landPooled(ctx, l, r.plan); err != nil {
			return nil, err
		}
	}
	if err := r.arrive(ctx, f); err != nil {
		return nil, err
	}
	if len(f.outputs)+len(f.pooled) > 0 { // the first token is there: now what others may need
		r.complete()
	}
	copy(r.flights, r.flights[1:])
	r.flights = r.flights[:len(r.flights)-1]
	r.spare = append(r.spare, f)
	return l, nil
}

// InFlight returns how many steps have not landed.
func (r *Runner) InFlight() int { return len(r.flights) }

// WeightBytes returns what the weights take on the GPU.
func (r *Runner) WeightBytes() uint64 { return r.weights.Bytes() }

// WeightTime returns how long the weights took to load.
func (r *Runner) WeightTime() time.Duration { return r.weights.LoadTime() }

// Stats returns the runner's counts.
func (r *Runner) Stats() Stats { return r.stats }

// Release gives everything on the GPU back.
func (r *Runner) Release() {
	r.completing.end()
	for _, f := range r.flights {
		f.logits.Release()
		for _, a := range f.away {
			a.readback.Release()
		}
		for _, a := range f.states {
			a.readback.Release()
		}
	}
	r.resources.release()
}

func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// Caches returns the K and V buffers, layer after layer.
func (r *Runner) Caches() []*gpu.Buffer {
	var all []*gpu.Buffer
	for i := range r.graph.K {
		all = append(all, r.graph.K[i], r.graph.V[i])
	}
	return all
}
