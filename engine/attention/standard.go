package attention

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// StandardParams specialise standard attention over one sequence: q is [Queries][Heads][HeadDim], k and v are
// [Keys][KVHeads][HeadDim], the output is like q, all f32 without gaps. The last query is at the last key.
type StandardParams struct {
	Queries, Keys int
	HeadDim       int
	Heads         int // query heads, a multiple of KVHeads
	KVHeads       int
	Causal        bool    // a query sees keys up to its own position
	Window        int     // a query sees keys less than Window from its own position; 0 sees all
	Scale         float32 // of q·k, usually 1/√HeadDim
	Softcap       float32 // scores are bounded to ±Softcap by tanh; 0 leaves them
	Variant       string  // of the matrix product, as kernel.LinearParams has it
	Backward      bool    // make room and kernels for RecordBackward
}

// ErrScores is a matrix of scores that no binding of the adapter holds.
var ErrScores = errors.New("the scores of standard attention do not fit one binding")

func (p StandardParams) check(limits gpu.Limits) error {
	switch {
	case p.Queries < 1 || p.Keys < 1:
		return fmt.Errorf("standard attention: %d queries and %d keys: at least one of each is needed", p.Queries, p.Keys)
	case p.HeadDim < 1:
		return fmt.Errorf("standard attention: head dim %d must be positive", p.HeadDim)
	case p.KVHeads < 1 || p.Heads < 1 || p.Heads%p.KVHeads != 0:
		return fmt.Errorf("standard attention: %d heads do not share %d KV heads evenly", p.Heads, p.KVHeads)
	case p.Window < 0:
		return fmt.Errorf("standard attention: window %d is negative", p.Window)
	case !(p.Softcap >= 0):
		return fmt.Errorf("standard attention: softcap %v is negative", p.Softcap)
	}
	most := min(limits.MaxStorageBufferBindingSize, limits.MaxBufferSize)
	if n := p.scoreBytes(); n > most {
		return fmt.Errorf("%w: %d × %d scores are %d bytes, the adapter binds %d; take fewer queries or keys", ErrScores, p.Queries, p.Keys, n, most)
	}
	return nil
}

// scoreBytes is the size of S, and of P: rows of Keys, padded to whole blocks of weights.
func (p StandardParams) scoreBytes() uint64 {
	return 4 * uint64(kernel.RowStride(p.Queries)) * uint64(kernel.RowStride(p.Keys))
}

// The words of a head's record, which every kernel of standard attention reads, and a record's bytes.
const (
	recordQueries = iota
	recordKeys
	recordHead
	recordKVHead
	recordHeadDim
	recordWords
	recordBytes = 256 // the largest offset alignment
)

// Standard is attention as written down (FlashAttention, arXiv 2205.14135, algorithm 0): S = Q·Kᵀ and P = softmax(S) go to
// memory, then O = P·V; head by head, in the models' matrix product. It is what flash attention is compared with and
// tested against; models never use it.
type Standard struct {
	device  *gpu.Device
	params  StandardParams
	squares []*gpu.Buffer // as large as the scores
	buffers []*gpu.Buffer
	planes  []*kernel.Matrix
	kernels []*gpu.Kernel // for Wait, those of the products apart

	records       *gpu.Buffer // one a query head
	q, o          *gpu.Buffer // a head's rows
	scores        *gpu.Buffer
	weights       *gpu.Buffer
	keys, valuesT *product // S and O

	packQ, packWeightsKV *gpu.Kernel
	unpackQ              *gpu.Kernel
	turnKV               *gpu.Kernel
	softmax              *gpu.Kernel
	back                 *standardBackward
}

// product is a matrix of one head with what multiplies by it.
type product struct {
	matrix *kernel.Matrix
	linear *kernel.Linear
	rows   int // of the result
}

// NewStandard makes the buffers of one head and starts compiling the kernels. Scores that do not fit a binding are
// ErrScores, too little memory a *gpu.MemoryError.
func NewStandard(d *gpu.Device, p StandardParams) (*Standard, error) {
	if err := p.check(d.Limits()); err != nil {
		return nil, err
	}
	s := &Standard{device: d, params: p}
	if err := s.make(); err != nil {
		s.Release()
		return nil, fmt.Errorf("standard attention: %w", err)
	}
	return s, nil
}

func (s *Standard) make() error {
	p := s.params
	width := kernel.RowStride(p.HeadDim)
	m := maker{s: s}
	s.records = m.buffer("heads", recordBytes*p.Heads)
	s.q, s.o = m.buffer("q of a head", 4*p.Queries*width), m.buffer("o of a head", 4*p.Queries*width)
	s.scores, s.weights = m.square("scores"), m.square("weights")
	s.keys = m.product("k of a head", p.Keys, p.HeadDim, kernel.RowStride(p.Keys), p.Queries, recordQueries)
	s.valuesT = m.product("v of a head", p.HeadDim, p.Keys, width, p.Queries, recordQueries)
	s.packQ = m.gather(recordQueries, recordHead, p.Heads, false)
	s.packWeightsKV = m.gather(recordKeys, recordKVHead, p.KVHeads, true)
	s.unpackQ = m.scatter(recordQueries, recordHead, p.Heads, false)
	s.turnKV = m.transpose(recordKeys, recordHeadDim, recordKVHead, p.KVHeads*p.HeadDim, true)
	s.softmax = m.kernel("standard_softmax", p.scoring(), 3, p.mostKeys())
	if p.Backward && m.err == nil {
		s.back = m.backward()
	}
	if m.err != nil {
		return m.err
	}
	return s.records.Upload(0, s.recordData())
}

func (p StandardParams) scoring() []kernel.Const {
	return []kernel.Const{{Name: "CAUSAL", Value: p.Causal}, {Name: "WINDOW", Value: min(p.Window, farthest)},
		{Name: "SCALE", Value: p.Scale}, {Name: "SOFTCAP", Value: p.Softcap}}
}

// mostKeys bounds the loops over keys.
func (p StandardParams) mostKeys() kernel.Const {
	return kernel.Const{Name: "MOST_KEYS", Value: p.Keys}
}

func (s *Standard) recordData() []byte {
	p := s.params
	data := make([]byte, recordBytes*p.Heads)
	for h := range p.Heads {
		at := data[recordBytes*h:]
		for word, v := range [recordWords]int{p.Queries, p.Keys, h, h / (p.Heads / p.KVHeads), p.HeadDim} {
			binary.LittleEndian.PutUint32(at[4*word:], uint32(v))
		}
	}
	return data
}

// Wait blocks until the kernels are compiled.
func (s *Standard) Wait(ctx context.Context) error {
	for _, k := range s.kernels {
		if err := k.Wait(ctx); err != nil {
			return err
		}
	}
	products := []*product{s.keys, s.valuesT}
	if s.back != nil {
		products = append(products, s.back.products()...)
	}
	for _, p := range products {
		if err := p.linear.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Release gives the buffers back.
func (s *Standard) Release() {
	for _, b := range append(s.squares, s.buffers...) {
		b.Release()
	}
	for _, m := range s.planes {
		m.Release()
	}
}

// Bytes returns the memory that the launch holds beside its inputs and outputs: the matrices as large as the scores,
// and the copies of one head's rows that the matrix product wants.
func (s *Standard) Bytes() (square, copies uint64) {
	for _, b := range s.squares {
		square += b.Size()
	}
	for _, b := range s.buffers {
		copies += b.Size()
	}
	for _, m := range s.planes {
		copies += m.Bytes()
	}
	return square, copies
}

// StandardBindings are a sequence's buffers bound to the kernels of standard attention.
type StandardBindings struct{ heads []standardHead }

// standardHead is one query head's share.
type standardHead struct {
	packQ, packK, turnV, softmax, unpackO *gpu.BindGroup
	scores, values                        *kernel.LinearBind
}

// Bind binds q, k, v and out; it waits for kernels that still compile.
func (s *Standard) Bind(q, k, v, out gpu.View) (*StandardBindings, error) {
	b := &binder{s: s}
	var all StandardBindings
	for h := range s.params.Heads {
		record := s.record(h)
		all.heads = append(all.heads, standardHead{
			packQ:   b.bind(s.packQ, record, q, s.q.All()),
			packK:   b.bind(s.packWeightsKV, record, k, s.keys.target()),
			turnV:   b.bind(s.turnKV, record, v, s.valuesT.target()),
			softmax: b.bind(s.softmax, record, s.scores.All(), s.weights.All()),
			unpackO: b.bind(s.unpackQ, record, s.o.All(), out),
			scores:  b.product(s.keys, record, s.q, s.scores),
			values:  b.product(s.valuesT, record, s.weights, s.o),
		})
	}
	if b.err != nil {
		return nil, fmt.Errorf("standard attention: %w", b.err)
	}
	return &all, nil
}

func (s *Standard) record(head int) gpu.View {
	return s.records.Slice(uint64(recordBytes*head), recordBytes)
}

// Record records the forward pass.
func (s *Standard) Record(rec *gpu.Recorder, b *StandardBindings) {
	p := s.params
	for h := range b.heads {
		bound := &b.heads[h]
		s.recordWeights(rec, bound, h)
		if h%(p.Heads/p.KVHeads) == 0 {
			s.turn(rec, s.turnKV, bound.turnV, p.Keys, p.HeadDim)
		}
		s.valuesT.record(rec, bound.values)
		s.copy(rec, s.unpackQ, bound.unpackO, p.Queries, p.HeadDim)
	}
}

// recordWeights records a head's S and P.
func (s *Standard) recordWeights(rec *gpu.Recorder, bound *standardHead, h int) {
	p := s.params
	width := kernel.RowStride(p.HeadDim)
	s.copy(rec, s.packQ, bound.packQ, p.Queries, width)
	if h%(p.Heads/p.KVHeads) == 0 {
		s.copy(rec, s.packWeightsKV, bound.packK, p.Keys, width)
	}
	s.keys.record(rec, bound.scores)
	x, y := kernel.Fold(p.Queries)
	rec.Dispatch(s.softmax, bound.softmax, x, y, 1)
}

func (s *Standard) copy(rec *gpu.Recorder, k *gpu.Kernel, g *gpu.BindGroup, rows, width int) {
	x, y := kernel.Fold((rows*width + 255) / 256)
	rec.Dispatch(k, g, x, y, 1)
}

func (s *Standard) turn(rec *gpu.Recorder, k *gpu.Kernel, g *gpu.BindGroup, rows, columns int) {
	rec.Dispatch(k, g, uint32((rows+31)/32), uint32((columns+31)/32), 1)
}

func (p *product) record(rec *gpu.Recorder, b *kernel.LinearBind) { p.linear.Record(rec, b, p.rows) }

// target is where a head's rows go as weights.
func (p *product) target() gpu.View { return p.matrix.Pieces[0].Buffer.All() }
