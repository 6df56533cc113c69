package kernel

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/reference"
)

func TestSliceNorm(t *testing.T) {
	for _, c := range []struct{ slices, width, m int }{{1, 4, 1}, {9, 16, 5}, {35, 256, 2}, {3, 20, 7}} {
		for _, variant := range []string{"baseline", ""} {
			t.Run(fmt.Sprintf("%dx%d/m%d/%s", c.slices, c.width, c.m, variant), func(t *testing.T) {
				r := newRig(t)
				width := c.slices * c.width
				p := SliceNormParams{Slices: c.slices, Width: c.width, Stride: RowStride(width), Eps: eps, Scale: math.Sqrt2 / 2, Variant: variant}
				n, err := NewSliceNorm(r.dev, p)
				require.NoError(t, err)
				x, weights, y := r.floats(c.m*width, 2), r.floats(c.width, 1), r.floats((c.m+1)*width, 1)
				rows := r.rows("y", y, width, p.Stride, 0) // with a row that is not this step's
				b, err := n.Bind(r.step(StepData{Tokens: make([]uint32, c.m)}), r.rows("x", x, width, p.Stride, 7).All(), r.rows("weight", weights, c.width, RowStride(c.width), 0).All(), rows.All())
				require.NoError(t, err)
				r.submit(func(rec *gpu.Recorder) { n.Record(rec, b, c.m) })
				var got []float32
				for at, f := range r.read(rows) {
					switch m, i := at/p.Stride, at%p.Stride; {
					case m < c.m && i < width:
						got = append(got, f)
					case i < width:
						require.Equal(t, y[m*width+i], f, "row %d", m)
					}
				}
				r.accurate(sliceNorms[float64](p, x, weights, y), sliceNorms[float32](p, x, weights, y), got)
			})
		}
	}
	_, err := NewSliceNorm(newRig(t).dev, SliceNormParams{Slices: 2, Width: 20, Stride: 32})
	require.ErrorIs(t, err, ErrMatrixShape)
}

func sliceNorms[T reference.Float](p SliceNormParams, x, weights, y []float32) (out []T) {
	for at := 0; at < len(x); at += p.Width {
		var row []T
		for i := range p.Width {
			row = append(row, T(x[at+i]))
		}
		for i, v := range reference.RMSNorm(row, weights, T(p.Eps)) {
			out = append(out, (T(y[at+i])+v)*T(p.Scale))
		}
	}
	return out
}
