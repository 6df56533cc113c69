package train

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"quire/engine/gpu"
)

// Options say how a model is trained.
type Options struct {
	Batch     int // sequences a step
	Optimizer Optimizer
}

// depth is how many steps may be in flight.
const depth = 2

// MaxTokens is the most tokens of a step: as many rows as every kernel takes.
const MaxTokens = 65535

// Result is what a step did.
type Result struct {
	Step         int     // from 1
	Loss         float64 // mean cross-entropy in nats a token, before the step changed the weights
	GradientNorm float64 // before it was clipped
	LearningRate float64
}

// Trainer moves a model's weights, step by step. One goroutine uses it.
type Trainer struct {
	model     *Model
	options   Options
	graph     *graph
	recorder  gpu.Recorder
	words     []uint32
	data      []byte
	readbacks [depth]*gpu.Readback
	score     *gpu.Readback
	submitted int
	landed    int
}

// NewTrainer allocates all that a step needs and waits for its kernels. The model must outlive the trainer.
func NewTrainer(ctx context.Context, m *Model, o Options) (*Trainer, error) {
	if err := o.Optimizer.check(); err != nil {
		return nil, err
	}
	if n := o.Batch * m.Length; o.Batch < 1 || n > MaxTokens {
		return nil, fmt.Errorf("train: a step of %d sequences of %d tokens, not within 1 to %d tokens", o.Batch, m.Length, MaxTokens)
	}
	t := &Trainer{model: m, options: o, graph: newGraph(m, o.Batch)}
	t.graph.build()
	err := t.graph.Finish(ctx, nil)
	for i := range t.readbacks {
		if err == nil {
			t.readbacks[i], err = m.device.NewReadback("train results", 2*resultAlign)
		}
	}
	if err == nil {
		t.score, err = m.device.NewReadback("train score", resultAlign)
	}
	if err != nil {
		t.Release()
		return nil, err
	}
	t.words = make([]uint32, t.graph.layout.size)
	return t, nil
}

// Release frees the trainer's buffers.
func (t *Trainer) Release() {
	t.graph.Release()
	for _, r := range t.readbacks {
		r.Release()
	}
	t.score.Release()
}

// CanSubmit tells whether another step may be submitted before one lands.
func (t *Trainer) CanSubmit() bool { return t.submitted-t.landed < depth }

// ErrInFlight is a Submit when CanSubmit is false, or a Land when nothing was submitted.
var ErrInFlight = errors.New("train: steps in flight")

// Submit hands one step to the GPU and returns at once.
func (t *Trainer) Submit(b Batch) error {
	if !t.CanSubmit() {
		return fmt.Errorf("%w: %d are not landed", ErrInFlight, t.submitted-t.landed)
	}
	rec, err := t.begin(b)
	if err != nil {
		return err
	}
	t.data = t.options.Optimizer.appendSettings(t.data[:0], t.submitted+1)
	rec.Write(t.graph.settings.Buffer, 0, t.data)
	t.graph.Record(rec, nil, 0, t.graph.Len())
	rec.Read(t.readbacks[t.submitted%depth], t.graph.results.Buffer, 0, 2*resultAlign)
	if err := t.model.device.Submit(rec); err != nil {
		return fmt.Errorf("train: step %d: %w", t.submitted+1, err)
	}
	t.submitted++
	return nil
}

// begin starts a tape with a batch.
func (t *Trainer) begin(b Batch) (*gpu.Recorder, error) {
	if err := b.check(t.graph.tokens, t.model.Vocabulary); err != nil {
		return nil, err
	}
	t.recorder.Reset()
	t.graph.layout.encode(b, t.words)
	t.data = appendWords(t.data[:0], t.words)
	t.recorder.Write(t.graph.batch.Buffer, 0, t.data)
	return &t.recorder, nil
}

// Score gives the mean loss of a batch, in nats a token, and learns nothing from it.
func (t *Trainer) Score(ctx context.Context, b Batch) (float64, error) {
	rec, err := t.begin(b)
	if err != nil {
		return 0, err
	}
	t.graph.Record(rec, nil, 0, t.graph.scored)
	rec.Read(t.score, t.graph.results.Buffer, 0, resultAlign)
	if err := t.model.device.Submit(rec); err != nil {
		return 0, fmt.Errorf("train: score: %w", err)
	}
	var data [4]byte
	if err := t.score.Wait(ctx, data[:]); err != nil {
		return 0, fmt.Errorf("train: score: %w", err)
	}
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(data[:]))) / float64(t.graph.tokens), nil
}

// Land waits for the oldest step in flight.
func (t *Trainer) Land(ctx context.Context) (Result, error) {
	if t.landed == t.submitted {
		return Result{}, fmt.Errorf("%w: none", ErrInFlight)
	}
	var data [2 * resultAlign]byte
	if err := t.readbacks[t.landed%depth].Wait(ctx, data[:]); err != nil {
		return Result{}, fmt.Errorf("train: step %d: %w", t.landed+1, err)
	}
	t.landed++
	value := func(at int) float64 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(data[at:])))
	}
	return Result{
		Step: t.landed, Loss: value(0) / float64(t.graph.tokens), GradientNorm: math.Sqrt(value(resultAlign)),
		LearningRate: t.options.Optimizer.LearningRate(t.landed),
	}, nil
}

// Step submits a step and waits for it.
func (t *Trainer) Step(ctx context.Context, b Batch) (Result, error) {
	if err := t.Submit(b); err != nil {
		return Result{}, err
	}
	return t.Land(ctx)
}
