package runner

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/model"
	"quire/engine/sample"
	"quire/engine/step"
)

// flight is a step that has been submitted and not landed.
type flight struct {
	number  uint64
	outputs []flightOutput
	results *gpu.Readback // of outputs, and behind them a word each where the step guesses
	guesses bool
	bytes   []byte
	logits  *gpu.Readback // where whole rows are wanted
	away    []away
	states  []awayState
	pooled  []step.Pooled // of which Values and Scores come with the step
	vectors readback
	scores  readback
}

type flightOutput struct {
	sequence uint64
	position int
	sample   bool
	masked   bool
	logits   bool
}

// read adds what the sampler gave, in f.bytes, to what landed.
func (f *flight) read(l *step.Result, vocabulary int) error {
	for i, o := range f.outputs {
		result := kernel.DecodeResult(f.bytes[i*resultBytes:])
		if result.ID == kernel.NotNumbers {
			l.Broken = append(l.Broken, o.sequence)
			result = sample.Token{}
		}
		if !o.sample {
			continue
		}
		if o.masked && result.ID == kernel.NoToken { // nothing of it is to land
			result = sample.Token{}
		}
		if result.ID < 0 || int(result.ID) >= vocabulary {
			return fmt.Errorf("runner: step %d drew token %d of a vocabulary of %d", f.number, result.ID, vocabulary)
		}
		l.Tokens = append(l.Tokens, result.ID)
		l.Drawn = append(l.Drawn, result)
		if f.guesses {
			guess := binary.LittleEndian.Uint32(f.bytes[len(f.outputs)*resultBytes+4*i:])
			l.Guesses = append(l.Guesses, int32(guess))
		}
	}
	return nil
}

// readRows adds the whole rows of logits that outputs asked for.
func (f *flight) readRows(l *step.Result, rows []byte, vocabulary int) {
	for i, o := range f.outputs {
		if !o.logits {
			continue
		}
		row := make([]float32, vocabulary)
		at := rows[i*4*kernel.RowStride(vocabulary):]
		for j := range row {
			row[j] = math.Float32frombits(binary.LittleEndian.Uint32(at[4*j:]))
		}
		l.Logits = append(l.Logits, step.Logits{Sequence: o.sequence, Position: o.position, Values: row})
	}
}

// readback is rows of floats that some steps read back.
type readback struct {
	*gpu.Readback
	bytes []byte
}

// wait takes n rows of a width that lie stride floats apart.
func (r *readback) wait(ctx context.Context, n, width int) ([][]float32, error) {
	stride := kernel.RowStride(width)
	r.bytes = grow(r.bytes, 4*n*stride)
	if err := r.Wait(ctx, r.bytes); err != nil {
		return nil, err
	}
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = make([]float32, width)
		for j := range rows[i] {
			rows[i][j] = math.Float32frombits(binary.LittleEndian.Uint32(r.bytes[4*(i*stride+j):]))
		}
	}
	return rows, nil
}

// landPooled adds what the step's pools gave. A sequence some of whose numbers are none is broken.
func (f *flight) landPooled(ctx context.Context, l *step.Result, p *model.Plan) error {
	vectors, err := f.vectors.wait(ctx, len(f.pooled), p.PooledWidth())
	if err != nil {
		return err
	}
	var scores [][]float32
	if labels := p.Labels(); labels > 0 {
		if scores, err = f.scores.wait(ctx, len(f.pooled), labels); err != nil {
			return err
		}
	}
	for i, pooled := range f.pooled {
		pooled.Values = vectors[i]
		if scores != nil {
			if pooled.Scores = scores[i]; p.Shares {
				softmax(pooled.Scores)
			}
		}
		if !numbers(pooled.Values) || !numbers(pooled.Scores) {
			l.Broken = append(l.Broken, pooled.Sequence)
		}
		l.Pooled = append(l.Pooled, pooled)
	}
	return nil
}

// numbers reports whether no value is infinity or NaN.
func numbers(values []float32) bool {
	for _, x := range values {
		if math.Float32bits(x)>>23&0xFF == 0xFF {
			return false
		}
	}
	return true
}

// softmax makes numbers shares of 1.
func softmax(values []float32) {
	top, sum := slices.Max(values), 0.0
	for _, x := range values {
		sum += math.Exp(float64(x - top))
	}
	for i, x := range values {
		values[i] = float32(math.Exp(float64(x-top)) / sum)
	}
}
