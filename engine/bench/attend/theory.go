package attend

import "quire/engine/kernel"

// operations counts a case's arithmetic as the papers do: 4·queries·keys·d a head, half of it where half of the scores
// are hidden, and 2.5 times as much for the backward pass, which computes the scores again.
func (c Case) operations() float64 {
	n := 4 * float64(c.queries) * float64(c.Length) * float64(c.HeadDim) * float64(c.Heads) * float64(c.Batch)
	if c.Causal && c.queries > 1 {
		n /= 2
	}
	if c.Kind == Backward {
		n *= 2.5
	}
	return n
}

// Matrices of scores that standard attention writes or reads: S and P each once written and once read; backward S and P
// again, dP written and read, dS written, and P and dS read by two products more.
const (
	forwardSquares  = 4
	backwardSquares = 10
)

// bytes is what a case moves in theory: every input read once and every output written once, and in standard attention
// the matrices of scores as well.
func (c Case) bytes() float64 {
	n := c.inputBytes()
	if c.Method == standardNamed {
		squares := 4 * float64(c.queries) * float64(c.Length) * float64(c.Heads) * float64(c.Batch)
		if c.Kind == Backward {
			return n + backwardSquares*squares
		}
		return n + forwardSquares*squares
	}
	return n
}

func (c Case) inputBytes() float64 {
	batch := float64(c.Batch)
	queries := 4 * batch * float64(c.queries) * float64(c.Heads) * float64(c.HeadDim)
	row := 4 * kernel.KVLayout{HeadDim: c.HeadDim, Type: c.kvType()}.RowWords()
	keys := batch * float64(c.Length) * float64(c.KVHeads) * float64(row)
	if c.Kind != Backward {
		return 2*queries + 2*keys // q and out, k and v
	}
	n := 4*queries + 4*keys // q, dO, out and dQ; k, v, dK and dV
	if c.Method == Flash {
		n += 4 * batch * float64(c.queries) * float64(c.Heads) // the LSE
	} else {
		n -= queries // out is not needed
	}
	return n
}
