package reference

import "math"

// Float is the arithmetic an operation runs in.
type Float interface{ float32 | float64 }

func exp[T Float](x T) T { return T(math.Exp(float64(x))) }

// RMSNorm scales each row of x [rows][len(weight)] to a root mean square of one and multiplies by
// weight: x / sqrt(mean(x²) + eps) · weight (Zhang and Sennrich, arXiv 1910.07467, section 4).
func RMSNorm[T, W Float](x []T, weight []W, eps T) []T {
	n := len(weight)
	out := make([]T, len(x))
	for at := 0; at+n <= len(x) && n > 0; at += n {
		var sum T
		for _, f := range x[at : at+n] {
			sum += f * f
		}
		scale := 1 / T(math.Sqrt(float64(sum/T(n)+eps)))
		for i, f := range x[at : at+n] {
			out[at+i] = f * scale * T(weight[i])
		}
	}
	return out
}

// MatVec gives w · x for weights [n][len(x)], row-major.
func MatVec[T, W Float](w []W, x []T) []T { return MatMul(w, x, len(x)) }

// MatMul gives x · wᵀ as [m][n] for rows x [m][k] and weights w [n][k]. Each sum runs over k in order.
func MatMul[T, W Float](w []W, x []T, k int) []T {
	m, n := len(x)/k, len(w)/k
	out := make([]T, m*n)
	// Four outputs at a time keep the adder busy without changing the order of any one sum.
	parallel((n+3)/4, func(group int) {
		first := 4 * group
		if first+4 > n {
			for r := first; r < n; r++ {
				for i := range m {
					out[i*n+r] = dot(w[r*k:r*k+k], x[i*k:i*k+k])
				}
			}
			return
		}
		w0, w1 := w[first*k:first*k+k], w[(first+1)*k:(first+1)*k+k]
		w2, w3 := w[(first+2)*k:(first+2)*k+k], w[(first+3)*k:(first+3)*k+k]
		for i := range m {
			var s0, s1, s2, s3 T
			for j, f := range x[i*k : i*k+k] {
				s0 += f * T(w0[j])
				s1 += f * T(w1[j])
				s2 += f * T(w2[j])
				s3 += f * T(w3[j])
			}
			row := out[i*n+first : i*n+first+4]
			row[0], row[1], row[2], row[3] = s0, s1, s2, s3
		}
	})
	return out
}

func dot[T, W Float](w []W, x []T) T {
	var sum T
	for j, f := range x {
		sum += f * T(w[j])
	}
	return sum
}

// Add gives x + y element by element; y repeats where it is shorter, as a bias does.
func Add[T, W Float](x []T, y []W) []T {
	out := make([]T, len(x))
	for i, f := range x {
		out[i] = f + T(y[i%len(y)])
	}
	return out
}

// LayerNorm gives (x − mean) / sqrt(variance + eps) · weight + bias for each row (Ba et al., arXiv 1607.06450).
func LayerNorm[T Float, W Float](x []T, weight, bias []W, eps T) []T {
	out := make([]T, len(x))
	for at := 0; at < len(x); at += len(weight) {
		row := x[at : at+len(weight)]
		var mean, squares T
		for _, f := range row {
			mean += f
		}
		mean /= T(len(row))
		for _, f := range row {
			squares += (f - mean) * (f - mean)
		}
		scale := 1 / T(math.Sqrt(float64(squares/T(len(row))+eps)))
		for i, f := range row {
			out[at+i] = (f-mean)*scale*T(weight[i]) + T(bias[i])
		}
	}
	return out
}

// SwiGLU gives silu(gate) · up, with silu(g) = g / (1 + exp(-g)) (Shazeer, arXiv 2002.05202, section 2).
func SwiGLU[T Float](gate, up []T) []T {
	out := make([]T, len(gate))
	for i, g := range gate {
		out[i] = g / (1 + exp(-g)) * up[i]
	}
	return out
}

// GeGLU gives gelu(gate) · up, with gelu(g) = g/2 · (1 + tanh(√(2/π) · (g + 0.044715·g³))) (Hendrycks and Gimpel, arXiv
// 1606.08415, section 2).
func GeGLU[T Float](gate, up []T) []T {
	out := make([]T, len(gate))
	for i, g := range gate {
		out[i] = g / 2 * (1 + T(math.Tanh(float64(T(math.Sqrt(2/math.Pi))*(g+0.044715*g*g*g))))) * up[i]
	}
	return out
}

// Softmax gives exp(x - max) divided by its sum. An empty x gives an empty result.
func Softmax[T Float](x []T) []T {
	out, _ := softmax(x)
	return out
}

// softmax also gives the log-sum-exp, minus infinity for an empty x.
func softmax[T Float](x []T) (p []T, lse T) {
	if len(x) == 0 {
		return nil, T(math.Inf(-1))
	}
	high := x[0]
	for _, f := range x {
		high = max(high, f)
	}
	var sum T
	p = make([]T, len(x))
	for i, f := range x {
		p[i] = exp(f - high)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p, high + T(math.Log(float64(sum)))
}
