package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// ConvolutionParams describe a causal convolution of each channel over a row's tokens.
type ConvolutionParams struct {
	Channels, Taps int
	XOffset        int // the first channel's place in a row of x
	XStride        int // floats
	YStride        int
	Bias           bool
	Gated          bool       // a row of x has gates of what goes in and of what comes out before the channels
	Activation     Activation // "" for none
	StateAt        int        // the state's place in a slot
	SlotWords      int        // words of a slot
	Keeps          bool       // states are kept behind StepData.Keeps
}

// StateWords is how many words of a slot the tokens that the next ones see take.
func (p ConvolutionParams) StateWords() int { return p.Channels * (p.Taps - 1) }

// width is the floats of a row of x.
func (p ConvolutionParams) width() int {
	if p.Gated {
		return 3 * p.Channels
	}
	return p.Channels
}

// Convolution convolves channels with what their rows' states remember.
type Convolution struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
	params ConvolutionParams
}

// NewConvolution composes the kernel and starts to compile it.
func NewConvolution(dev *gpu.Device, p ConvolutionParams) (*Convolution, error) {
	if p.Channels < 1 || p.Taps < 1 || p.XOffset < 0 || p.XOffset+p.width() > p.XStride || p.Channels > p.YStride {
		return nil, fmt.Errorf("convolution: %w: %d channels from %d in rows of %d and %d, %d taps", ErrMatrixShape, p.Channels, p.XOffset, p.XStride, p.YStride, p.Taps)
	}
	activation := "activation_none"
	if p.Activation != "" {
		activation = p.Activation.library()
	}
	m, err := Module(dev, Spec{
		File: "convolution", Variant: "baseline",
		Consts: []Const{
			{"CHANNELS", p.Channels}, {"TAPS", p.Taps}, {"BIAS", p.Bias}, {"GATED", p.Gated}, {"X_AT", p.XOffset}, {"X_STRIDE", p.XStride}, {"Y_STRIDE", p.YStride},
			{"STATE_AT", p.StateAt}, {"SLOT_WORDS", p.SlotWords}, {"KEEPS", p.Keeps},
		},
		Slots:    map[string]string{"activation": activation},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite},
	})
	if err != nil {
		return nil, err
	}
	return &Convolution{dev: dev, kernel: dev.Kernel(m), params: p}, nil
}

// Wait blocks until the kernel has compiled.
func (c *Convolution) Wait(ctx context.Context) error { return c.kernel.Wait(ctx) }

// Bind binds x [token][XStride], weight [Channels][Taps], the oldest token's first, bias [Channels] with
// ConvolutionParams.Bias, the layer's states [slot][SlotWords] and y [token][YStride].
func (c *Convolution) Bind(step, x, weight, bias, state, y gpu.View) (*gpu.BindGroup, error) {
	if !c.params.Bias {
		bias = weight
	}
	return c.dev.Bind(c.kernel, step, x, weight, bias, state, y)
}

// Record records the step's tokens.
func (c *Convolution) Record(rec *gpu.Recorder, b *gpu.BindGroup, tokens int) {
	rec.Dispatch(c.kernel, b, uint32(ceilDiv(c.params.Channels, 64)), uint32(tokens), 1)
}
