package reference

import "math"

// AttentionParams shape one attention call.
type AttentionParams struct {
	Heads   int     // query heads
	KVHeads int     // key and value heads, a divisor of Heads; neighbouring query heads share one
	HeadDim int     // of queries, keys and values
	Causal  bool    // a query sees keys up to its own position; the last query sits at the last key
	Window  int     // a query sees only the last Window keys up to its own position; 0: all
	Scale   float64 // of the scores, usually 1/sqrt(HeadDim)
	Softcap float64 // scores become Softcap · tanh(score / Softcap); 0: unchanged
}

// Attention gives softmax(scale · q kᵀ) v, with all scores of a row at hand (Vaswani et al., arXiv
// 1706.03762, section 3.2.1). q is [T][Heads][HeadDim], k and v are [S][KVHeads][HeadDim], out is like
// q, lse [T][Heads] holds each row's log-sum-exp. Keys that a query does not see are never read. A row
// that sees nothing gives 0 and a log-sum-exp of minus infinity.
func Attention[T Float](q, k, v []T, p AttentionParams) (out, lse []T) {
	d := p.HeadDim
	rows, keys := len(q)/(p.Heads*d), len(k)/(p.KVHeads*d)
	out, lse = make([]T, len(q)), make([]T, rows*p.Heads)
	parallel(rows*p.Heads, func(i int) {
		row, head := i/p.Heads, i%p.Heads
		first, end := visible(row, rows, keys, p)
		kvHead := head / (p.Heads / p.KVHeads)
		at := func(s int) int { return (s*p.KVHeads + kvHead) * d }
		query, result := q[i*d:i*d+d], out[i*d:i*d+d]
		var scores []T
		for s := first; s < end; s++ {
			score := dot(k[at(s):at(s)+d], query) * T(p.Scale)
			if p.Softcap != 0 {
				score = T(p.Softcap) * T(math.Tanh(float64(score/T(p.Softcap))))
			}
			scores = append(scores, score)
		}
		var weights []T
		weights, lse[i] = softmax(scores)
		for j, weight := range weights {
			for c, f := range v[at(first+j) : at(first+j)+d] {
				result[c] += weight * f
			}
		}
	})
	return out, lse
}

// visible is the range of keys that a query row sees.
func visible(row, rows, keys int, p AttentionParams) (first, end int) {
	position := keys - rows + row
	end = keys
	if p.Causal {
		end = max(0, position+1)
	}
	if p.Window > 0 {
		first = max(0, position-p.Window+1)
	}
	return first, max(first, end)
}
