package runner

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/model"
	"quire/engine/sample"
	"quire/engine/step"
)

// resources is everything on the GPU, built from a source and a plan, dropped as one.
type resources struct {
	weights *model.Weights
	graph   *model.Graph

	tested   bool
	selfTest SelfTest
	testing  *selfTesting         // nil where there is no test
	passed   map[*gpu.Kernel]bool // nil where there is none
	loading  *loading

	step       *gpu.Buffer // one step, as shaders read it, and behind it the block tables that stay
	ahead      *gpu.Buffer // steps that are submitted behind others, see Hold
	kept       kernel.TableRoom
	ropes      []ropeTable
	filled     int         // positions that the tables have
	lanes      *gpu.Buffer // each lane's last token
	laneParams *gpu.Buffer
	results    *gpu.Buffer
	readbacks  []*gpu.Readback
	spare      []*flight

	sampler      *kernel.Sample
	samplerBinds []*kernel.SampleBindings // of each step of a submission
	scratch      *gpu.Buffer              // the sampler's
	masks        *gpu.Buffer              // of tokens that may be drawn, see kernel.MaskWords, in slots
	choices      *gpu.Buffer              // among them
	picks        kernel.Choices
	withheld     kernel.Withheld
	withheldList *gpu.Buffer
	stopTokens   []int32
	pending      []laneWrite               // lanes opened since the last step
	logprobs     []bool                    // lanes that ask for log-probabilities
	random       []bool                    // lanes that draw others than the best token
	drawing      [step.DrawsKinds]*drawing // what such lanes take
	undrawable   [step.DrawsKinds]error    // why a step did without it
	penalties    penalties
	landed       step.Result
	buffers      []*gpu.Buffer
}

// Sizes of a lane's parameters and of an output's result.
const (
	laneBytes   = 4 * sample.LaneWords
	resultBytes = 4 * kernel.ResultWords
	guessBytes  = 4
)

// ropeTable is a table of RoPE's, of the whole context.
type ropeTable struct {
	rope  model.Rope
	table *gpu.Buffer
}

// laneWrite is a lane's parameters on their way with the next step.
type laneWrite struct {
	lane int32
	data [laneBytes]byte
}

// tablePiece is how many positions RoPE's table grows by.
const tablePiece = 512

func newResources(ctx context.Context, d *gpu.Device, p *model.Plan, src gpu.Source, o Options) (r *resources, err error) {
	r = &resources{logprobs: make([]bool, o.MaxSeqs), random: make([]bool, o.MaxSeqs), tested: o.SelfTest && o.Late}
	defer func() {
		r.testing.end()
		r.loading.end()
		if err != nil {
			r.release()
		}
	}()
	decodeItems := 1024 + o.MaxSeqs*(16+o.Context/4096) // spans have a bound, so that long sequences take more of them
	rowBlocks := (o.Context+o.BlockSize-1)/o.BlockSize + 1
	groups := len(p.Windows())
	r.kept = kernel.TableRoom{Lanes: o.MaxSeqs, Blocks: rowBlocks}
	stepWords := 64 + (3+groups)*o.TokenBudget + o.MaxSeqs*(16+groups*(3+rowBlocks)) + 4*o.MaxOutputs + 4*o.Blocks + 5*o.MaxSeqs + 5*((p.Rank+3)/4)*o.TokenBudget
	if p.Guesses() {
		stepWords += o.MaxSeqs
	}
	if o.Keeps {
		stepWords += o.TokenBudget
	}
	for _, heads := range p.HeadsPerKV() {
		// Decode items and items of shared keys are no more than partial results, and merges no more than either.
		stepWords += (2*kernel.ItemWords+4)*decodeItems + kernel.ItemWords*(o.TokenBudget*heads+o.MaxSeqs) + 14*o.MaxSeqs/2
	}
	r.kept.At = stepWords
	for _, b := range []struct {
		label string
		words int
		to    **gpu.Buffer
	}{
		{"step", stepWords + r.kept.Words(groups), &r.step},
		{"lanes", o.MaxSeqs, &r.lanes},
		{"lane parameters", o.MaxSeqs * sample.LaneWords, &r.laneParams},
		{"results", max(1, o.Together) * int(o.resultsRoom()) / 4, &r.results},
		{"steps ahead", max(0, o.Together-1) * aheadWords, &r.ahead},
	} {
		if b.words == 0 {
			continue
		}
		if *b.to, err = r.buffer(d, b.label, uint64(4*b.words)); err != nil {
			return r, err
		}
	}
	var tables []gpu.View
	for _, rope := range p.Ropes {
		positions := o.Context
		if rope.Long != nil && o.Context > p.ShortContext {
			positions *= 2 // the long table follows
		}
		table, err := r.buffer(d, "RoPE table", uint64(4*positions*rope.Row()))
		if err != nil {
			return r, err
		}
		r.ropes, tables = append(r.ropes, ropeTable{table: table}), append(tables, table.All())
	}
	if o.SelfTest {
		if _, err = kernel.PrepareSelfTest(d); err != nil {
			return r, err
		}
	}
	if r.weights, err = model.NewWeights(d, p); err != nil {
		return r, err
	}
	// Before kernels, behind which a browser's GPU process would have them wait.
	for range o.Depth {
		f, err := r.newFlight(d, o.MaxOutputs)
		if err != nil {
			return r, err
		}
		r.spare = append(r.spare, f)
	}
	if !p.NoText {
		if err = r.newSampling(d, p, o); err != nil {
			return r, err
		}
	}
	var drawing error
	options := model.GraphOptions{
		KVType: o.KVType, BlockSize: o.BlockSize, Blocks: o.Blocks, States: o.States, Keeps: o.Keeps, MaxTokens: o.TokenBudget,
		MaxOutputs: o.MaxOutputs, MaxSeqs: o.MaxSeqs, Context: o.Context, DecodeItems: decodeItems, Results: r.results.All(), Ahead: rooms(r.ahead, o.Together-1, 4*aheadWords),
		Variant: o.Variant, Tuning: o.Tuning, Deterministic: o.Deterministic, Late: o.Late, Tested: o.SelfTest,
		// Nothing is fetched before there is room for all that is large.
		Room: func() {
			ctx = r.startLoad(ctx, p, src, &o)
			if !p.NoText && (!o.Late || d.Info().Type != "cpu") { // before the graph's kernels, none of which takes as long to compile
				if drawing = r.makeDraws(d, step.DrawsRandom); drawing == nil && !o.Late {
					drawing = r.makeDraws(d, step.DrawsLogprobs)
				}
			}
		},
	}
	graph := func() (err error) {
		r.graph, err = model.NewGraph(d, p, r.weights, options, r.step.All(), r.lanes.All(), tables)
		options.Room = nil
		return err
	}
	if err = graph(); err != nil {
		return r, err
	}
	if drawing != nil {
		return r, drawing
	}
	if o.SelfTest {
		r.passed = map[*gpu.Kernel]bool{}
		r.startSelfTest(ctx, o.Late)
	}
	if !p.NoText {
		if err = r.newStops(d, o); err != nil {
			return r, err
		}
	}
	if err = r.build(ctx, d, &o, &options, graph); err != nil {
		return r, cmp.Or(context.Cause(ctx), err)
	}
	if err = r.loading.wait(); err != nil || p.NoText {
		return r, err
	}
	if !o.Late {
		if err = r.drawn(); err != nil {
			return r, err
		}
	}
	for _, results := range rooms(r.results, max(1, o.Together), o.resultsRoom()) {
		bound, err := r.sampler.Bind(r.step.All(), r.graph.Logits().All(), r.masks.All(), r.scratch.All(), r.laneParams.All(), r.lanes.All(), results, r.withheldList.All(), r.choices.All())
		if err != nil {
			return r, err
		}
		r.samplerBinds = append(r.samplerBinds, bound)
	}
	return r, nil
}

// newSampling makes what draws tokens.
func (r *resources) newSampling(d *gpu.Device, p *model.Plan, o Options) (err error) {
	if r.sampler, err = kernel.NewSample(d, kernel.SampleParams{Vocab: p.Config.Vocabulary, Stride: kernel.RowStride(p.Config.Vocabulary)}); err != nil {
		return err
	}
	if r.scratch, err = r.buffer(d, "sampling scratch", r.sampler.ScratchBytes(o.MaxOutputs)); err != nil {
		return err
	}
	if r.choices, err = r.buffer(d, "choices", kernel.ChoiceBytes(o.MaxOutputs)); err != nil {
		return err
	}
	r.masks, err = r.buffer(d, "masks", kernel.MaskBytes(max(1, o.MaskSlots), p.Config.Vocabulary))
	return err
}

// newStops learns which tokens may be withheld, and makes room for them.
func (r *resources) newStops(d *gpu.Device, o Options) (err error) {
	if o.StopTokens != nil {
		if r.stopTokens, err = o.StopTokens(); err != nil {
			return err
		}
	}
	r.withheldList, err = r.buffer(d, "withheld tokens", kernel.WithheldBytes(o.MaxOutputs*len(r.stopTokens)))
	return err
}

// newFlight makes room for what a step draws.
func (r *resources) newFlight(d *gpu.Device, outputs int) (*flight, error) {
	results, err := d.NewReadback("results", uint64(outputs)*(resultBytes+guessBytes))
	if err != nil {
		return nil, err
	}
	r.readbacks = append(r.readbacks, results)
	return &flight{results: results}, nil
}

func (r *resources) buffer(d *gpu.Device, label string, size uint64) (*gpu.Buffer, error) {
	b, err := d.NewBuffer(label, size, gpu.Storage)
	if err == nil {
		r.buffers = append(r.buffers, b)
	}
	return b, err
}

// fill writes the rows of n positions from first on, at a row of the table.
func (t *ropeTable) fill(rope *model.Rope, at, first, n int) error {
	data := make([]byte, 0, 4*n*rope.Row())
	for _, v := range rope.Table(first, n) {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return t.table.Upload(uint64(at)*uint64(4*rope.Row()), data)
}

// growTables fills RoPE's tables as far as a step's positions reach.
func (r *Runner) growTables(s *step.Step) error {
	last := int32(-1)
	for _, p := range s.Positions {
		last = max(last, p)
	}
	return r.fillTables(int(last)+1, r.options.Context)
}

// fillTables fills RoPE's tables for so many positions, of so many at most.
func (r *resources) fillTables(positions, context int) error {
	for r.filled < positions {
		if r.filled >= context {
			return fmt.Errorf("runner: position %d is past the context of %d", positions-1, context)
		}
		n := min(tablePiece, context-r.filled)
		for i := range r.ropes {
			t := &r.ropes[i]
			if err := t.fill(&t.rope, r.filled, r.filled, n); err != nil {
				return err
			}
			if t.rope.Long == nil {
				continue
			}
			if err := t.fill(t.rope.Long, context+r.filled, r.filled, n); err != nil {
				return err
			}
		}
		r.filled += n
	}
	return nil
}

func (r *resources) release() {
	for _, w := range r.drawing {
		if w != nil {
			w.end()
		}
	}
	if r.weights != nil {
		r.weights.Release()
	}
	if r.graph != nil {
		r.graph.Release()
	}
	for _, b := range r.readbacks {
		b.Release()
	}
	r.penalties.history.Release()
	for _, b := range r.buffers {
		b.Release()
	}
}
