package reference

import (
	"math"
	"slices"
)

// AttentionParams shape one attention call.
type AttentionParams struct {
	Heads   int     // query heads
	KVHeads int     // key and value heads, a divisor of Heads; neighbouring query heads share one
	HeadDim int     // of queries, keys and values
	Causal  bool    // a query sees keys up to its own position; the last query sits at the last key
	Window  int     // a query sees only keys less than Window from its own position; 0: all
	Sinks   int     // the first Sinks keys stay visible under a window
	Scale   float64 // of the scores, usually 1/sqrt(HeadDim)
	Softcap float64 // scores become Softcap · tanh(score / Softcap); 0: unchanged
	// Slopes, one a query head, lower a score by slope · |position − key| (ALiBi, arXiv 2108.12409, section 3), after
	// the cap. Nil: none.
	Slopes []float64
	// SinkLogits, one a query head, join the softmax and have no value. The LSE is as without. Nil: none.
	SinkLogits []float64
	// Mask hides a key from a query row or adds to its score, after the cap. Nil: neither.
	Mask func(head, row, key int) (add float64, visible bool)
	// Dropout gives the factor on a weight after the softmax: 0, or 1/(1−p). The LSE is as without. Nil: none.
	Dropout func(head, row, key int) float64
	// LSE gives a row's log-sum-exp where weights are to be exp(score − LSE), as FlashAttention's backward pass recomputes
	// them, and not the softmax of the row's own scores. Nil: the softmax.
	LSE func(head, row int) float64
	// Rows are the query rows that q holds, of QueryRows in all. Nil: q holds them all.
	Rows      []int
	QueryRows int
}

// Attention gives softmax(scale · q kᵀ) v, with all scores of a row at hand (Vaswani et al., arXiv
// 1706.03762, section 3.2.1). q is [T][Heads][HeadDim], k and v are [S][KVHeads][HeadDim], out is like
// q, lse [T][Heads] holds each row's log-sum-exp. Keys that a query does not see are never read. A row
// that sees nothing gives 0 and a log-sum-exp of minus infinity.
func Attention[T Float](q, k, v []T, p AttentionParams) (out, lse []T) {
	d := p.HeadDim
	rows := len(q) / (p.Heads * d)
	out, lse = make([]T, len(q)), make([]T, rows*p.Heads)
	parallel(rows*p.Heads, func(i int) {
		r := newAttentionRow(q, k, i, p)
		lse[i] = r.lse
		result := out[i*d : i*d+d]
		for j, key := range r.keys {
			weight := r.weights[j]
			if p.Dropout != nil {
				weight *= T(p.Dropout(r.head, r.row, key))
			}
			for c, f := range v[r.at(key) : r.at(key)+d] {
				result[c] += weight * f
			}
		}
	})
	return out, lse
}

// attentionRow is what one query row of one head sees.
type attentionRow[T Float] struct {
	head, row, kvHead int
	params            *AttentionParams
	keys              []int
	weights           []T // after the softmax, before dropout
	slopes            []T // of each score by scale · q·k: 1, or what the cap leaves
	lse               T
}

func newAttentionRow[T Float](q, k []T, i int, p AttentionParams) *attentionRow[T] {
	d, keys := p.HeadDim, len(k)/(p.KVHeads*p.HeadDim)
	r := &attentionRow[T]{row: i / p.Heads, head: i % p.Heads, params: &p}
	rows := len(q) / (p.Heads * d)
	if p.Rows != nil {
		r.row, rows = p.Rows[r.row], p.QueryRows
	}
	r.kvHead = r.head / (p.Heads / p.KVHeads)
	position := keys - rows + r.row
	query := q[i*d : i*d+d]
	var scores []T
	for s := range keys {
		if !visible(position, s, p) {
			continue
		}
		add := 0.0
		if p.Mask != nil {
			seen := false
			if add, seen = p.Mask(r.head, r.row, s); !seen {
				continue
			}
		}
		score, slope := dot(k[r.at(s):r.at(s)+d], query)*T(p.Scale), T(1)
		if p.Softcap != 0 {
			t := T(math.Tanh(float64(score / T(p.Softcap))))
			score, slope = T(p.Softcap)*t, 1-t*t
		}
		if p.Slopes != nil {
			score -= T(p.Slopes[r.head]) * T(max(position-s, s-position))
		}
		r.keys, r.slopes = append(r.keys, s), append(r.slopes, slope)
		scores = append(scores, score+T(add))
	}
	r.weights, r.lse = softmax(scores)
	if p.SinkLogits != nil {
		with, _ := softmax(append(slices.Clone(scores), T(p.SinkLogits[r.head])))
		r.weights = with[:len(scores)]
	}
	if p.LSE != nil {
		for j, score := range scores {
			r.weights[j] = T(math.Exp(float64(score - T(p.LSE(r.head, r.row)))))
		}
	}
	return r
}

// at is where a key's row for this head starts.
func (r *attentionRow[T]) at(key int) int {
	return (key*r.params.KVHeads + r.kvHead) * r.params.HeadDim
}

// visible tells whether the query at a position sees a key, mask apart.
func visible(position, key int, p AttentionParams) bool {
	if p.Causal && key > position {
		return false
	}
	return p.Window == 0 || key < p.Sinks || max(position-key, key-position) < p.Window
}

// AttentionBackward gives the gradients of a loss by q, k and v from dOut, its gradient by Attention's output, of the
// same shape. Gradients of k and v are summed over the query heads that share them (FlashAttention, arXiv 2205.14135,
// appendix B.2, with P at hand). It takes no Rows.
func AttentionBackward[T Float](q, k, v, dOut []T, p AttentionParams) (dq, dk, dv []T) {
	d := p.HeadDim
	rows := len(q) / (p.Heads * d)
	dq, dk, dv = make([]T, len(q)), make([]T, len(k)), make([]T, len(v))
	perKV := p.Heads / p.KVHeads
	parallel(p.KVHeads, func(kvHead int) {
		for row := range rows {
			for head := kvHead * perKV; head < (kvHead+1)*perKV; head++ {
				i := row*p.Heads + head
				r := newAttentionRow(q, k, i, p)
				query, do, result := q[i*d:i*d+d], dOut[i*d:i*d+d], dq[i*d:i*d+d]
				dp := make([]T, len(r.keys))
				var delta T
				for j, key := range r.keys {
					factor := T(1)
					if p.Dropout != nil {
						factor = T(p.Dropout(head, row, key))
					}
					dp[j] = dot(v[r.at(key):r.at(key)+d], do) * factor
					delta += r.weights[j] * dp[j]
					weight := r.weights[j] * factor
					for c, f := range do {
						dv[r.at(key)+c] += weight * f
					}
				}
				for j, key := range r.keys {
					ds := r.weights[j] * (dp[j] - delta) * r.slopes[j] * T(p.Scale)
					for c := range d {
						result[c] += ds * k[r.at(key)+c]
						dk[r.at(key)+c] += ds * query[c]
					}
				}
			}
		}
	})
	return dq, dk, dv
}

// ALiBiSlopes gives the slope of each head: powers of 2^(−8/n) for n heads, and where n is no power of two, the odd
// powers of 2^(−4/m) for those past the largest power of two m below n (ALiBi, arXiv 2108.12409, section 3).
func ALiBiSlopes(heads int) []float64 {
	m := 1
	for 2*m <= heads {
		m *= 2
	}
	slopes := make([]float64, heads)
	for h := range slopes {
		if h < m {
			slopes[h] = math.Exp2(-8 * float64(h+1) / float64(m))
		} else {
			slopes[h] = math.Exp2(-4 * float64(2*(h-m)+1) / float64(m))
		}
	}
	return slopes
}
