package kernel

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
)

// benchShapes are the matrices of a model of 1 billion weights, [rows][columns].
var benchShapes = []struct {
	name  string
	n, k  int
	gated Activation
}{{"qkv", 3072, 2048, ""}, {"o", 2048, 2048, ""}, {"gateup", 16384, 2048, SiLU}, {"down", 2048, 8192, ""}, {"head", 128256, 2048, ""}}

// BenchmarkLinear runs products one after another over enough copies of the matrix that none is still in a cache, and
// reports the weights' bytes a second and the arithmetic.
func BenchmarkLinear(b *testing.B) {
	for _, t := range runningTypes() {
		for _, s := range benchShapes {
			for _, m := range []int{1, 2, 4, 8, 16, 32, 64, 512} {
				if s.name == "head" && m > 64 {
					continue
				}
				b.Run(fmt.Sprintf("%s/%s/m%d", t, s.name, m), func(b *testing.B) { benchLinear(b, t, s.n, s.k, m, LinearParams{Gated: s.gated}) })
			}
		}
	}
}

// BenchmarkSkinny runs products of a few rows in shapes that $QUIRE_SHAPES lists, each "rows.tile.lanes.each.workgroup", with an RMSNorm of x where
// $QUIRE_NORM is set.
func BenchmarkSkinny(b *testing.B) {
	for _, text := range strings.Fields(os.Getenv("QUIRE_SHAPES")) {
		w := skinnyWay{subgroup: subgroupSize(gputest.Device(b).Info())}
		_, err := fmt.Sscanf(text, "%d.%d.%d.%d.%d", &w.rows, &w.tile, &w.lanes, &w.each, &w.workgroup)
		require.NoError(b, err, text)
		for _, t := range []quant.Type{quant.Q4_0, quant.Q4_K, quant.Q8_0} {
			for _, s := range benchShapes {
				for _, m := range []int{4, 8, 16, 64} {
					b.Run(fmt.Sprintf("%s/%s/m%d/%s", t, s.name, m, text), func(b *testing.B) {
						benchLinear(b, t, s.n, s.k, m, LinearParams{Gated: s.gated, Norm: os.Getenv("QUIRE_NORM") != "", Eps: eps, only: w})
					})
				}
			}
		}
	}
}

func benchLinear(b *testing.B, t quant.Type, n, k, m int, p LinearParams) {
	r := newRig(b)
	codes, scales := planeBytes(t, k)
	size := uint64(n) * (codes + scales)
	copies := int(max(1, min(64, (200<<20)/size)))
	if r.dev.Info().Type == "cpu" {
		copies = 1
	}
	xStride, yStride := RowStride(k), RowStride(n)
	x := r.rows("x", r.floats(m*k, 1), k, xStride, 0).All()
	yBuffer, err := r.dev.NewBuffer("y", uint64(m*yStride*4), gpu.Storage)
	require.NoError(b, err)
	b.Cleanup(yBuffer.Release)
	step := r.step(StepData{Tokens: make([]uint32, m)})
	p.XStride, p.YStride, p.MWord = xStride, yStride, WordTokens
	views := LinearViews{Step: step, X: x, Y: yBuffer.All()}
	if p.Norm {
		views.Norm, views.Normed = r.rows("norm", r.floats(k, 1), k, xStride, 0).All(), r.rows("normed", r.same(m*k, 0), k, xStride, 0).All()
	}
	var linears []*Linear
	var binds []*LinearBind
	for range copies {
		matrix, err := NewMatrix(r.dev, "matrix", t, n, k, 0)
		require.NoError(b, err)
		b.Cleanup(matrix.Release)
		p.Matrix = matrix
		l, err := NewLinear(r.dev, p)
		require.NoError(b, err)
		bind, err := l.Bind(views)
		require.NoError(b, err)
		linears, binds = append(linears, l), append(binds, bind)
	}
	reps := 1
	if copies > 1 {
		reps = max(1, 64/copies)
	}
	var rec gpu.Recorder
	for range reps {
		for i, l := range linears {
			l.Record(&rec, binds[i], m)
		}
	}
	run := func() {
		require.NoError(b, r.dev.Submit(&rec))
		require.NoError(b, r.dev.Idle(context.Background()))
	}
	run()
	for b.Loop() {
		run()
	}
	seconds := b.Elapsed().Seconds() / float64(b.N*reps*copies)
	b.ReportMetric(seconds*1e6, "µs/product")
	b.ReportMetric(float64(size)/seconds/1e9, "GB/s")
	b.ReportMetric(2*float64(n)*float64(k)*float64(m)/seconds/1e9, "GFLOP/s")
}
