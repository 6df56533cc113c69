package model

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/quant"
)

// ErrAdapter says that an adapter cannot be used with the model; the text says why.
var ErrAdapter = errors.New("unsupported adapter")

// adaptable is a product that LoRA adapters may change: its matrices, one below the other, or rows of two in turn.
type adaptable struct {
	cols, rows int
	slots      []slot
	inTurn     bool
}

// slot is rows of a product that come of one tensor.
type slot struct {
	block
	name string // of the tensor, as adapters name it
	at   int
}

// tensorRows is how many rows the tensor has, which may be more than the slot's.
func (s *slot) tensorRows() int {
	if t := s.parts[0].Tensor; len(t.Shape) == 2 {
		return int(t.Shape[1])
	}
	return 1
}

// adapt notes what adapters may change in a product, where the model is to have room for them.
func (b *builder) adapt(p *product) {
	if b.plan.Rank <= 0 || len(p.weights) == 0 {
		return
	}
	a := &adaptable{cols: p.x.width}
	for _, m := range p.weights {
		a.inTurn = m.inTurn
		for _, block := range m.blocks {
			s := slot{block: block, name: block.parts[0].Tensor.Name, at: a.rows}
			if m.inTurn {
				s.at = 0
			}
			if m == b.plan.embedding {
				s.name = "output.weight" // the embedding itself stays as it is
			}
			a.slots = append(a.slots, s)
			a.rows += block.rows
		}
	}
	if len(a.slots) <= kernel.MaxLoRASlots {
		p.adaptable = a
		b.plan.adaptable = append(b.plan.adaptable, a)
	}
}

// ignore passes over a tensor that files carry without a meaning, and what adapters add to it.
func (b *builder) ignore(name string) {
	if _, ok := b.find(name); ok {
		b.plan.ignored = append(b.plan.ignored, name)
	}
}

// Adaptable is a matrix that LoRA adapters may change.
type Adaptable struct {
	Name       string // of its tensor
	Cols, Rows int
}

// Adaptable lists what adapters may change, where the plan has room for any. Rows of a tensor may be in several products.
func (p *Plan) Adaptable() []Adaptable {
	var all []Adaptable
	for _, a := range p.adaptable {
		for i := range a.slots {
			one := Adaptable{a.slots[i].name, a.cols, a.slots[i].tensorRows()}
			if !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
	}
	return all
}

// Adapter is a LoRA adapter (arXiv 2106.09685) that fits a model.
type Adapter struct {
	Rank  int // the largest of its matrices'
	pairs map[string]adapterPair
}

// adapterPair is what is added to a matrix: factor·b·a.
type adapterPair struct {
	a, b   *gguf.Tensor
	factor float32
}

// The ends of an adapter's tensors' names.
const (
	loraA = ".lora_a"
	loraB = ".lora_b"
)

// adapterTypes are those that converters write adapters in.
var adapterTypes = []quant.Type{quant.F32, quant.F16, quant.BF16, quant.Q8_0}

// AdapterRank is the rank that an adapter's file needs room for, whatever the model.
func AdapterRank(f *gguf.File) (int, error) {
	if err := checkAdapter(f); err != nil {
		return 0, err
	}
	rank := 0
	for i := range f.Tensors {
		if t := &f.Tensors[i]; strings.HasSuffix(t.Name, loraA) && len(t.Shape) == 2 {
			rank = max(rank, int(min(t.Shape[1], math.MaxInt32)))
		}
	}
	return rank, nil
}

// checkAdapter refuses files that are no LoRA adapter, and keys that change what one means.
func checkAdapter(f *gguf.File) error {
	for _, want := range []struct{ key, value string }{{"general.type", "adapter"}, {"adapter.type", "lora"}} {
		got, _, err := f.Metadata.String(want.key)
		if err != nil {
			return err
		}
		if got != want.value {
			return fmt.Errorf("%w: the file is none for LoRA: %s is %q, not %q", ErrAdapter, want.key, got, want.value)
		}
	}
	known := []string{"adapter.type", "adapter.lora.alpha", "adapter.lora.task_name", "adapter.lora.prompt_prefix"}
	for key, v := range f.Metadata.All() {
		if strings.HasPrefix(key, "adapter.") && !slices.Contains(known, key) {
			return fmt.Errorf("%w: the adapter's %s is %s, which this version does not know", ErrAdapter, key, shown(v))
		}
	}
	return nil
}

// NewAdapter checks a file against a model with room for adapters. Its error names the first thing that does not fit.
func (p *Plan) NewAdapter(f *gguf.File) (*Adapter, error) {
	refuse := func(format string, args ...any) (*Adapter, error) {
		return nil, fmt.Errorf("%w: "+format, append([]any{ErrAdapter}, args...)...)
	}
	if err := checkAdapter(f); err != nil {
		return nil, err
	}
	arch, _, err := f.Metadata.String("general.architecture")
	if err != nil {
		return nil, err
	}
	if arch != p.Config.Architecture {
		return refuse("the adapter is for models of architecture %q, and this one is %q", arch, p.Config.Architecture)
	}
	alpha, _, err := f.Metadata.Float32("adapter.lora.alpha")
	if err != nil {
		return nil, err
	}
	ad := &Adapter{pairs: map[string]adapterPair{}}
	for i := range f.Tensors {
		t := &f.Tensors[i]
		base, isA := strings.CutSuffix(t.Name, loraA)
		if !isA {
			var isB bool
			if base, isB = strings.CutSuffix(t.Name, loraB); !isB {
				return refuse("the adapter's tensor %s ends in neither %s nor %s", t.Name, loraA, loraB)
			}
		}
		if len(t.Shape) == 3 {
			return refuse("the adapter changes experts (tensor %s has shape %v), and adapters of experts do not run", t.Name, t.Shape)
		}
		if len(t.Shape) != 2 {
			return refuse("the adapter's tensor %s has shape %v, want a matrix", t.Name, t.Shape)
		}
		if !slices.Contains(adapterTypes, t.Type) {
			return refuse("the adapter's tensor %s has type %s (F32, F16, BF16 and Q8_0 run)", t.Name, t.Type)
		}
		pair := ad.pairs[base]
		if isA {
			pair.a = t
		} else {
			pair.b = t
		}
		ad.pairs[base] = pair
	}
	if len(ad.pairs) == 0 {
		return refuse("the adapter has no tensors")
	}
	for i := range f.Tensors { // in the file's order
		base := strings.TrimSuffix(strings.TrimSuffix(f.Tensors[i].Name, loraA), loraB)
		pair := ad.pairs[base]
		switch {
		case pair.a == nil:
			return refuse("the adapter has %s, and no %s", pair.b.Name, base+loraA)
		case pair.b == nil:
			return refuse("the adapter has %s, and no %s", pair.a.Name, base+loraB)
		}
		if slices.Contains(p.ignored, base) {
			continue
		}
		cols, rows, ok := p.changed(base)
		if !ok {
			return refuse("the adapter changes %s, which is no matrix of this model that adapters can change", base)
		}
		if rank := pair.a.Shape[1]; pair.a.Shape[0] != cols || pair.b.Shape[1] != rows || pair.b.Shape[0] != rank {
			return refuse("the adapter's tensors %s and %s have shapes %v and %v, and the model's matrix has %d columns and %d rows", pair.a.Name, pair.b.Name, pair.a.Shape, pair.b.Shape, cols, rows)
		}
		pair.factor = 1
		if alpha != 0 {
			pair.factor = alpha / float32(pair.a.Shape[1])
		}
		ad.pairs[base] = pair
		ad.Rank = max(ad.Rank, int(pair.a.Shape[1]))
	}
	return ad, nil
}

// changed finds the matrix that an adapter would change.
func (p *Plan) changed(base string) (cols, rows uint64, ok bool) {
	for _, a := range p.adaptable {
		for i := range a.slots {
			if s := &a.slots[i]; s.name == base {
				return uint64(a.cols), uint64(s.tensorRows()), true
			}
		}
	}
	return 0, 0, false
}

// room is a product's memory for adapters.
type room struct {
	a, b *gpu.Buffer
	used bool // an adapter changed it since the model was loaded
}

// adapt records what adapters add to a product, before its Linears, which are told of it; the norm is x's.
func (g *Graph) adapt(p *product, x gpu.View, norm *norm, gather bool, mWord int) (params *kernel.LoRAParams, added gpu.View, record func(rec *gpu.Recorder, s *kernel.StepData, m int, many bool)) {
	a := p.adaptable
	l := &kernel.LoRAParams{K: a.cols, N: a.rows, Rank: g.plan.Rank, InTurn: a.inTurn, XStride: kernel.RowStride(p.x.width), MWord: mWord, Norm: norm != nil, Gather: gather,
		Variant: g.linearVariant, Deterministic: g.options.Deterministic}
	if norm != nil {
		l.Eps = norm.eps
	}
	for _, s := range a.slots {
		l.Slots = append(l.Slots, s.at)
	}
	k, err := kernel.NewLoRA(g.Device(), *l)
	if err != nil {
		g.Fail(err)
		return nil, gpu.View{}, nil
	}
	g.Await(k)
	if g.placing == nil {
		if g.placing, err = kernel.NewLoRAPlace(g.Device()); err != nil {
			g.Fail(err)
			return nil, gpu.View{}, nil
		}
		g.Await(g.placing)
	}
	down, up := g.Buffer("LoRA A", l.AWords()), g.Buffer("LoRA B", l.BWords(p.y.count(g)))
	in := &room{a: down.Buffer, b: up.Buffer}
	g.rooms[a] = in
	var bound *kernel.LoRABind
	g.Add(func() (err error) {
		var weight gpu.View
		if norm != nil {
			weight = g.weights.vector[norm.weight].All()
		}
		bound, err = k.Bind(g.step, down, g.Resolve(x), weight, up)
		return err
	}, nil)
	return l, up, func(rec *gpu.Recorder, s *kernel.StepData, m int, many bool) {
		if in.used {
			k.Record(rec, bound, s, m, many)
		}
	}
}

// Place moves an adapter from its file to the GPU, to ranks from first on, in place of what was there.
func (g *Graph) Place(ad *Adapter, src io.ReaderAt, first int) error {
	if ad.Rank == 0 { // all that it changes is without a meaning
		return nil
	}
	for _, a := range g.plan.adaptable {
		room := g.rooms[a]
		stride := kernel.RowStride(a.cols)
		ups := make([]float32, ad.Rank*a.rows)
		for i := range a.slots {
			s := &a.slots[i]
			downs := make([]float32, ad.Rank*stride)
			if pair, ok := ad.pairs[s.name]; ok {
				room.used = true
				if err := pair.place(src, s, downs, stride, ups, ad.Rank); err != nil {
					return err
				}
			}
			if err := room.a.Upload(uint64(4*(i*g.plan.Rank+first)*stride), littleEndian(downs)); err != nil {
				return err
			}
		}
		if err := g.placing.Run(room.b, littleEndian(ups), a.rows, ad.Rank, first); err != nil {
			return err
		}
	}
	return nil
}

// place fills a slot's rows of A, and of B, whose rows have so many ranks.
func (p *adapterPair) place(src io.ReaderAt, s *slot, downs []float32, stride int, ups []float32, ranks int) error {
	a, err := floats(src, p.a)
	if err != nil {
		return err
	}
	b, err := floats(src, p.b)
	if err != nil {
		return err
	}
	for i := range b {
		b[i] *= p.factor
	}
	// Kernels multiply what is not a request's by 0 where it shares four ranks with what is, and 0 times infinity is no number.
	for _, one := range []struct {
		tensor *gguf.Tensor
		values []float32
	}{{p.a, a}, {p.b, b}} {
		if slices.ContainsFunc(one.values, notFinite) {
			return fmt.Errorf("%w: the adapter's tensor %s holds infinity or NaN, or is too large times alpha", ErrAdapter, one.tensor.Name)
		}
	}
	cols, rank := int(p.a.Shape[0]), int(p.a.Shape[1])
	for r := range rank {
		copy(downs[r*stride:], a[r*cols:][:cols])
	}
	for _, part := range s.parts {
		n := part.Rows
		if n == 0 {
			n = s.tensorRows()
		}
		for i := range n {
			for r := range rank {
				ups[(s.at+part.Offset+i*part.Stride)*ranks+r] = b[(part.First+i)*rank+r]
			}
		}
	}
	return nil
}

// floats reads a tensor's values.
func floats(src io.ReaderAt, t *gguf.Tensor) ([]float32, error) {
	data := make([]byte, t.Bytes)
	if _, err := src.ReadAt(data, t.Offset); err != nil && err != io.EOF {
		return nil, fmt.Errorf("tensor %s: %w", t.Name, err)
	}
	out := make([]float32, t.Elements())
	if t.Type == quant.Q8_0 {
		quant.DequantizeQ8_0(data, out)
		return out, nil
	}
	for i := range out {
		switch t.Type {
		case quant.F16:
			out[i] = quant.F16ToF32(binary.LittleEndian.Uint16(data[2*i:]))
		case quant.BF16:
			out[i] = quant.BF16ToF32(binary.LittleEndian.Uint16(data[2*i:]))
		default:
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	}
	return out, nil
}

func notFinite(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }

func littleEndian(values []float32) []byte {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return data
}
