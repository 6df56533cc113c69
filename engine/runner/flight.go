package runner

import (
	"encoding/binary"
	"fmt"
	"math"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/sample"
	"quire/engine/step"
)

// flight is a step that has been submitted and not landed.
type flight struct {
	number  uint64
	outputs []flightOutput
	results *gpu.Readback
	bytes   []byte
	logits  *gpu.Readback // where whole rows are wanted
	away    []away
}

type flightOutput struct {
	sequence uint64
	position int
	sample   bool
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
		if result.ID < 0 || int(result.ID) >= vocabulary {
			return fmt.Errorf("runner: step %d drew token %d of a vocabulary of %d", f.number, result.ID, vocabulary)
		}
		l.Tokens = append(l.Tokens, result.ID)
		l.Drawn = append(l.Drawn, result)
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
