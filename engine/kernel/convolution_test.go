package kernel

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

// convGated is what a gated convolution computes of one sequence's rows of B, C and x, given the values before them, and the values that
// it keeps.
func convGated[F float32 | float64](x, weight, before []F, width, taps int) (y, kept []F) {
	values := append([]F(nil), before...)
	for t := range len(x) / (3 * width) {
		row := x[t*3*width : (t+1)*3*width]
		for c := range width {
			values = append(values, row[c]*row[2*width+c])
		}
		for c := range width {
			var sum F
			for tap := range taps {
				sum += weight[c*taps+tap] * values[(t+tap)*width+c]
			}
			y = append(y, sum*row[width+c])
		}
	}
	return y, values[len(values)-len(before):]
}

func bothWays(x, weight, before []float32, width, taps int) (want []float64, plain []float32, kept []float32) {
	want, _ = convGated(widen(x), widen(weight), widen(before), width, taps)
	plain, kept = convGated(x, weight, before, width, taps)
	return want, plain, kept
}

// Rows of one step read the states of their slots and leave theirs: in the same slot, in another, or nowhere.
func TestGatedConvolution(t *testing.T) {
	for _, c := range []struct{ width, taps int }{{64, 3}, {1, 2}, {70, 4}, {130, 7}} {
		t.Run(fmt.Sprintf("%d/taps%d", c.width, c.taps), func(t *testing.T) {
			r := newRig(t)
			step := StepData{Rows: []StepRow{{Count: 1, From: 1, To: 1}, {Count: 5, From: 0, To: 2}, {Count: 2, From: 4, To: 3}, {Count: 9, From: 5, To: 5}, {Count: 3, From: 4, To: 6}, {Count: 2}}}
			total := 0
			for i := range step.Rows {
				step.Rows[i].First = uint32(total)
				total += int(step.Rows[i].Count)
			}
			step.Tokens = make([]uint32, total)
			p := ConvolutionParams{Channels: c.width, Taps: c.taps, XStride: RowStride(3 * c.width), YStride: RowStride(c.width), Gated: true, SlotWords: (c.taps - 1) * c.width}
			words := p.StateWords()
			x, weight, states := r.floats(total*3*c.width, 1), r.floats(c.width*c.taps, 1), r.floats(8*words, 1)
			clear(states[:words])
			k, err := NewConvolution(r.dev, p)
			require.NoError(t, err)
			buffer, y := r.rows("states", states, words, words, 0), r.rows("y", r.same((total+1)*c.width, 7), c.width, p.YStride, 0)
			b, err := k.Bind(r.step(step), r.rows("x", x, 3*c.width, p.XStride, 0).All(), r.rows("weight", weight, c.taps, c.taps, 0).All(), gpu.View{}, buffer.All(), y.All())
			require.NoError(t, err)
			r.submit(func(rec *gpu.Recorder) { k.Record(rec, b, total) })

			var want []float64
			var plain []float32
			left := append([]float32(nil), states...)
			for _, row := range step.Rows {
				w, f, kept := bothWays(x[int(row.First)*3*c.width:int(row.First+row.Count)*3*c.width], weight, states[int(row.From)*words:int(row.From+1)*words], c.width, c.taps)
				want, plain = append(want, w...), append(plain, f...)
				if row.To > 0 {
					copy(left[int(row.To)*words:], kept)
				}
			}
			r.accurate(want, plain, r.written(y, total, c.width, p.YStride))
			assert.Equal(t, left, r.read(buffer))
		})
	}
}

// Whatever chunks a text comes in, every output has the same bits.
func TestConvolutionChunks(t *testing.T) {
	r := newRig(t)
	const width, taps, total = 40, 4, 23
	p := ConvolutionParams{Channels: width, Taps: taps, XStride: RowStride(3 * width), YStride: RowStride(width), Gated: true, SlotWords: (taps - 1) * width}
	x, weight := r.floats(total*3*width, 1), r.floats(width*taps, 1)
	k, err := NewConvolution(r.dev, p)
	require.NoError(t, err)
	run := func(chunks ...int) (y []float32) {
		states := r.buffer("states", make([]byte, 4*3*p.StateWords()))
		at := 0
		for i, n := range chunks {
			step := StepData{Tokens: make([]uint32, n), Rows: []StepRow{{Count: uint32(n), From: uint32(min(i, 1)), To: 1}}}
			out := r.rows("y", r.same((n+1)*width, 7), width, p.YStride, 0)
			b, err := k.Bind(r.step(step), r.rows("x", x[at*3*width:(at+n)*3*width], 3*width, p.XStride, 0).All(), r.rows("weight", weight, taps, taps, 0).All(), gpu.View{}, states.All(), out.All())
			require.NoError(t, err)
			r.submit(func(rec *gpu.Recorder) { k.Record(rec, b, n) })
			y = append(y, r.written(out, n, width, p.YStride)...)
			at += n
		}
		return y
	}
	whole := run(total)
	for _, chunks := range [][]int{{7, 7, 7, 2}, {1, 1, 1, 1, 19}, {2, 21}, {22, 1}} {
		for i, v := range run(chunks...) {
			require.Equal(t, math.Float32bits(whole[i]), math.Float32bits(v), "chunks %v, float %d", chunks, i)
		}
	}
}
