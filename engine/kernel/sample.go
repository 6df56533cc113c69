package kernel

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"quire/engine/gpu"
	"quire/engine/sample"
)

// ResultWords is the length of an output's result: token, number of best tokens K (0 without log-probabilities), logit
// and log-probability of the token, then id, logit and log-probability of the K best. Logits are raw.
const ResultWords = 4 + 3*sample.MaxTop

// NoToken stands in a result whose output drew none.
const NoToken int32 = -1

// NotNumbers stands in place of a token in a result whose logits are not all numbers: infinity or NaN is among them.
const NotNumbers int32 = -2

// SampleParams specialise Sample.
type SampleParams struct {
	Vocab  int // tokens
	Stride int // words from one output's logits to the next, a multiple of 4
}

// Sample draws a token for each output of a step, exactly (engine/sample says from which distribution), into its lane
// and its result. The first kernel looks at all logits, with many workgroups; the second finishes each output with one, from what
// the first left: mostly among few tokens (shaders/lib/few.wgsl), else in several passes over all (shaders/lib/choice.wgsl).
type Sample struct {
	device                      *gpu.Device
	params                      SampleParams
	peak, choose, top, withhold *gpu.Kernel
	slices, workgroup           int
}

// sliceLogits is how many logits one workgroup of the first kernel looks at.
const sliceLogits = 4096

// NewSample starts compiling the kernels.
func NewSample(d *gpu.Device, p SampleParams) (*Sample, error) {
	if p.Vocab < 1 || p.Stride < p.Vocab || p.Stride%4 != 0 {
		return nil, fmt.Errorf("kernel: sample: vocabulary %d, stride %d: the stride must be a multiple of 4 that holds the vocabulary", p.Vocab, p.Stride)
	}
	k := &Sample{device: d, params: p, slices: (p.Vocab + sliceLogits - 1) / sliceLogits}
	// A small vocabulary needs few invocations; more would only wait at barriers.
	workgroup, each := 256, 2
	if p.Vocab <= 1024 {
		workgroup, each = 16, 8
	} else if p.Vocab <= sliceLogits {
		workgroup, each = 64, 4
	}
	k.workgroup = workgroup
	withhold, err := Module(d, Spec{File: "withhold", Variant: "baseline", Bindings: []gpu.Binding{gpu.ReadWrite, gpu.ReadWrite}})
	if err != nil {
		return nil, err
	}
	k.withhold = d.Kernel(withhold)
	consts := []Const{{"VOCABULARY", p.Vocab}, {"STRIDE", p.Stride}, {"WORKGROUP", workgroup}, {"SLICES", k.slices}}
	slice := Const{"SLICE", sliceLogits / 4}
	if k.slices == 1 {
		slice.Value = ceilDiv(ceilDiv(p.Vocab, 4), workgroup) * workgroup
	}
	result := []Const{{"RESULT_WORDS", ResultWords}, {"MAX_TOP", sample.MaxTop}}
	for _, s := range []struct {
		into     **gpu.Kernel
		file     string
		bindings []gpu.Binding
		own      []Const
	}{
		{&k.peak, "logit_max", []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadOnly}, []Const{slice}},
		{&k.choose, "sample", []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite}, []Const{slice, {"EACH", each}, result[0]}},
		{&k.top, "top_logits", []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite}, result},
	} {
		m, err := Module(d, Spec{File: s.file, Variant: "baseline", Consts: slices.Concat(consts, s.own), Bindings: s.bindings})
		if err != nil {
			return nil, err
		}
		*s.into = d.Kernel(m)
	}
	return k, nil
}

// Wait blocks until the kernels are compiled.
func (k *Sample) Wait(ctx context.Context) error {
	for _, kernel := range []*gpu.Kernel{k.peak, k.choose, k.top, k.withhold} {
		if err := kernel.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ScratchBytes returns the size of the scratch buffer that so many outputs need.
func (k *Sample) ScratchBytes(outputs int) uint64 {
	return 4 * uint64(outputs) * uint64(k.slices*(4+k.workgroup))
}

// SampleBindings are buffers bound to the kernels of Sample.
type SampleBindings struct{ peak, choose, top, withhold *gpu.BindGroup }

// Bind binds the step buffer, logits [output][Stride], masks [mask][MaskWords], scratch (ScratchBytes), the lanes' parameters
// [lane][sample.LaneWords], the lanes' last tokens [lane], the results [output][ResultWords] and the list of withheld tokens.
func (k *Sample) Bind(step, logits, masks, scratch, laneParams, lanes, results, withheld gpu.View) (*SampleBindings, error) {
	b := &SampleBindings{}
	var err error
	if b.peak, err = k.device.Bind(k.peak, step, logits, masks, scratch, laneParams); err != nil {
		return nil, err
	}
	if b.choose, err = k.device.Bind(k.choose, step, logits, masks, scratch, laneParams, lanes, results); err != nil {
		return nil, err
	}
	if b.top, err = k.device.Bind(k.top, step, logits, masks, scratch, laneParams, results); err != nil {
		return nil, err
	}
	if b.withhold, err = k.device.Bind(k.withhold, logits, withheld); err != nil {
		return nil, err
	}
	return b, nil
}

// Draws are a step's outputs.
type Draws struct {
	Outputs  int
	Logprobs bool // a lane asks for log-probabilities
	Withheld int  // tokens in the list

	Penalties *Penalties // where a lane has a bias or penalties
	Raw       bool       // a lane with them wants the raw logits afterwards
}

// Record records draws: two dispatches, and a third for log-probabilities, which are those of all tokens as they were.
func (k *Sample) Record(rec *gpu.Recorder, b *SampleBindings, d Draws) {
	y, z := Fold(d.Outputs)
	trade := func() {
		if d.Withheld > 0 {
			rec.Dispatch(k.withhold, b.withhold, uint32(ceilDiv(d.Withheld, 64)), 1, 1)
		}
	}
	if d.Penalties != nil {
		d.Penalties.record(rec, d.Outputs)
	}
	trade()
	rec.Dispatch(k.peak, b.peak, uint32(k.slices), y, z)
	rec.Dispatch(k.choose, b.choose, 1, y, z)
	trade()
	if d.Raw {
		d.Penalties.recordRestore(rec, d.Outputs)
	}
	if !d.Logprobs {
		return
	}
	if d.Withheld > 0 || d.Raw {
		rec.Dispatch(k.peak, b.peak, uint32(k.slices), y, z)
	}
	rec.Dispatch(k.top, b.top, 1, y, z)
}

// MaskWords is the length of a mask of a vocabulary's tokens: bit t%32 of word t/32 says that token t may be drawn. Of an output
// with a mask (OutputMask) the other tokens count neither for top-k, top-p and min-p nor for log-probabilities, and are not among
// the best ones. Where a mask forbids all, NoToken is drawn.
func MaskWords(vocab int) int { return (vocab + 31) / 32 }

// MaskBytes is the size of n masks.
func MaskBytes(n, vocab int) uint64 { return 4 * uint64(n) * uint64(MaskWords(vocab)) }

// Withheld is a list of tokens that are not drawn, as the GPU reads it: its length, then places and what stands there.
type Withheld []uint32

// withheldLogit is below every logit of use, and its distance to them is no infinity.
const withheldLogit = -3e38

// WithheldBytes is the size of a list of n tokens.
func WithheldBytes(n int) uint64 { return 8 * uint64(n+1) }

// Reset empties the list.
func (w *Withheld) Reset() { *w = append((*w)[:0], 0, 0) }

// Len is the number of its tokens.
func (w Withheld) Len() int { return max(0, len(w)/2-1) }

// Bytes gives the list's bytes.
func (w Withheld) Bytes() []byte {
	data := make([]byte, 0, 4*len(w))
	for _, word := range w {
		data = binary.LittleEndian.AppendUint32(data, word)
	}
	return data
}

// Add withholds a token from an output of logits that are stride words long.
func (w *Withheld) Add(output, stride int, token int32) {
	*w = append(*w, uint32(output*stride)+uint32(token), math.Float32bits(withheldLogit))
	(*w)[0]++
}

// DecodeResult reads one output's result of ResultWords words. It allocates only for log-probabilities.
func DecodeResult(data []byte) sample.Token {
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(data[4*i:]) }
	float := func(i int) float32 { return math.Float32frombits(word(i)) }
	t := sample.Token{Candidate: sample.Candidate{ID: int32(word(0))}}
	n := int(min(word(1), sample.MaxTop))
	if n == 0 {
		return t
	}
	t.Logit, t.Logprob = float(2), float(3)
	t.Top = make([]sample.Candidate, n)
	for i := range t.Top {
		t.Top[i] = sample.Candidate{ID: int32(word(4 + 3*i)), Logit: float(5 + 3*i), Logprob: float(6 + 3*i)}
	}
	return t
}
