package kernel

import (
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/sample"
	"quire/engine/sample/sampletest"
)

// sampler draws on the GPU from rows of logits, the same for every lane or one a lane.
type sampler struct {
	*rig
	kernel         *Sample
	vocab, rows    int
	logits         *gpu.Buffer
	params, lanes  *gpu.Buffer
	results, steps *gpu.Buffer
	list, masks    *gpu.Buffer
	withheld       Withheld
	masked         map[int][]uint32 // rows with a mask
	bind           *SampleBindings
}

// newSampler makes one that draws rows tokens a dispatch. The logits' padding holds what would win.
func newSampler(t testing.TB, vocab, rows int) *sampler {
	s := &sampler{rig: newRig(t), vocab: vocab, rows: rows}
	var err error
	s.kernel, err = NewSample(s.dev, SampleParams{Vocab: vocab, Stride: s.stride()})
	require.NoError(t, err)
	buffer := func(label string, size uint64) *gpu.Buffer {
		b, err := s.dev.NewBuffer(label, size, gpu.Storage)
		require.NoError(t, err)
		t.Cleanup(b.Release)
		return b
	}
	s.logits = buffer("logits", 4*uint64(rows*s.stride()))
	s.list = buffer("withheld", WithheldBytes(4*rows))
	s.masks = buffer("masks", MaskBytes(rows, vocab))
	s.params, s.lanes = buffer("params", uint64(4*rows*sample.LaneWords)), buffer("lanes", uint64(4*rows))
	s.results, s.steps = buffer("results", uint64(4*rows*ResultWords)), buffer("step", uint64(4*(64+8*rows)))
	s.bind, err = s.kernel.Bind(s.steps.All(), s.logits.All(), s.masks.All(), buffer("scratch", s.kernel.ScratchBytes(rows)).All(),
		s.params.All(), s.lanes.All(), s.results.All(), s.list.All(), buffer("choices", ChoiceBytes(rows)).All())
	require.NoError(t, err)
	require.NoError(t, s.kernel.Make(Draws{Random: true, Logprobs: true}))
	require.NoError(t, s.kernel.Ready(context.Background(), s.bind, Draws{Random: true, Logprobs: true}))
	return s
}

func (s *sampler) stride() int { return (s.vocab+31)/32*32 + 32 }

// load gives row i the logits of set i modulo their number.
func (s *sampler) load(sets ...[]float32) {
	data := make([]byte, 0, s.stride()*4)
	for i := range s.rows {
		set := sets[i%len(sets)]
		data = data[:0]
		for id := range s.stride() {
			logit := float32(1000)
			if id < s.vocab {
				logit = set[id]
			}
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(logit))
		}
		require.NoError(s, s.logits.Upload(uint64(4*i*s.stride()), data))
	}
}

// draw draws once for each row, row i with params i modulo their number and sample counter first+i.
func (s *sampler) draw(first int, params ...sample.Params) []sample.Token {
	var d StepData
	var words []byte
	draws := Draws{Outputs: s.rows, Withheld: s.withheld.Len()}
	for i := range s.rows {
		p := params[i%len(params)]
		draws.Logprobs, draws.Random = draws.Logprobs || p.Logprobs > 0, draws.Random || !p.Greedy()
		for _, w := range p.Words() {
			words = binary.LittleEndian.AppendUint32(words, w)
		}
		// Output i belongs to another lane than i.
		out := Output{Lane: s.lane(i), Counter: uint32(first + i), Flags: OutputSample}
		if mask := s.masked[i]; mask != nil {
			out.Flags |= OutputMask(s.rows - 1 - i)
			var data []byte
			for _, w := range mask {
				data = binary.LittleEndian.AppendUint32(data, w)
			}
			require.NoError(s, s.masks.Upload(MaskBytes(s.rows-1-i, s.vocab), data))
		}
		d.Outputs = append(d.Outputs, out)
	}
	shuffled := make([]byte, len(words))
	for i := range s.rows {
		copy(shuffled[int(s.lane(i))*4*sample.LaneWords:], words[i*4*sample.LaneWords:(i+1)*4*sample.LaneWords])
	}
	var step []byte
	for _, w := range d.AppendWords(nil) {
		step = binary.LittleEndian.AppendUint32(step, w)
	}
	require.NoError(s, s.params.Upload(0, shuffled))
	require.NoError(s, s.list.Upload(0, s.withheld.Bytes()))
	require.NoError(s, s.steps.Upload(0, step))
	s.submit(func(rec *gpu.Recorder) {
		s.kernel.Record(rec, s.bind, draws)
	})
	data, tokens := make([]byte, s.results.Size()), make([]byte, s.lanes.Size())
	require.NoError(s, s.results.Read(context.Background(), 0, data))
	require.NoError(s, s.lanes.Read(context.Background(), 0, tokens))
	out := make([]sample.Token, s.rows)
	for i := range out {
		out[i] = DecodeResult(data[4*ResultWords*i:])
		require.Equal(s, uint32(max(0, out[i].ID)), binary.LittleEndian.Uint32(tokens[4*s.lane(i):]), "the lane's token; 0 where there is none")
	}
	return out
}

func (s *sampler) lane(output int) uint32 { return uint32(s.rows - 1 - output) }

// logitSets are the kinds of logits that draws are tested on.
func (r *rig) logitSets(vocab int) map[string][]float32 {
	random, ties, oneHot, flat := r.floats(vocab, 3), make([]float32, vocab), make([]float32, vocab), make([]float32, vocab)
	for i := range random {
		ties[i] = float32(math.Round(float64(random[i])))
		oneHot[i] = -200
		flat[i] = -7.25
	}
	oneHot[vocab*2/3] = 100
	return map[string][]float32{"random": random, "ties": ties, "one-hot": oneHot, "flat": flat}
}

// fits draws from each set of logits and judges the tokens against the float64 distribution.
func fits(t *testing.T, vocab, rows int, draws map[string]int) {
	s := newSampler(t, vocab, rows)
	for name, set := range s.logitSets(vocab) {
		if draws[name] == 0 {
			continue
		}
		s.load(set)
		for setting, p := range settings {
			t.Run(name+" "+setting, func(t *testing.T) {
				counts, want := make([]int, vocab), sample.Distribution(set, p)
				for n := 0; n < draws[name]; n += rows {
					for _, r := range s.draw(n, p) {
						counts[r.ID]++
					}
				}
				require.Greater(t, sampletest.ChiSquare(want, counts), 1e-4)
			})
		}
	}
}

// slow reports whether the adapter is software, which takes hours for as many draws as a GPU makes in minutes.
func slow(t testing.TB) bool { return gputest.Device(t).Info().Type == "cpu" }
