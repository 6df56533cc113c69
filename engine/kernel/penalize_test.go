package kernel

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"quire/engine/gpu"
	"quire/engine/sample"
)

// penalizer applies penalties on the GPU: lanes with histories of their own, all over the same logits.
type penalizer struct {
	*rig
	kernel               *Penalize
	vocab, lanes         int
	logits, words, drawn *gpu.Buffer
	history, steps       *gpu.Buffer
	bound                *Penalties
	texts                []text // of lanes
	placed               int
}

// text is what the host knows of a lane.
type text struct {
	params  sample.Params
	history sample.History
}

func newPenalizer(t testing.TB, vocab, lanes, context, words int) *penalizer {
	p := &penalizer{rig: newRig(t), vocab: vocab, lanes: lanes, texts: make([]text, lanes)}
	var err error
	p.kernel, err = NewPenalize(p.dev, PenalizeParams{Vocab: vocab, Stride: p.stride(), Context: context})
	require.NoError(t, err)
	buffer := func(label string, size int) *gpu.Buffer {
		b, err := p.dev.NewBuffer(label, uint64(4*size), gpu.Storage)
		require.NoError(t, err)
		t.Cleanup(b.Release)
		return b
	}
	p.logits, p.words, p.drawn = buffer("logits", lanes*p.stride()), buffer("words", lanes*PenaltyWords), buffer("lanes", lanes)
	p.history, p.steps = buffer("history", words), buffer("step", 64+8*lanes)
	p.bound, err = p.kernel.Bind(p.steps.All(), p.logits.All(), p.drawn.All(), p.words.All(), p.history.All())
	require.NoError(t, err)
	garbage := make([]uint32, words)
	for i := range garbage {
		garbage[i] = p.rng.Uint32() // of lanes before
	}
	p.upload(p.history, 0, garbage)
	return p
}

func (p *penalizer) stride() int { return (p.vocab+31)/32*32 + 32 }

func (p *penalizer) upload(b *gpu.Buffer, at int, words []uint32) {
	data := make([]byte, 0, 4*len(words))
	for _, w := range words {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	require.NoError(p, b.Upload(uint64(4*at), data))
}

// open gives a lane to a text.
func (p *penalizer) open(n int, params sample.Params, h sample.History) {
	l := NewPenalized(params, h, p.vocab)
	require.NoError(p, l.Place(p.placed, func(at int, words []uint32) error {
		p.upload(p.history, at, words)
		return nil
	}))
	p.placed += l.Size
	require.LessOrEqual(p, uint64(4*p.placed), p.history.Size())
	p.upload(p.words, n*PenaltyWords, l.Words[:])
	h.Tokens = append([]int32(nil), h.Tokens...)
	p.texts[n] = text{params, h}
}

// draw says that a lane drew a token.
func (p *penalizer) draw(n int, token int32) {
	h := &p.texts[n].history
	h.Tokens = append(h.Tokens, token)
	p.upload(p.drawn, n, []uint32{uint32(token)})
}

// run applies penalties to logits, a row a lane, and gives what comes of them, and what is there after they are restored.
func (p *penalizer) run(rows [][]float32) (got, restored [][]float32) {
	var d StepData
	for n := range p.texts {
		lane := p.lanes - 1 - n // output n belongs to another lane than n
		h := &p.texts[lane].history
		d.Outputs = append(d.Outputs, Output{Lane: uint32(lane), Counter: uint32(len(h.Tokens) - h.Prompt), Flags: OutputSample})
	}
	p.upload(p.steps, 0, d.AppendWords(nil))
	for n := range p.texts {
		row := make([]uint32, p.vocab)
		for i, x := range rows[p.lanes-1-n] {
			row[i] = math.Float32bits(x)
		}
		p.upload(p.logits, n*p.stride(), row)
	}
	take := func(record func(*gpu.Recorder, int)) (out [][]float32) {
		p.submit(func(rec *gpu.Recorder) { record(rec, p.lanes) })
		data := make([]byte, p.logits.Size())
		require.NoError(p, p.logits.Read(context.Background(), 0, data))
		out = make([][]float32, p.lanes)
		for n := range p.lanes {
			row := make([]float32, p.vocab)
			for i := range row {
				row[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*(n*p.stride()+i):]))
			}
			out[p.lanes-1-n] = row
		}
		return out
	}
	return take(p.bound.record), take(p.bound.recordRestore)
}

// check compares with the reference: to a few roundings of the largest number on the way.
func (p *penalizer) check(rows [][]float32, why string) {
	p.Helper()
	got, restored := p.run(rows)
	for n, l := range p.texts {
		h := l.history
		want := sample.Adjust(rows[n], l.params, h.Tokens[:h.Prompt], h.Tokens[h.Prompt:], h.Breakers)
		for id, w := range want {
			x, raw := got[n][id], rows[n][id]
			if no := math.Float32bits(raw)>>23&0xFF == 0xFF; no {
				require.Equal(p, math.Float32bits(raw), math.Float32bits(x), "%s: lane %d, token %d", why, n, id)
				continue
			}
			allowed := 1e-6 * (math.Abs(w) + math.Abs(float64(raw)) + math.Abs(l.params.LogitBias[int32(id)]) + 1)
			if w == float64(raw) { // penalties have nothing to do with it
				allowed = 0
			}
			if !(math.Abs(float64(x)-w) <= allowed) {
				require.Equal(p, w, x, "%s: lane %d, token %d of %v after %v, raw %g", why, n, id, l.params, h.Tokens, raw)
			}
		}
		keeps := l.params.Logprobs > 0 || h.Raw
		for id, raw := range rows[n] {
			if keeps && math.Float32bits(raw) != math.Float32bits(restored[n][id]) {
				require.Equal(p, raw, restored[n][id], "%s: lane %d, token %d restored", why, n, id)
			}
		}
	}
}

// kinds are settings of all sorts, some of which have logits restored.
func (p *penalizer) kinds() []sample.Params {
	bias := map[int32]float64{0: 100, 1: -100, int32(p.vocab - 1): 0.25}
	for len(bias) < min(300, p.vocab/2) {
		bias[int32(p.rng.IntN(p.vocab))] = 200*p.rng.Float64() - 100
	}
	dry := sample.DRY{Multiplier: 0.8, Base: 1.75, AllowedLength: 2}
	return []sample.Params{
		{},
		{LogitBias: bias, Logprobs: 1},
		{RepetitionPenalty: 1.3},
		{FrequencyPenalty: 0.7, PresencePenalty: -1.5, Logprobs: 3},
		{RepetitionPenalty: 0.6, FrequencyPenalty: -2, PresencePenalty: 2, LogitBias: bias},
		{DRY: dry},
		{DRY: sample.DRY{Multiplier: 3, Base: 1.1, AllowedLength: 1, Range: 20}, Logprobs: 1},
		{RepetitionPenalty: 1.1, PresencePenalty: 0.5, DRY: sample.DRY{Multiplier: 1, Base: 2}, LogitBias: bias, Logprobs: 2},
		{DRY: sample.DRY{Multiplier: 100, Base: 100, AllowedLength: 3}, FrequencyPenalty: 2},
	}
}

// breakers of tokens that texts have.
func testBreakers() *sample.Breakers {
	b := &sample.Breakers{Alone: map[int32]bool{}}
	b.Add(2, nil)
	b.Add(3, []int32{4})
	b.Add(3, []int32{4, 1})
	b.Add(0, []int32{1, 1, 1})
	return b
}

// Whatever comes before, and however much of it the host had: what the GPU makes of logits is what the reference says.
func TestPenalize(t *testing.T) {
	for _, vocab := range []int{6, 33, 1500} {
		t.Run(fmt.Sprint(vocab), func(t *testing.T) {
			const lanes, most = 9, 200
			p := newPenalizer(t, vocab, lanes, most, 80000)
			some := func(n int) []int32 {
				out := make([]int32, n)
				for i := range out {
					out[i] = int32(p.rng.IntN(min(vocab, 6)))
					if i > 12 && p.rng.IntN(3) > 0 {
						out[i] = out[i-7] // so that something comes again
					}
				}
				return out
			}
			rows := func() [][]float32 {
				out := make([][]float32, lanes)
				for n := range out {
					out[n] = p.floats(vocab, 8)
					out[n][p.rng.IntN(vocab)] = 0
				}
				return out
			}
			for n, params := range p.kinds() {
				prompt := []int{1, 17, 60, 5, 30, 90, 40, 70, 3}[n]
				drawn := []int{0, 3, 0, 20, 1, 0, 5, 9, 0}[n]
				h := sample.History{Tokens: some(prompt + drawn), Prompt: prompt, Room: most - prompt - drawn}
				if n%2 == 1 {
					h.Breakers = testBreakers()
				}
				p.open(n, params, h)
			}
			p.check(rows(), "as opened")
			for step := range 25 {
				for n := range p.texts {
					h := p.texts[n].history
					token := some(1)[0]
					if step > 3 && len(h.Tokens) > 10 && p.rng.IntN(4) > 0 {
						token = h.Tokens[len(h.Tokens)-6]
					}
					p.draw(n, token)
				}
				p.check(rows(), fmt.Sprint("after ", step+1))
			}
		})
	}
}

// The largest numbers stay numbers, and what is none stays what it is.
func TestPenalizeExtremes(t *testing.T) {
	const vocab = 40
	p := newPenalizer(t, vocab, 4, 64, 8000)
	before := sample.History{Tokens: []int32{0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2}, Prompt: 3, Room: 10}
	bias := map[int32]float64{0: 100, 1: -100, 4: 100, 5: -100, 6: 1, 7: 1}
	p.open(0, sample.Params{RepetitionPenalty: 1000, LogitBias: bias, Logprobs: 1}, before)
	p.open(1, sample.Params{RepetitionPenalty: 0.001, FrequencyPenalty: 2}, before)
	p.open(2, sample.Params{DRY: sample.DRY{Multiplier: 100, Base: 100}, LogitBias: bias}, before)
	p.open(3, sample.Params{DRY: sample.DRY{Multiplier: 1e-9, Base: 1.0000001}, RepetitionPenalty: 1, PresencePenalty: 2}, before)
	row := make([]float32, vocab)
	for i, x := range []float32{3e38, -3e38, 1e34, -1e34, math.MaxFloat32, -math.MaxFloat32, float32(math.NaN()), float32(math.Inf(1)), 1e-38, -1e-38} {
		row[i] = x
	}
	for range 4 {
		p.check([][]float32{row, row, row, row}, "extremes")
		for n := range p.texts {
			p.draw(n, 3)
		}
	}
}

// A history that is read on the host is the one that grows on the GPU.
func TestRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Int32Range(0, 2), 0, 60).Draw(t, "text")
		got := runs(text)
		for k := 1; k < len(text); k++ {
			same := 0
			for k+same < len(text) && text[len(text)-1-same] == text[len(text)-1-k-same] {
				same++
			}
			require.EqualValues(t, same, got[k], "distance %d", k)
		}
	})
}

func TestPenalizeRefuses(t *testing.T) {
	r := newRig(t)
	for _, p := range []PenalizeParams{{0, 32, 1}, {100, 96, 1}, {100, 128, 0}} {
		_, err := NewPenalize(r.dev, p)
		require.Error(t, err)
	}
	_, err := NewPenalize(r.dev, PenalizeParams{300000, 300000, 2 << 20})
	require.NoError(t, err, "the longest contexts that there are have few enough turns")
}
