package reference

import (
	"fmt"
	"math"
	"slices"
)

// State is one sequence: a plain contiguous KV cache that grows with each Forward.
type State struct {
	// Keys and Values are [layer] of [tokens][KVHeads][HeadDim], keys rotated.
	Keys, Values [][]float64
	// Residuals, where set, is called after each layer with the residual stream [new tokens][Width],
	// which it must not keep.
	Residuals func(layer int, rows []float64)
	// Queries, where set, is called in each layer with the rotated queries [rows][Heads][HeadDim], which it must not keep.
	Queries func(layer int, rows []float64)
	// Store, where set, changes each new row of K and of V, one token's and one head's, to what a cache makes of it.
	Store func(row []float64)

	model  *Model
	length int
}

// NewState starts an empty sequence.
func (m *Model) NewState() *State {
	return &State{model: m, Keys: make([][]float64, len(m.Layers)), Values: make([][]float64, len(m.Layers))}
}

// Fork gives a second sequence with the same tokens.
func (s *State) Fork() *State {
	f := &State{Residuals: s.Residuals, Store: s.Store, model: s.model, length: s.length}
	for i := range s.Keys {
		f.Keys = append(f.Keys, slices.Clone(s.Keys[i]))
		f.Values = append(f.Values, slices.Clone(s.Values[i]))
	}
	return f
}

// Len is the number of tokens in the sequence.
func (s *State) Len() int { return s.length }

// Forward appends tokens and gives the logits [len(tokens)][Vocabulary] at each of them. A token
// outside the vocabulary is an error that leaves the sequence as it was.
func (s *State) Forward(tokens []int32) ([][]float64, error) {
	return s.ForwardLast(tokens, len(tokens))
}

// ForwardLast is Forward with the logits of the last n tokens only.
func (s *State) ForwardLast(tokens []int32, n int) ([][]float64, error) {
	m := s.model
	scale := 1.0
	if m.Gemma {
		scale = math.Sqrt(float64(m.Width))
	}
	x := make([]float64, 0, len(tokens)*m.Width)
	positions := make([]int, len(tokens))
	for i, token := range tokens {
		if token < 0 || int(token) >= m.Vocabulary {
			return nil, fmt.Errorf("reference: token %d at %d is outside the vocabulary of %d", token, i, m.Vocabulary)
		}
		for _, f := range m.Embedding[int(token)*m.Width:][:m.Width] {
			x = append(x, scale*float64(f))
		}
		positions[i] = s.length + i
	}
	s.length += len(tokens)
	cos, sin := RopeTable(m.Rope, positions)
	localCos, localSin := RopeTable(m.LocalRope, positions)
	n = min(max(n, 0), len(tokens))
	for i := range m.Layers {
		rows := len(tokens)
		if i == len(m.Layers)-1 && s.Residuals == nil {
			rows = n // nothing asks for the others of the last layer
		}
		if m.window(i) > 0 {
			x = s.layer(i, x, localCos, localSin, rows)
		} else {
			x = s.layer(i, x, cos, sin, rows)
		}
		if s.Residuals != nil {
			s.Residuals(i, x)
		}
	}
	x = RMSNorm(x[len(x)-n*m.Width:], m.OutputNorm, m.Eps)
	flat := MatMul(m.Output, x, m.Width)
	logits := make([][]float64, n)
	for i := range logits {
		logits[i] = flat[i*m.Vocabulary:][:m.Vocabulary:m.Vocabulary]
	}
	return logits, nil
}

func (m *Model) window(layer int) int {
	if m.Windows == nil {
		return 0
	}
	return m.Windows[layer]
}

// layer gives the residual stream of the last rows behind a layer.
func (s *State) layer(i int, x, cos, sin []float64, rows int) []float64 {
	m, l := s.model, &s.model.Layers[i]
	h := RMSNorm(x, l.AttnNorm, m.Eps)
	q := project(l.Q, l.QBias, h, m.Width)
	k := project(l.K, l.KBias, h, m.Width)
	v := project(l.V, l.VBias, h, m.Width)
	if m.HeadNorm {
		q, k = RMSNorm(q, l.QNorm, m.Eps), RMSNorm(k, l.KNorm, m.Eps)
	}
	q = RoPE(q, m.Heads, m.HeadDim, cos, sin, m.Pairing)
	k = RoPE(k, m.KVHeads, m.HeadDim, cos, sin, m.Pairing)
	if s.Store != nil {
		for _, rows := range [][]float64{k, v} {
			for row := range slices.Chunk(rows, m.HeadDim) {
				s.Store(row)
			}
		}
	}
	s.Keys[i] = append(s.Keys[i], k...)
	s.Values[i] = append(s.Values[i], v...)
	x, q = x[len(x)-rows*m.Width:], q[len(q)-rows*m.Heads*m.HeadDim:]
	if s.Queries != nil {
		s.Queries(i, q)
	}
	scale := m.Scale
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(m.HeadDim))
	}
	attention, _ := Attention(q, s.Keys[i], s.Values[i], AttentionParams{
		Heads: m.Heads, KVHeads: m.KVHeads, HeadDim: m.HeadDim,
		Causal: true, Scale: scale, Window: m.window(i),
	})
	h = project(l.O, l.OBias, attention, m.Heads*m.HeadDim)
	if m.Gemma {
		h = RMSNorm(h, l.AfterAttn, m.Eps)
	}
	x = Add(x, h)
	h = RMSNorm(x, l.FFNNorm, m.Eps)
	gate, up := project(l.Gate, l.GateBias, h, m.Width), project(l.Up, l.UpBias, h, m.Width)
	if !m.Gemma {
		return Add(x, project(l.Down, l.DownBias, SwiGLU(gate, up), m.FFN))
	}
	return Add(x, RMSNorm(project(l.Down, l.DownBias, GeGLU(gate, up), m.FFN), l.AfterFFN, m.Eps))
}

func project(w, bias []float32, x []float64, k int) []float64 {
	out := MatMul(w, x, k)
	if bias != nil {
		out = Add(out, bias)
	}
	return out
}
