package kernel

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
)

// rig runs kernels on random data.
type rig struct {
	testing.TB
	dev *gpu.Device
	rng *rand.Rand
}

func newRig(t testing.TB) *rig {
	return &rig{TB: t, dev: gputest.Device(t), rng: rand.New(rand.NewPCG(1, uint64(len(t.Name()))))}
}

// runningTypes are the types that kernels read.
func runningTypes() []quant.Type {
	return slices.DeleteFunc(quant.All(), func(t quant.Type) bool { return !t.Runs() })
}

func (r *rig) floats(n int, scale float64) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.rng.NormFloat64() * scale)
	}
	return out
}

// weights makes random rows and returns them as in a file and as what they stand for.
func (r *rig) weights(t quant.Type, rows, cols int) (raw []byte, w []float32) {
	raw, w = make([]byte, rows*int(t.RowBytes(uint64(cols)))), make([]float32, rows*cols)
	if t.Quantizes() {
		require.NoError(r, quant.Quantize(t, r.floats(rows*cols, 1), raw))
	} else {
		require.NoError(r, quant.Random(t, r.rng, 1, raw))
	}
	require.NoError(r, quant.Dequantize(t, raw, w))
	return raw, w
}

func (r *rig) buffer(label string, data []byte) *gpu.Buffer {
	padded := append(append([]byte(nil), data...), make([]byte, (4-len(data)%4)%4)...)
	b, err := r.dev.NewBuffer(label, uint64(len(padded)), gpu.Storage)
	require.NoError(r, err)
	r.Cleanup(b.Release)
	require.NoError(r, b.Upload(0, padded))
	return b
}

// rows uploads rows of width floats at a stride, fill between them.
func (r *rig) rows(label string, data []float32, width, stride int, fill float32) *gpu.Buffer {
	out := make([]byte, 0, len(data)/width*stride*4)
	for at := 0; at < len(data); at += width {
		for i := range stride {
			v := fill
			if i < width {
				v = data[at+i]
			}
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	}
	return r.buffer(label, out)
}

func (r *rig) read(b *gpu.Buffer) []float32 {
	words := r.words(b)
	out := make([]float32, len(words))
	for i, w := range words {
		out[i] = math.Float32frombits(w)
	}
	return out
}

func (r *rig) words(b *gpu.Buffer) []uint32 {
	data := make([]byte, b.Size())
	require.NoError(r, b.Read(context.Background(), 0, data))
	out := make([]uint32, len(data)/4)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	return out
}

func (r *rig) step(s StepData) gpu.View {
	var data []byte
	for _, w := range s.AppendWords(nil) {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	return r.buffer("step", data).All()
}

// matrix uploads raw rows, which start at an odd place in staging, and repacks them.
func (r *rig) matrix(t quant.Type, rows, cols int, raw []byte, maxBinding uint64) *Matrix {
	m, err := NewMatrix(r.dev, "matrix", t, rows, cols, maxBinding)
	require.NoError(r, err)
	r.Cleanup(m.Release)
	r.repack(m, raw, rows, RowMap{Stride: 1})
	return m
}

func (r *rig) repack(m *Matrix, raw []byte, rows int, to RowMap) {
	p, err := NewRepacker(r.dev)
	require.NoError(r, err)
	r.Cleanup(p.Release)
	const odd = 7
	staging := r.buffer("staging", append(make([]byte, odd), raw...))
	require.NoError(r, p.Run(m, staging.All(), odd, rows, to))
}

func (r *rig) submit(record func(*gpu.Recorder)) {
	var rec gpu.Recorder
	record(&rec)
	require.NoError(r, r.dev.Submit(&rec))
	require.NoError(r, r.dev.Idle(context.Background()))
	require.NoError(r, r.dev.Err())
}

// accurate asserts the rule of accuracy: the largest error is at most twice that of the plain formula in float32, plus
// 1e-5.
func (r *rig) accurate(want []float64, plain, got []float32) {
	r.Helper()
	require.Len(r, got, len(want))
	var allowed, worst float64
	at := 0
	for i, w := range want {
		allowed = max(allowed, math.Abs(float64(plain[i])-w))
		if e := math.Abs(float64(got[i]) - w); e > worst || math.IsNaN(e) {
			worst, at = e, i
			if math.IsNaN(e) {
				break
			}
		}
	}
	if !(worst <= 2*allowed+1e-5) {
		r.Errorf("largest error %g at %d (got %g, want %g); the plain formula's is %g", worst, at, got[at], want[at], allowed)
	}
}

func widen(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, f := range x {
		out[i] = float64(f)
	}
	return out
}
