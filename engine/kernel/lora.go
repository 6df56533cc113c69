package kernel

import (
	"context"
	"fmt"
	"math"

	"quire/engine/gpu"
)

// MaxLoRASlots is how many matrices of a product may have A's of their own.
const MaxLoRASlots = 4

// LoRAParams describe y = activation(y + Scale·B·(factors ⊙ A·x)) (arXiv 2106.09685) of all adapters that are loaded: a sequence's
// factors of their ranks are in the step buffer. Strides are in floats, multiples of 32.
type LoRAParams struct {
	K, N             int
	Rank             int   // of all adapters
	Slots            []int // where in y the columns of each matrix begin, from 0 on
	XStride, YStride int
	MWord            int

	Norm      bool // x goes through RMSNorm first
	Eps       float32
	Gather    bool       // row m of x is the token of output m
	Scale     float32    // 0: 1
	Activated Activation // of what comes out; "": none
	Cap       float32    // what comes out is bounded to ±Cap by tanh, instead of Activated; 0: none
}

// LoRA adds what adapters change in a product's result.
type LoRA struct {
	dev      *gpu.Device
	params   LoRAParams
	down, up *gpu.Kernel
}

// NewLoRA composes the kernels and starts to compile them.
func NewLoRA(dev *gpu.Device, p LoRAParams) (*LoRA, error) {
	if p.K < 1 || p.N < 1 || p.Rank < 1 || p.XStride%32 != 0 || p.XStride < RowStride(p.K) || p.YStride < p.N || len(p.Slots) < 1 || len(p.Slots) > MaxLoRASlots || p.Slots[0] != 0 {
		return nil, fmt.Errorf("lora: %w: %d × %d of rank %d in %d parts", ErrMatrixShape, p.N, p.K, p.Rank, len(p.Slots))
	}
	kind := map[int]int{WordTokens: 0, WordOutputs: 1, WordPools: 2}[p.MWord]
	uStride := len(p.Slots) * p.Rank
	down := Spec{
		File: "lora_down", Variant: "baseline",
		Consts: []Const{
			{"RANK", p.Rank}, {"KIND", kind}, {"K", p.K}, {"VECTORS", RowStride(p.K) / 4}, {"X_STRIDE", p.XStride}, {"U_STRIDE", uStride}, {"M_WORD", p.MWord},
			{"NORM", p.Norm}, {"EPS", p.Eps}, {"GATHER", p.Gather}, {"WORKGROUP", 64}, {"LANES", 64}, {"SUMS", 2},
		},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	}
	useReduce(&down, 0)
	scale, activation := p.Scale, "activation_none"
	if scale == 0 {
		scale = 1
	}
	if p.Activated != "" {
		activation = p.Activated.library()
	}
	begins := [MaxLoRASlots]uint32{}
	for i := range begins {
		begins[i] = math.MaxUint32
		if i < len(p.Slots) {
			begins[i] = uint32(p.Slots[i])
		}
	}
	up := Spec{
		File: "lora_up", Variant: "baseline",
		Consts: []Const{
			{"RANK", p.Rank}, {"KIND", kind}, {"N", p.N}, {"SECOND", begins[1]}, {"THIRD", begins[2]}, {"FOURTH", begins[3]}, {"U_STRIDE", uStride}, {"B_STRIDE", RowStride(p.N)},
			{"Y_STRIDE", p.YStride}, {"M_WORD", p.MWord}, {"SCALE", scale},
		},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	}
	if p.Cap > 0 {
		activation = "activation_cap"
		up.Consts = append(up.Consts, Const{"CAP", p.Cap})
	}
	up.Slots = map[string]string{"activation": activation}
	l := &LoRA{dev: dev, params: p}
	for _, k := range []struct {
		spec Spec
		to   **gpu.Kernel
	}{{down, &l.down}, {up, &l.up}} {
		m, err := Module(dev, k.spec)
		if err != nil {
			return nil, err
		}
		*k.to = dev.Kernel(m)
	}
	return l, nil
}

// AWords, BWords and UWords are the sizes of A, [slot][Rank][K], of B, [Rank][N], and of what comes between them for so many rows.
func (p *LoRAParams) AWords() int         { return len(p.Slots) * p.Rank * RowStride(p.K) }
func (p *LoRAParams) BWords() int         { return p.Rank * RowStride(p.N) }
func (p *LoRAParams) UWords(rows int) int { return rows * len(p.Slots) * p.Rank }

// Wait blocks until the kernels have compiled.
func (l *LoRA) Wait(ctx context.Context) error {
	if err := l.down.Wait(ctx); err != nil {
		return err
	}
	return l.up.Wait(ctx)
}

// LoRAViews are the buffers of a LoRA. Norm is RMSNorm's weight, for Norm only. U is scratch; Y may share a buffer with X.
type LoRAViews struct{ Step, A, B, X, Norm, U, Y gpu.View }

// LoRABind is a LoRA's buffers, bound.
type LoRABind struct{ down, up *gpu.BindGroup }

// Bind binds the buffers.
func (l *LoRA) Bind(v LoRAViews) (b *LoRABind, err error) {
	norm := v.X
	if l.params.Norm {
		norm = v.Norm
	}
	b = &LoRABind{}
	if b.down, err = l.dev.Bind(l.down, v.Step, v.A, v.X, norm, v.U); err != nil {
		return nil, err
	}
	b.up, err = l.dev.Bind(l.up, v.Step, v.U, v.B, v.Y)
	return b, err
}

// Record records m rows, at most 65,535. Where no adapter changes any of them, only what the product left undone is done.
func (l *LoRA) Record(rec *gpu.Recorder, b *LoRABind, m int, adapted bool) {
	if m < 1 {
		return
	}
	p := &l.params
	if adapted {
		rec.Dispatch(l.down, b.down, uint32(len(p.Slots)*p.Rank), uint32(m), 1)
	}
	if adapted || p.Activated != "" || p.Cap > 0 {
		rec.Dispatch(l.up, b.up, uint32(ceilDiv(p.N, 64)), uint32(m), 1)
	}
}
