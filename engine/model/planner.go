package model

import (
	"fmt"

	"quire/engine/gguf"
	"quire/engine/quant"
)

// planner finds tensors and remembers the first error.
type planner struct {
	*ledger
	err error
}

func (b *planner) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("%w: "+format, append([]any{ErrUnsupported}, args...)...)
	}
}

func (b *planner) tensor(name string) *gguf.Tensor {
	t, ok := b.find(name)
	if !ok {
		b.fail("the file has no tensor %s", name)
		return &gguf.Tensor{Name: name}
	}
	return t
}

func (b *planner) matrix(label string, rows, cols int, parts ...Part) Matrix {
	m := Matrix{Label: label, Rows: rows, Cols: cols, Parts: parts}
	total := 0
	for _, part := range parts {
		t := part.Tensor
		if b.err != nil {
			return m
		}
		if !t.Type.Runs() {
			b.fail("tensor %s has type %s", t.Name, t.Type)
			return m
		}
		m.Type = t.Type
		if len(t.Shape) != 2 || t.Shape[0] != uint64(cols) {
			b.fail("tensor %s has shape %v, want rows of %d", t.Name, t.Shape, cols)
			return m
		}
		total += int(t.Shape[1])
	}
	if total != rows {
		b.fail("tensor %s has shape %v, want [%d %d]", parts[0].Tensor.Name, parts[0].Tensor.Shape, cols, rows)
	}
	return m
}

// vector is a single tensor.
func (b *planner) vector(label string, length int, name string) Vector {
	v := Vector{Label: label, Length: length}
	b.part(&v, b.tensor(name), 0, length)
	return v
}

func (b *planner) part(v *Vector, t *gguf.Tensor, offset, length int) {
	switch {
	case b.err != nil:
	case t.Type != quant.F32:
		b.fail("tensor %s has type %s, want F32", t.Name, t.Type)
	case t.Elements() != uint64(length):
		b.fail("tensor %s has %d elements, want %d", t.Name, t.Elements(), length)
	}
	v.Parts = append(v.Parts, VectorPart{Tensor: t, Offset: offset})
}

// bias is what is added to q, k and v, of which any may have none; nil where none has one.
func (b *planner) bias(label string, qRows, kvRows int, q, k, v string) *Vector {
	bias := &Vector{Label: label, Length: qRows + 2*kvRows}
	for _, part := range []struct {
		name           string
		offset, length int
	}{{q, 0, qRows}, {k, qRows, kvRows}, {v, qRows + kvRows, kvRows}} {
		if t, ok := b.find(part.name); ok {
			b.part(bias, t, part.offset, part.length)
		}
	}
	if len(bias.Parts) == 0 {
		return nil
	}
	return bias
}
