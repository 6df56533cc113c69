package train

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/reference"
)

// TestProducts covers edges of tiles in every direction, rows that end inside a vector, and sums that are split.
func TestProducts(t *testing.T) {
	for _, s := range []struct{ m, n, k int }{
		{1, 4, 4}, {5, 7, 9}, {64, 64, 32}, {65, 66, 33}, {130, 70, 257}, {1100, 36, 40},
	} {
		t.Run(fmt.Sprint(s.m, "x", s.n, "x", s.k), func(t *testing.T) {
			r := newRig(t)
			x, w, dy, before := r.floats(s.m*s.k, 1), r.floats(s.n*s.k, 1), r.floats(s.m*s.n, 1), r.floats(s.m*s.n, 1)
			mx, mw, mdy := r.put(x, s.k), r.put(w, s.k), r.put(dy, s.n)
			y, added := r.put(make([]float32, s.m*s.n), s.n), r.put(before, s.n)
			dx, dw := r.matrix("dx", s.m, s.k), r.matrix("dw", s.n, s.k)
			r.project(mx, mw, y, false)
			r.project(mx, mw, added, true)
			r.projectInput(mdy, mw, dx, false)
			r.projectWeight(mdy, mx, dw)
			r.run()

			want, plain := reference.MatMul(w, wide(x), s.k), reference.MatMul(w, x, s.k)
			accurate(t, "y", want, plain, r.get(y), forwardTimes)
			accurate(t, "y added", reference.Add(want, before), reference.Add(plain, before), r.get(added), forwardTimes)
			wantW, wantX := reference.MatMulBackward(wide(w), wide(x), wide(dy), s.k)
			plainW, plainX := reference.MatMulBackward(w, x, dy, s.k)
			accurate(t, "dx", wantX, plainX, r.get(dx), gradientTimes)
			accurate(t, "dw", wantW, plainW, r.get(dw), gradientTimes)
		})
	}
}

// TestLargeTiles takes a product that is large enough for tiles of 128.
func TestLargeTiles(t *testing.T) {
	r := newRig(t)
	const m, n, k = 2048 - 3, 2048 - 2, 36
	require.GreaterOrEqual(t, tiles(m, n, 128), manyTiles)
	x, w := r.floats(m*k, 1), r.floats(n*k, 1)
	y := r.matrix("y", m, n)
	r.project(r.put(x, k), r.put(w, k), y, false)
	r.run()
	accurate(t, "y", reference.MatMul(w, wide(x), k), reference.MatMul(w, x, k), r.get(y), forwardTimes)
}

func TestSplitSums(t *testing.T) {
	assert.Equal(t, 1, productShape{m: 32, n: 32, k: 511}.splits())
	assert.Equal(t, 2, productShape{m: 32, n: 32, k: 512}.splits())
	assert.Equal(t, 256, productShape{m: 64, n: 64, k: 1 << 20}.splits())
	assert.Equal(t, 1, productShape{m: 1024, n: 1024, k: 1 << 15}.splits(), "enough tiles without")
	assert.Equal(t, 32, productShape{m: 1024, n: 1024, k: 1 << 20}.splits(), "more than one launch may sum")
}

func TestNorm(t *testing.T) {
	for _, s := range []struct{ rows, width int }{{1, 32}, {5, 96}, {130, 64}, {9, 1056}} {
		t.Run(fmt.Sprint(s.rows, "x", s.width), func(t *testing.T) {
			r := newRig(t)
			const eps = 1e-5
			x, weight, dy, before := r.floats(s.rows*s.width, 2), r.floats(s.width, 1), r.floats(s.rows*s.width, 1), r.floats(s.rows*s.width, 1)
			mx, mw, mdy, dx := r.put(x, s.width), r.put(weight, s.width), r.put(dy, s.width), r.put(before, s.width)
			y, dw := r.matrix("y", s.rows, s.width), r.matrix("dw", 1, s.width)
			r.norm(mx, mw.View, y, eps)
			r.normBackward(mx, mw.View, mdy, dx, dw.View, eps)
			r.run()

			accurate(t, "y", reference.RMSNorm(wide(x), weight, float64(float32(eps))), reference.RMSNorm(x, weight, eps), r.get(y), forwardTimes)
			wantX, wantW := reference.RMSNormBackward(wide(x), wide(weight), wide(dy), float64(float32(eps)))
			plainX, plainW := reference.RMSNormBackward(x, weight, dy, eps)
			accurate(t, "dx", reference.Add(wantX, before), reference.Add(plainX, before), r.get(dx), gradientTimes)
			accurate(t, "dweight", wantW, plainW, r.get(dw), gradientTimes)
		})
	}
}

func TestSwiGLU(t *testing.T) {
	r := newRig(t)
	const rows, width = 7, 96
	gate, up, dh := r.floats(rows*width, 3), r.floats(rows*width, 1), r.floats(rows*width, 1)
	gate[0], gate[1], gate[2] = 200, -200, 0
	mg, mu, h := r.put(gate, width), r.put(up, width), r.matrix("h", rows, width)
	r.swiglu(mg, mu, h)
	r.swigluBackward(mg, mu, r.put(dh, width))
	r.run()

	accurate(t, "h", reference.SwiGLU(wide(gate), wide(up)), reference.SwiGLU(gate, up), r.get(h), forwardTimes)
	wantG, wantU := reference.SwiGLUBackward(wide(gate), wide(up), wide(dh))
	plainG, plainU := reference.SwiGLUBackward(gate, up, dh)
	accurate(t, "dgate", wantG, plainG, r.get(mg), gradientTimes)
	accurate(t, "dup", wantU, plainU, r.get(mu), gradientTimes)
}

func TestRoPE(t *testing.T) {
	r := newRig(t)
	c := Config{HeadDim: 6, Length: 5, RopeBase: 100}
	const heads, rows = 2, 10
	x := r.floats(rows*heads*c.HeadDim, 1)
	turned, back := r.put(x, heads*c.HeadDim), r.put(x, heads*c.HeadDim)
	table := r.ropeTable(c)
	r.rope(c, table, turned, false)
	r.rope(c, table, back, true)
	r.run()

	positions := []int{0, 1, 2, 3, 4, 0, 1, 2, 3, 4}
	cos, sin := reference.RopeTable(reference.RopeParams{Base: c.RopeBase, Dim: c.HeadDim}, positions)
	want := reference.RoPE(wide(x), heads, c.HeadDim, cos, sin, reference.Adjacent)
	accurate(t, "turned", want, reference.RoPE(x, heads, c.HeadDim, narrow(cos), narrow(sin), reference.Adjacent), r.get(turned), forwardTimes)
	want = reference.RoPEBackward(wide(x), heads, c.HeadDim, cos, sin, reference.Adjacent)
	accurate(t, "back", want, reference.RoPEBackward(x, heads, c.HeadDim, narrow(cos), narrow(sin), reference.Adjacent), r.get(back), gradientTimes)
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, f := range x {
		out[i] = float32(f)
	}
	return out
}

// TestEmbedding has a token that never occurs, one that occurs once and one that occurs often.
func TestEmbedding(t *testing.T) {
	for name, add := range map[string]bool{"writes": false, "adds": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			const vocabulary, width, n = 5, 160, 61
			b := Batch{Tokens: make([]int32, n), Targets: make([]int32, n)}
			for i := range b.Tokens {
				b.Tokens[i] = []int32{0, 2, 4}[r.rng.IntN(3)]
			}
			b.Tokens[7] = 3
			l := newBatchLayout(n, vocabulary)
			words := make([]uint32, l.size)
			l.encode(b, words)
			l.encode(b, words) // a second batch finds what the first left
			w, dy, before := r.floats(vocabulary*width, 1), r.floats(n*width, 1), r.floats(vocabulary*width, 1)
			y, dw := r.matrix("y", n, width), r.put(before, width)
			r.embed(r.words(words[:l.targets]), r.put(w, width), y)
			r.embedBackward(r.words(words[l.starts:l.order]), r.words(words[l.order:]), r.put(dy, width), dw, add)
			r.run()

			var rows []float32
			for _, id := range b.Tokens {
				rows = append(rows, w[int(id)*width:][:width]...)
			}
			assert.Equal(t, rows, r.get(y))
			want, plain := reference.EmbedBackward(wide(dy), b.Tokens, vocabulary, width), reference.EmbedBackward(dy, b.Tokens, vocabulary, width)
			if add {
				want, plain = reference.Add(want, before), reference.Add(plain, before)
			}
			accurate(t, "dw", want, plain, r.get(dw), gradientTimes)
		})
	}
}

func TestCrossEntropy(t *testing.T) {
	for _, vocabulary := range []int{2, 66, 700} {
		t.Run(fmt.Sprint(vocabulary), func(t *testing.T) {
			r := newRig(t)
			const rows = 9
			logits := r.floats(rows*vocabulary, 4)
			logits[0], logits[1] = 3e4, -3e4 // a row that is certain
			logits[vocabulary], logits[vocabulary+1] = -3e4, -3e4
			targets := make([]int32, rows)
			words := make([]uint32, rows)
			for i := range targets {
				targets[i] = int32(r.rng.IntN(vocabulary))
				words[i] = uint32(targets[i])
			}
			m, losses, total := r.put(logits, vocabulary), r.Buffer("losses", 12), r.Buffer("total", 4)
			r.crossEntropy(r.words(words), m, losses)
			r.total(losses, false, total)
			r.run()

			want, wantD := reference.CrossEntropy(wide(logits), targets)
			plain, plainD := reference.CrossEntropy(logits, targets)
			got := r.read(total)[0] / rows
			accurate(t, "loss", []float64{want}, []float32{plain}, []float32{got}, forwardTimes)
			accurate(t, "dlogits", wantD, plainD, r.get(m), gradientTimes)
		})
	}
}

func TestTotal(t *testing.T) {
	for _, n := range []int{4, 260, 4100, 1 << 20} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := newRig(t)
			x := r.floats(n, 1)
			mx, sum, squares := r.put(x, n), r.Buffer("sum", 4), r.Buffer("squares", 4)
			r.total(mx.View, false, sum)
			r.total(mx.View, true, squares)
			r.run()
			var wantSum, wantSquares float64
			for _, f := range wide(x) {
				wantSum += f
				wantSquares += f * f
			}
			scale := math.Sqrt(float64(n))
			assert.InDelta(t, wantSum, r.read(sum)[0], 1e-5*scale)
			assert.InEpsilon(t, wantSquares, r.read(squares)[0], 1e-6)
		})
	}
}

// TestAdamW takes the third step of a vector of which the second half does not decay, clipped and not.
func TestAdamW(t *testing.T) {
	for name, clip := range map[string]float64{"clipped": 1, "within": 1e6, "without": 0} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			o := Optimizer{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.1, Clip: clip, Rate: 0.1}
			const n = 512
			x, gradient := r.floats(n, 1), r.floats(n, 1)
			mx, mg := r.put(x, n), r.put(gradient, n)
			settings, squares := r.Uniform("settings", settingsWords), r.Buffer("squares", 4)
			r.total(mg.View, true, squares)
			first, second := r.Buffer("first", n), r.Buffer("second", n)
			r.adamw(settings, squares, mg.View, first, second, mx.View, n/2)

			want64, want32 := reference.AdamW[float64]{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.1, Clip: clip, Rate: 0.1}, reference.AdamW[float32]{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.1, Clip: clip, Rate: 0.1}
			w64 := reference.Weights[float64]{"a.weight": wide(x[:n/2]), "b_norm.weight": wide(x[n/2:])}
			w32 := reference.Weights[float32]{"a.weight": append([]float32(nil), x[:n/2]...), "b_norm.weight": append([]float32(nil), x[n/2:]...)}
			for step := 1; step <= 3; step++ {
				require.NoError(t, settings.Buffer.Upload(0, o.appendSettings(nil, step)))
				r.run()
				want64.Update(w64, reference.Weights[float64]{"a.weight": wide(gradient[:n/2]), "b_norm.weight": wide(gradient[n/2:])})
				want32.Update(w32, reference.Weights[float32]{"a.weight": gradient[:n/2], "b_norm.weight": gradient[n/2:]})
			}
			got := r.get(mx)
			accurate(t, "decaying", w64["a.weight"], w32["a.weight"], got[:n/2], forwardTimes)
			accurate(t, "not decaying", w64["b_norm.weight"], w32["b_norm.weight"], got[n/2:], forwardTimes)
		})
	}
}
