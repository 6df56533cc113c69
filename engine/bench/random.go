package bench

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"sort"
	"strings"

	"quire/engine/gguf"
	"quire/engine/quant"
)

// patternBlocks is the length in blocks, of 32 weights or the type's, of the data that matrices repeat. A prime: rows of a
// matrix, a few blocks or dozens each, start at different places of it.
const patternBlocks = 4099

const alignment = 32 // of tensor data in a GGUF file

// Random is a GGUF file with random weights, made as it is read: only the header and a few patterns are held in memory.
// Weights are uniform with a standard deviation of 1/sqrt(columns), which keeps activations tame; norms are 1, biases 0.
type Random struct {
	header  []byte
	tensors []gguf.Tensor // by offset
	fill    [][]byte      // the repeated data of each tensor
	size    int64
}

// RandomTypes lists the types that random matrices can have, by name.
func RandomTypes() []string {
	var names []string
	for _, t := range quant.All() {
		if t.Runs() {
			names = append(names, strings.ToLower(t.String()))
		}
	}
	return names
}

// NewRandom makes the file of a shape with matrices of type t.
func NewRandom(s Shape, t quant.Type) (*Random, error) {
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	r := &Random{}
	var failed error
	keep := func(err error) {
		if failed == nil {
			failed = err
		}
	}
	s.metadata(func(key string, value any) { keep(w.Metadata.Set(key, value)) })
	s.tensors(func(name string, t quant.Type, shape ...uint64) {
		keep(w.Declare(name, t, shape...))
		r.tensors = append(r.tensors, gguf.Tensor{Name: name, Type: t, Shape: shape})
	}, t)
	keep(w.WriteHeader())
	if failed != nil {
		return nil, fmt.Errorf("random weights of shape %s: %w", s.Name, failed)
	}
	r.header = out.Bytes()
	r.size = int64(len(r.header))
	patterns := map[string][]byte{}
	for i := range r.tensors {
		t := &r.tensors[i]
		t.Offset = r.size
		t.Bytes = t.Type.RowBytes(t.Elements())
		r.size += (t.Bytes + alignment - 1) / alignment * alignment
		key := fmt.Sprint(t.Type, kindOf(t), t.Shape[0])
		if patterns[key] == nil {
			var err error
			if patterns[key], err = pattern(t); err != nil {
				return nil, err
			}
		}
		r.fill = append(r.fill, patterns[key])
	}
	return r, nil
}

const (
	kindMatrix = "matrix"
	kindNorm   = "norm"
	kindBias   = "bias"
	kindDecay  = "decay" // of a state, which has to fade
)

func kindOf(t *gguf.Tensor) string {
	switch {
	case strings.HasSuffix(t.Name, ".bias"):
		return kindBias
	case strings.HasSuffix(t.Name, "ssm_a"):
		return kindDecay
	case len(t.Shape) == 1:
		return kindNorm
	}
	return kindMatrix
}

// pattern makes the data that a tensor repeats.
func pattern(t *gguf.Tensor) ([]byte, error) {
	data := make([]byte, patternBlocks*max(32/t.Type.BlockWeights(), 1)*t.Type.BlockBytes())
	var err error
	switch kindOf(t) {
	case kindNorm, kindDecay:
		ones := make([]float32, len(data)/t.Type.BlockBytes()*t.Type.BlockWeights())
		for i := range ones {
			ones[i] = 1
			if kindOf(t) == kindDecay {
				ones[i] = -1
			}
		}
		err = quant.Quantize(t.Type, ones, data)
	case kindMatrix:
		random := rand.New(rand.NewPCG(uint64(t.Type), t.Shape[0]))
		err = quant.Random(t.Type, random, float32(1/math.Sqrt(float64(t.Shape[0]))), data)
	}
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", t.Name, err)
	}
	return data, nil
}

// Size is the file's size in bytes.
func (r *Random) Size() int64 { return r.size }

// ReadAt makes the bytes at an offset. It may be called from several goroutines.
func (r *Random) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("read random weights: negative offset %d", offset)
	}
	n := 0
	for n < len(p) && offset+int64(n) < r.size {
		n += r.piece(p[n:], offset+int64(n))
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Parallel is of gpu.Parallel: several goroutines make more.
func (r *Random) Parallel() bool { return true }

// piece makes some of the bytes at an offset, at least one.
func (r *Random) piece(p []byte, at int64) int {
	if at < int64(len(r.header)) {
		return copy(p, r.header[at:])
	}
	i := sort.Search(len(r.tensors), func(i int) bool { return r.tensors[i].Offset > at }) - 1
	t := &r.tensors[i]
	into := at - t.Offset
	if into >= t.Bytes { // the padding before the next tensor
		n := min(int64(len(p)), alignment-at%alignment)
		clear(p[:n])
		return int(n)
	}
	p = p[:min(int64(len(p)), t.Bytes-into)]
	return copy(p, r.fill[i][into%int64(len(r.fill[i])):])
}

// CommonType is the tensor type that takes the most bytes of a file.
func CommonType(header *gguf.File) string {
	bytes := map[quant.Type]int64{}
	most := quant.F32
	for _, t := range header.Tensors {
		bytes[t.Type] += t.Bytes
		if bytes[t.Type] > bytes[most] {
			most = t.Type
		}
	}
	return strings.ToLower(most.String())
}
