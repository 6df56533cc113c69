package reference

import "math"

// MatMulBackward gives the gradients by w [n][k] and x [m][k] of a loss from dy [m][n], its gradient by MatMul's result.
func MatMulBackward[T Float](w, x, dy []T, k int) (dw, dx []T) {
	m, n := len(x)/k, len(w)/k
	dw, dx = make([]T, len(w)), make([]T, len(x))
	parallel(n, func(r int) {
		row := dw[r*k : r*k+k]
		for i := range m {
			g := dy[i*n+r]
			for j, f := range x[i*k : i*k+k] {
				row[j] += g * f
			}
		}
	})
	parallel(m, func(i int) {
		row := dx[i*k : i*k+k]
		for r, g := range dy[i*n : i*n+n] {
			for j, f := range w[r*k : r*k+k] {
				row[j] += g * f
			}
		}
	})
	return dw, dx
}

// RMSNormBackward gives the gradients by x [rows][n] and weight [n] from dy, the gradient by RMSNorm's result:
// with r = 1/sqrt(mean(x²) + eps), dx = r·(dy·weight) − x·r³/n·Σ(dy·weight·x), and dweight sums dy·x·r over the rows.
func RMSNormBackward[T Float](x, weight, dy []T, eps T) (dx, dweight []T) {
	n := len(weight)
	dx, dweight = make([]T, len(x)), make([]T, n)
	for at := 0; at < len(x); at += n {
		var squares, along T
		for i, f := range x[at : at+n] {
			squares += f * f
			along += dy[at+i] * weight[i] * f
		}
		r := 1 / T(math.Sqrt(float64(squares/T(n)+eps)))
		pull := r * r * r / T(n) * along
		for i, f := range x[at : at+n] {
			dx[at+i] = r*dy[at+i]*weight[i] - f*pull
			dweight[i] += dy[at+i] * f * r
		}
	}
	return dx, dweight
}

// RoPEBackward gives the gradient by RoPE's x from dy: the inverse rotation.
func RoPEBackward[T Float](dy []T, heads, headDim int, cos, sin []T, pairing Pairing) []T {
	back := make([]T, len(sin))
	for i, s := range sin {
		back[i] = -s
	}
	return RoPE(dy, heads, headDim, cos, back, pairing)
}

// SwiGLUBackward gives the gradients by gate and up from dy, the gradient by SwiGLU's result. With s = sigmoid(g),
// silu's derivative is s·(1 + g·(1 − s)).
func SwiGLUBackward[T Float](gate, up, dy []T) (dgate, dup []T) {
	dgate, dup = make([]T, len(gate)), make([]T, len(gate))
	for i, g := range gate {
		s := 1 / (1 + exp(-g))
		dgate[i] = dy[i] * up[i] * s * (1 + g*(1-s))
		dup[i] = dy[i] * g * s
	}
	return dgate, dup
}

// CrossEntropy gives the mean over the rows of −log softmax(logits)[target], and its gradient by logits [rows][vocabulary].
func CrossEntropy[T Float](logits []T, targets []int32) (loss T, dlogits []T) {
	rows := len(targets)
	n := len(logits) / rows
	dlogits = make([]T, 0, len(logits))
	for i, target := range targets {
		row := logits[i*n : i*n+n]
		p, lse := softmax(row)
		loss += lse - row[target]
		p[target]--
		for _, f := range p {
			dlogits = append(dlogits, f/T(rows))
		}
	}
	return loss / T(rows), dlogits
}

// EmbedBackward gives the gradient by an embedding of [vocabulary][width] from dy [tokens][width]: each token's row of dy is
// added to its row of the embedding.
func EmbedBackward[T Float](dy []T, tokens []int32, vocabulary, width int) []T {
	out := make([]T, vocabulary*width)
	for i, token := range tokens {
		for j, f := range dy[i*width : i*width+width] {
			out[int(token)*width+j] += f
		}
	}
	return out
}
