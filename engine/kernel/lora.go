package kernel

import (
	"context"
	"fmt"
	"math"

	"quire/engine/gpu"
)

// MaxLoRASlots is how many matrices of a product may have A's of their own.
const MaxLoRASlots = 4

// LoRAParams describe what LoRA adapters (arXiv 2106.09685) add to a product: B·(factors ⊙ A·x), of all that are loaded. A step says
// which rows have which, and with what factors. Linears whose LinearParams.Adapters says so add it, from a buffer that a LoRA fills.
type LoRAParams struct {
	K, N    int   // columns of x, and rows of all matrices together
	Rank    int   // of all adapters
	Slots   []int // where the rows of each matrix begin, from 0 on
	InTurn  bool  // rows of two matrices come in turn
	XStride int   // floats, a multiple of 32
	MWord   int

	Norm   bool // x goes through RMSNorm first
	Eps    float32
	Gather bool // row m of x is the token of output m

	Variant       string // see LinearVariants
	Deterministic bool   // sums in one order on every adapter
}

// AWords is the size of A, [slot][Rank][K], and BWords that of the other buffer for so many rows: B, [fours of ranks][N][4], and behind it for
// each row, in eights, a list of its fours of ranks, and A·x, [slot][ranks()] (see shaders/lib/adapters_lora.wgsl).
func (p *LoRAParams) AWords() int         { return len(p.Slots) * p.Rank * RowStride(p.K) }
func (p *LoRAParams) BWords(rows int) int { return p.listWord(ceilDiv(rows, 8) * 8) }

// listWord is where a row's list lies, and sumsWord where A·x does of a row and a slot.
func (p *LoRAParams) listWord(row int) int {
	return p.ranks()*p.N + row*(p.listWords()+len(p.Slots)*p.ranks())
}
func (p *LoRAParams) sumsWord(row, slot int) int {
	return p.listWord(row) + p.listWords() + slot*p.ranks()
}
func (p *LoRAParams) listWords() int { return ceilDiv(p.ranks(), 16) * 4 }

// bWord is where a rank of a row of B lies.
func (p *LoRAParams) bWord(row, rank int) int { return (rank/4*p.N+row)*4 + rank%4 }

// ranks are the floats of a row of B.
func (p *LoRAParams) ranks() int { return ceilDiv(p.Rank, 4) * 4 }

// kind is what rows are of, for shaders/lib/lora.wgsl.
func (p *LoRAParams) kind() int {
	return map[int]int{WordTokens: 0, WordOutputs: 1, WordPools: 2}[p.MWord]
}

// consts are those of all kernels that read or write A·x.
func (p *LoRAParams) consts() []Const {
	return []Const{{"RANKS", p.ranks() / 4}, {"N_ALL", p.N}, {"SLOTS", len(p.Slots)}}
}

// adapt has a product's kernel add what adapters do; at is where its matrix begins in all.
func (p *LoRAParams) adapt(s *Spec, at int) {
	begins, even := [MaxLoRASlots]uint32{}, at%widestTile == 0
	for _, begin := range p.Slots {
		even = even && begin%widestTile == 0
	}
	for i := range begins {
		begins[i] = math.MaxUint32
		if i < len(p.Slots) {
			begins[i] = uint32(p.Slots[i])
		}
	}
	s.Slots["adapters"] = "adapters_lora"
	s.Consts = append(append(s.Consts, p.consts()...), Const{"N_AT", at}, Const{"SECOND", begins[1]}, Const{"THIRD", begins[2]},
		Const{"FOURTH", begins[3]}, Const{"IN_TURN", p.InTurn}, Const{"EVEN_SLOTS", even}, Const{"ADAPTERS_BINDING", len(s.Bindings)})
	s.Bindings = append(s.Bindings, gpu.ReadOnly)
}

// fewRanks and manyRanks are the ranks that a workgroup finds: for few rows each its own, to be done soon, for many to read x less often.
const (
	fewRanks  = 1
	manyRanks = 4
)

// LoRA computes A·x for Linears. Its kernel for few rows leaves to them what an RMSNorm divides by.
type LoRA struct {
	dev       *gpu.Device
	params    LoRAParams
	few, many *gpu.Kernel
}

// NewLoRA composes the kernels and starts to compile them.
func NewLoRA(dev *gpu.Device, p LoRAParams) (*LoRA, error) {
	if p.K < 1 || p.N < 1 || p.Rank < 1 || p.XStride%32 != 0 || p.XStride < RowStride(p.K) || len(p.Slots) < 1 || len(p.Slots) > MaxLoRASlots || p.Slots[0] != 0 || p.InTurn && len(p.Slots) != 2 {
		return nil, fmt.Errorf("lora: %w: %d × %d of rank %d in %d parts", ErrMatrixShape, p.N, p.K, p.Rank, len(p.Slots))
	}
	over, err := arithmeticOf(p.Variant, dev.Info())
	if err != nil {
		return nil, err
	}
	subgroups := over.large && over.subgroup > 0 && !p.Deterministic // for barriers take longer there
	l := &LoRA{dev: dev, params: p}
	for _, k := range []struct {
		root bool
		per  int
		to   **gpu.Kernel
	}{{false, fewRanks, &l.few}, {p.Norm, manyRanks, &l.many}} {
		workgroup, sums := 64, k.per
		for workgroup < 256 && workgroup*8 < RowStride(p.K) {
			workgroup *= 2
		}
		if k.root {
			sums++
		}
		s := Spec{
			File: "lora_down", Variant: "baseline",
			Consts: append(p.consts(), Const{"KIND", p.kind()}, Const{"RANK", p.Rank}, Const{"K", p.K}, Const{"VECTORS", RowStride(p.K) / 4}, Const{"X_STRIDE", p.XStride}, Const{"M_WORD", p.MWord}, Const{"NORM", p.Norm}, Const{"ROOT", k.root},
				Const{"EPS", p.Eps}, Const{"GATHER", p.Gather}, Const{"WORKGROUP", workgroup}, Const{"LANES", workgroup}, Const{"PER", k.per}, Const{"SUMS", sums}, Const{"TURNS", ceilDiv(RowStride(p.K)/4, workgroup)}),
			Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
			Unrolled: true,
		}
		useReduce(&s, 0)
		if subgroups && workgroup%int(over.subgroup) == 0 {
			s.Slots["reduce"], s.Variant, s.Needs = "reduce_both", "subgroup", gpu.FeatureSubgroups
			s.Consts = append(s.Consts, Const{"SUBGROUP", int(over.subgroup)})
		}
		m, err := Module(dev, s)
		if err != nil {
			return nil, err
		}
		*k.to = dev.Kernel(m)
	}
	return l, nil
}

// Wait blocks until the kernels have compiled.
func (l *LoRA) Wait(ctx context.Context) error {
	if err := l.few.Wait(ctx); err != nil {
		return err
	}
	return l.many.Wait(ctx)
}

// LoRABind is a LoRA's buffers, bound.
type LoRABind struct{ few, many *gpu.BindGroup }

// Bind binds A, x, RMSNorm's weight, for Norm only, and the buffer of B, whose end is filled.
func (l *LoRA) Bind(step, a, x, norm, b gpu.View) (bound *LoRABind, err error) {
	if !l.params.Norm {
		norm = x
	}
	bound = &LoRABind{}
	if bound.few, err = l.dev.Bind(l.few, step, a, x, norm, b); err != nil {
		return nil, err
	}
	bound.many, err = l.dev.Bind(l.many, step, a, x, norm, b)
	return bound, err
}

// Record records m rows of a step, at most 65,535; many says that the Linears take tiles for them (Linear.Many).
func (l *LoRA) Record(rec *gpu.Recorder, b *LoRABind, s *StepData, m int, many bool) {
	k, bound, per := l.few, b.few, fewRanks
	if many {
		k, bound, per = l.many, b.many, manyRanks
	}
	rec.Dispatch(k, bound, uint32(s.fours()*4/per), uint32(m), uint32(len(l.params.Slots)))
}

// LoRAPlace moves an adapter's B into the buffer of all.
type LoRAPlace struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
}

// NewLoRAPlace composes the kernel and starts to compile it.
func NewLoRAPlace(dev *gpu.Device) (*LoRAPlace, error) {
	m, err := Module(dev, Spec{
		File: "lora_place", Variant: "baseline", Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	})
	if err != nil {
		return nil, err
	}
	return &LoRAPlace{dev: dev, kernel: dev.Kernel(m)}, nil
}

// Wait blocks until the kernel has compiled.
func (k *LoRAPlace) Wait(ctx context.Context) error { return k.kernel.Wait(ctx) }

// Run moves an adapter's [rows][ranks] to ranks from first on of b, which has as many rows, behind what was submitted before.
func (k *LoRAPlace) Run(b *gpu.Buffer, data []byte, rows, ranks, first int) error {
	source, err := k.dev.NewBuffer("LoRA B on its way", uint64(len(data)), gpu.Storage)
	if err != nil {
		return err
	}
	defer source.Release()
	place, err := k.dev.NewBuffer("LoRA place", 12, gpu.Storage)
	if err != nil {
		return err
	}
	defer place.Release()
	if err := source.Upload(0, data); err != nil {
		return err
	}
	if err := place.Upload(0, words([]uint32{uint32(rows), uint32(ranks), uint32(first)})); err != nil {
		return err
	}
	bound, err := k.dev.Bind(k.kernel, place.All(), source.All(), b.All())
	if err != nil {
		return err
	}
	var rec gpu.Recorder
	x, y := Fold(ceilDiv(rows*ranks, 64))
	rec.Dispatch(k.kernel, bound, x, y, 1)
	return k.dev.Submit(&rec)
}
