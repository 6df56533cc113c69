package attention

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// Sequences that share a prefix: the cascade gives what attention over each whole sequence gives.
func TestCascade(t *testing.T) {
	for i, c := range []struct {
		name   string
		prefix int
		pairs  [][2]int // of the suffixes; a query may come before all keys of its own
		params Params
	}{
		{"prefill and decode", 150, [][2]int{{1, 40}, {9, 20}, {30, 30}, {2, 1}}, Params{HeadDim: 64, Heads: 8, KVHeads: 2}},
		{"decode, softcap", 70, [][2]int{{1, 5}, {1, 33}}, Params{HeadDim: 40, Heads: 6, KVHeads: 1, Softcap: 50}},
		{"no prefix", 0, [][2]int{{3, 9}, {4, 2}}, Params{HeadDim: 40, Heads: 6, KVHeads: 1, Softcap: 50}},
	} {
		if i%caseShare() != 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			c.params.Contiguous = true
			var whole [][2]int
			for _, pair := range c.pairs {
				whole = append(whole, [2]int{pair[0], c.prefix + pair[1]})
			}
			l := newLaunch(t, launchCase{params: c.params, pairs: whole})
			p := l.params
			row := p.KVHeads * p.HeadDim
			var q, k, v, sharedK, sharedV []byte
			var suffixes []Sequence
			tokens := 0
			for i, s := range l.sequences {
				copy(s.k[:c.prefix*row], l.sequences[0].k)
				copy(s.v[:c.prefix*row], l.sequences[0].v)
				k, v = appendRow(k, kernel.KVF32, s.k[c.prefix*row:]), appendRow(v, kernel.KVF32, s.v[c.prefix*row:])
				for n := range s.queries {
					q = appendNaN(q, p.QOffset)
					q = appendRow(q, kernel.KVF32, s.q[n*p.Heads*p.HeadDim:(n+1)*p.Heads*p.HeadDim])
					q = appendNaN(q, p.QStride-p.QOffset-p.Heads*p.HeadDim)
				}
				suffixes = append(suffixes, Sequence{Queries: s.queries, Keys: c.pairs[i][1]})
				tokens += s.queries
			}
			sharedK = appendNaN(appendRow(nil, kernel.KVF32, l.sequences[0].k[:c.prefix*row]), 4)
			sharedV = appendNaN(appendRow(nil, kernel.KVF32, l.sequences[0].v[:c.prefix*row]), 4)

			a, err := NewCascade(l.dev, p)
			require.NoError(t, err)
			plan, err := a.Plan(Sequence{Keys: c.prefix}, suffixes, 64)
			require.NoError(t, err)
			prefixBytes, suffixBytes := a.PartialBytes(plan)
			queries := l.buffer("q", q)
			operands := func(d *kernel.StepData, k, v []byte, partials uint64) Operands {
				var step []byte
				for _, w := range d.AppendWords(nil) {
					step = binary.LittleEndian.AppendUint32(step, w)
				}
				return Operands{Step: l.buffer("step", step), Q: queries, K: l.buffer("k", k), V: l.buffer("v", v),
					Out: l.buffer("out", appendNaN(nil, tokens*p.OutStride)), LSE: l.buffer("lse", appendNaN(nil, tokens*p.Heads)),
					Partials: l.buffer("partials", appendNaN(nil, int(partials/4)+4))}
			}
			prefix, suffix := operands(plan.Prefix, sharedK, sharedV, prefixBytes), operands(plan.Suffix, k, v, suffixBytes)
			b, err := a.Bind(prefix, suffix)
			require.NoError(t, err)
			var rec gpu.Recorder
			a.Record(&rec, b, plan)
			require.NoError(t, l.dev.Submit(&rec))
			out, lse := l.read(suffix.Out, tokens*p.OutStride), l.read(suffix.LSE, tokens*p.Heads)
			for _, s := range l.sequences {
				s.lse, lse = lse[:s.queries*p.Heads], lse[s.queries*p.Heads:]
				for range s.queries {
					s.out, out = append(s.out, out[:p.Heads*p.HeadDim]...), out[p.OutStride:]
				}
			}
			// The whole sequence's queries see the prefix up to their own position, which cuts those that come
			// before the last key of the prefix: here they see all of it.
			for i, s := range l.sequences {
				if hidden := s.queries - c.pairs[i][1] - 1; hidden > 0 && c.prefix > 0 {
					s.rows = s.rows[min(hidden, len(s.rows)):]
				}
			}
			l.check()
		})
	}
}

func TestCascadeRefuses(t *testing.T) {
	p := withStrides(Params{HeadDim: 64, Heads: 8, KVHeads: 2, Window: 3})
	_, err := NewCascade(gputest.Device(t), p)
	require.ErrorContains(t, err, "windows")
	p.Window = 0
	p.OutStride = 1
	_, err = NewCombine(gputest.Device(t), p)
	require.ErrorContains(t, err, "stride")
	c, err := NewCascade(gputest.Device(t), withStrides(p))
	require.NoError(t, err)
	_, err = c.Plan(Sequence{Keys: 17, Table: []uint32{1}}, []Sequence{{Queries: 1, Keys: 1, Table: []uint32{2}}}, 0)
	require.ErrorContains(t, err, "prefix")
}
