package train

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/reference"
)

// rig builds a program of a few operations on random data and runs it once.
type rig struct {
	testing.TB
	*builder
	rng *rand.Rand
}

func newRig(t testing.TB) *rig {
	r := &rig{TB: t, builder: newBuilder(gputest.Device(t)), rng: rand.New(rand.NewPCG(5, uint64(len(t.Name()))))}
	t.Cleanup(r.Release)
	return r
}

func (r *rig) floats(n int, scale float64) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.rng.NormFloat64() * scale)
	}
	return out
}

// put makes a matrix of values [rows][columns].
func (r *rig) put(values []float32, columns int) matrix {
	m := r.matrix("test", len(values)/columns, columns)
	require.NoError(r, r.Err())
	require.NoError(r, m.Buffer.Upload(0, encode(spread(values, columns, m.stride))))
	return m
}

// spread puts zeros between rows.
func spread(values []float32, columns, stride int) []float32 {
	var out []float32
	for at := 0; at < len(values); at += columns {
		out = append(out, values[at:at+columns]...)
		out = append(out, make([]float32, stride-columns)...)
	}
	return out
}

func encode(values []float32) []byte {
	var data []byte
	for _, f := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(f))
	}
	return data
}

func (r *rig) words(values []uint32) gpu.View {
	v := r.Buffer("test", (len(values)+3)/4*4)
	require.NoError(r, r.Err())
	require.NoError(r, v.Buffer.Upload(0, appendWords(nil, values)))
	return v
}

// run runs what was added.
func (r *rig) run() {
	require.NoError(r, r.Finish(context.Background(), nil))
	var rec gpu.Recorder
	r.Record(&rec, nil, 0, r.Len())
	require.NoError(r, r.Device().Submit(&rec))
	require.NoError(r, r.Device().Idle(context.Background()))
	require.NoError(r, r.Device().Err())
}

// get reads a matrix and asserts that nothing but zeros lies between its rows.
func (r *rig) get(m matrix) []float32 {
	all := r.read(m.View)
	var out []float32
	for at := 0; at < m.rows*m.stride; at += m.stride {
		out = append(out, all[at:at+m.columns]...)
		for _, f := range all[at+m.columns : at+m.stride] {
			require.Zero(r, f, "padding")
		}
	}
	return out
}

func (r *rig) read(v gpu.View) []float32 {
	data := make([]byte, v.Size)
	require.NoError(r, v.Buffer.Read(context.Background(), v.Offset, data))
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

// accurate asserts the rule of accuracy: the largest error is at most times that of the plain formula in float32, plus 1e-5.
func accurate(t testing.TB, name string, want []float64, plain, got []float32, times float64) {
	t.Helper()
	require.Len(t, got, len(want), name)
	require.Len(t, plain, len(want), name)
	var allowed, worst float64
	at := 0
	for i, w := range want {
		allowed = max(allowed, math.Abs(float64(plain[i])-w))
		e := math.Abs(float64(got[i]) - w)
		if math.IsNaN(e) {
			t.Errorf("%s: %g at %d", name, got[i], i)
			return
		}
		if e > worst {
			worst, at = e, i
		}
	}
	if worst > times*allowed+1e-5 {
		t.Errorf("%s: largest error %g at %d (got %g, want %g); the plain formula's is %g", name, worst, at, got[at], want[at], allowed)
	}
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, f := range x {
		out[i] = float64(f)
	}
	return out
}

// forward and gradient say how far kernels may err.
const (
	forwardTimes  = 2
	gradientTimes = 3
)

// referenceConfig is a config in the reference's words.
func referenceConfig(c Config) reference.Config {
	return reference.Config{Architecture: "llama", Layers: c.Layers, Width: c.Width, Heads: c.Heads, KVHeads: c.KVHeads, HeadDim: c.HeadDim,
		FFN: c.FFN, Vocabulary: c.Vocabulary, Eps: float64(c.Eps), Rope: reference.RopeParams{Base: c.RopeBase, Dim: c.HeadDim}}
}
