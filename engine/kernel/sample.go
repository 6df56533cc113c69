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
// the first left: the best token, or one drawn at random, mostly among few tokens (shaders/lib/few.wgsl), else in several passes over all
// (shaders/lib/choice.wgsl). The kernels that only some draws take are made by Make: no other kernel takes as long to compile.
type Sample struct {
	device                                  *gpu.Device
	params                                  SampleParams
	pick, peak, best, choose, top, withhold *gpu.Kernel // choose and top are nil until they are made
	slices, workgroup                       int
}

// sliceLogits is how many logits one workgroup of the first kernel looks at.
const sliceLogits = 4096

// NewSample starts compiling what draws the best tokens.
func NewSample(d *gpu.Device, p SampleParams) (*Sample, error) {
	if p.Vocab < 1 || p.Stride < p.Vocab || p.Stride%4 != 0 {
		return nil, fmt.Errorf("kernel: sample: vocabulary %d, stride %d: the stride must be a multiple of 4 that holds the vocabulary", p.Vocab, p.Stride)
	}
	k := &Sample{device: d, params: p, slices: (p.Vocab + sliceLogits - 1) / sliceLogits}
	k.workgroup, _ = k.invocations()
	withhold, err := Module(d, Spec{File: "withhold", Variant: "baseline", Bindings: []gpu.Binding{gpu.ReadWrite, gpu.ReadWrite}})
	if err != nil {
		return nil, err
	}
	k.withhold = d.Kernel(withhold)
	pick, err := Module(d, Spec{
		File: "pick_mask", Variant: "baseline", Bindings: []gpu.Binding{gpu.ReadWrite, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly},
		Consts: []Const{{"VOCABULARY", p.Vocab}, {"CHOICES", MostChoices}, {"STEP_AT_OUTPUTS", wordAtOutputs}, {"OUTPUT_WORDS", outputWords}, {"OUTPUT_MASK", outputMask}},
	})
	if err != nil {
		return nil, err
	}
	k.pick = d.Kernel(pick)
	if k.peak, err = k.kernel(Spec{File: "logit_max", Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadOnly}, Consts: []Const{k.slice(), {"STRIDE", p.Stride}}}); err != nil {
		return nil, err
	}
	k.best, err = k.kernel(Spec{File: "sample", Shape: "best", Bindings: chooseBindings, Consts: []Const{{"RESULT_WORDS", ResultWords}}, Slots: map[string]string{"draw": "draw_best"}})
	return k, err
}

// chooseBindings are those of the kernels that give an output's token.
var chooseBindings = []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite}

// Make starts compiling what else draws take, unless that was done before. Ready waits for it.
func (k *Sample) Make(d Draws) (err error) {
	result, stride := Const{"RESULT_WORDS", ResultWords}, Const{"STRIDE", k.params.Stride}
	if d.Random && k.choose == nil {
		_, each := k.invocations()
		k.choose, err = k.kernel(Spec{File: "sample", Bindings: chooseBindings, Consts: []Const{k.slice(), {"EACH", each}, result, stride}, Slots: map[string]string{"draw": "draw_random"}})
	}
	if d.Logprobs && k.top == nil && err == nil {
		k.top, err = k.kernel(Spec{File: "top_logits", Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite}, Consts: []Const{result, stride, {"MAX_TOP", sample.MaxTop}}})
	}
	return err
}

// invocations are those of a workgroup, and how many candidates each has. A small vocabulary needs few; more would only wait at barriers.
func (k *Sample) invocations() (workgroup, each int) {
	switch {
	case k.params.Vocab <= 1024:
		return 16, 8
	case k.params.Vocab <= sliceLogits:
		return 64, 4
	}
	return 256, 2
}

func (k *Sample) slice() Const {
	vecs := sliceLogits / 4
	if k.slices == 1 {
		vecs = ceilDiv(ceilDiv(k.params.Vocab, 4), k.workgroup) * k.workgroup
	}
	return Const{"SLICE", vecs}
}

func (k *Sample) kernel(s Spec) (*gpu.Kernel, error) {
	s.Variant = "baseline"
	s.Consts = append(s.Consts, Const{"VOCABULARY", k.params.Vocab}, Const{"WORKGROUP", k.workgroup}, Const{"SLICES", k.slices})
	m, err := Module(k.device, s)
	if err != nil {
		return nil, err
	}
	return k.device.Kernel(m), nil
}

// Wait blocks until the kernels that draw the best tokens are compiled.
func (k *Sample) Wait(ctx context.Context) error {
	return k.wait(ctx, k.pick, k.peak, k.best, k.withhold)
}

func (k *Sample) wait(ctx context.Context, kernels ...*gpu.Kernel) error {
	for _, kernel := range kernels {
		if kernel == nil {
			continue
		}
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
type SampleBindings struct {
	pick, peak, best, choose, top, withhold *gpu.BindGroup
	views                                   []gpu.View // step, logits, masks, scratch, the lanes' parameters, lanes, results
}

// Bind binds the step buffer, logits [output][Stride], masks [mask][MaskWords], scratch (ScratchBytes), the lanes' parameters
// [lane][sample.LaneWords], the lanes' last tokens [lane], the results [output][ResultWords], the list of withheld tokens and the
// choices among masks.
func (k *Sample) Bind(step, logits, masks, scratch, laneParams, lanes, results, withheld, choices gpu.View) (*SampleBindings, error) {
	b := &SampleBindings{views: []gpu.View{step, logits, masks, scratch, laneParams, lanes, results}}
	var err error
	if b.pick, err = k.device.Bind(k.pick, step, choices, masks, lanes); err != nil {
		return nil, err
	}
	if b.peak, err = k.device.Bind(k.peak, b.views[:5]...); err != nil {
		return nil, err
	}
	if b.best, err = k.device.Bind(k.best, b.views...); err != nil {
		return nil, err
	}
	b.withhold, err = k.device.Bind(k.withhold, logits, withheld)
	return b, err
}

// Ready waits for what draws take that was made, and binds it.
func (k *Sample) Ready(ctx context.Context, b *SampleBindings, d Draws) (err error) {
	if d.Random && b.choose == nil {
		if err = k.choose.Wait(ctx); err == nil {
			b.choose, err = k.device.Bind(k.choose, b.views...)
		}
	}
	if d.Logprobs && b.top == nil && err == nil {
		if err = k.top.Wait(ctx); err == nil {
			b.top, err = k.device.Bind(k.top, append(slices.Clone(b.views[:5]), b.views[6])...)
		}
	}
	return err
}

// Draws are a step's outputs.
type Draws struct {
	Outputs  int
	Random   bool // a lane draws others than the best token, too
	Logprobs bool // a lane asks for log-probabilities
	Withheld int  // tokens in the list
	Pick     bool // outputs have choices among masks

	Penalties *Penalties // where a lane has a bias or penalties
	Raw       bool       // a lane with them wants the raw logits afterwards
}

// Record records draws, which are Ready: two dispatches, and a third for log-probabilities, which are those of all tokens as they were.
func (k *Sample) Record(rec *gpu.Recorder, b *SampleBindings, d Draws) {
	y, z := Fold(d.Outputs)
	trade := func() {
		if d.Withheld > 0 {
			rec.Dispatch(k.withhold, b.withhold, uint32(ceilDiv(d.Withheld, 64)), 1, 1)
		}
	}
	if d.Pick {
		rec.Dispatch(k.pick, b.pick, 1, y, z)
	}
	if d.Penalties != nil {
		d.Penalties.record(rec, d.Outputs)
	}
	trade()
	rec.Dispatch(k.peak, b.peak, uint32(k.slices), y, z)
	if d.Random {
		rec.Dispatch(k.choose, b.choose, 1, y, z)
	} else {
		rec.Dispatch(k.best, b.best, 1, y, z)
	}
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
