package kernel

import (
	"encoding/binary"
	"fmt"
	"math"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// Pattern says what shaders/pattern.wgsl fills a buffer with.
type Pattern struct {
	kind, words, width, stride, salt, templates uint32
}

// patternBlocks is the kind of weights' blocks; the others are KVTypes.
const patternBlocks = 4

// Rows is a pattern of rows of width floats, a stride apart, zeros between them.
func Rows(width, stride int, salt uint32) Pattern {
	return Pattern{width: uint32(width), stride: uint32(stride), salt: salt}
}

// Cache is a pattern of a layer's K or V.
func Cache(l KVLayout, salt uint32) Pattern {
	p := Pattern{kind: uint32(l.Type), width: uint32(l.RowWords()), stride: uint32(l.BlockWords() + l.Pad), salt: salt}
	if l.Type == KVF32 {
		p.width = p.stride
	}
	return p
}

func (p Pattern) scatter(i uint32) uint32 {
	a := (i ^ p.salt) * 2654435761
	b := (a ^ a>>15) * 2246822519
	return b ^ b>>13
}

// Number is what a part of a word stands for: of f32 the only one, of f16 and bfloat16 one of two, of 8-bit integers one of four.
func (p Pattern) Number(word, part int) float64 {
	return float64(p.level(word, part)-127) / 64
}

// level is which of the 255 numbers that is, the least first.
func (p Pattern) level(word, part int) int { return int(p.scatter(uint32(4*word+part)) >> 8 % 255) }

// CacheRow gives the first numbers of a row of a cache.
func (p Pattern) CacheRow(l KVLayout, block, head, slot int, numbers []float64) {
	parts := 1
	switch l.Type {
	case KVF16, KVBF16:
		parts = 2
	case KVQ8:
		parts = 4
	}
	row := block*(l.BlockWords()+l.Pad) + (head*l.BlockSize+slot)*l.RowWords()
	for at := range numbers {
		numbers[at] = p.Number(row+at/parts, at%parts)
	}
}

// templates are blocks of a type, as in a file and as numbers.
type templates struct {
	Pattern
	raw     []byte
	numbers []float32
	each    int // weights of a block
}

func newTemplates(t quant.Type, salt uint32) (*templates, error) {
	n := 61
	if t.BlockWeights() > 32 {
		n = 13
	}
	b := &templates{each: t.BlockWeights(), raw: make([]byte, n*t.BlockBytes()), numbers: make([]float32, n*t.BlockWeights())}
	b.Pattern = Pattern{kind: patternBlocks, width: uint32(t.BlockBytes()), stride: 1, salt: salt, templates: uint32(n)}
	if b.each == 1 { // numbers that all plain types hold
		bytes := t.BlockBytes()
		for i := range b.numbers {
			b.numbers[i] = float32(b.Number(i, 0) / 16)
			word := math.Float32bits(b.numbers[i])
			switch t {
			case quant.F16:
				word = uint32(quant.F32ToF16(b.numbers[i]))
			case quant.BF16:
				word >>= 16
			}
			for j := range bytes {
				b.raw[i*bytes+j] = byte(word >> (8 * j))
			}
		}
		return b, nil
	}
	i := uint32(0)
	bits := func() uint32 {
		i++
		return b.scatter(i) >> 8
	}
	if err := quant.Bits(t, bits, func() float32 { return 0.5 }, 1.0/16, b.raw); err != nil {
		return nil, err
	}
	return b, quant.Dequantize(t, b.raw, b.numbers)
}

// weight is a weight by its place among all.
func (b *templates) weight(at int) float64 {
	block := b.scatter(uint32(at/b.each)) >> 8 % b.templates
	return float64(b.numbers[int(block)*b.each+at%b.each])
}

// filler fills buffers with patterns.
type filler struct {
	dev      *gpu.Device
	kernel   *gpu.Kernel
	patterns *gpu.Buffer
	data     []byte // of patterns
	uploaded int    // bytes of it
}

// patternBytes is the distance between patterns, which are bound on their own; mostPatterns is the room for them.
const (
	patternBytes = planeAlignment
	mostPatterns = 4096
)

// PrepareSelfTest starts to compile what fills a self-test's buffers, so that it need not be waited for.
func PrepareSelfTest(d *gpu.Device) (*gpu.Kernel, error) {
	m, err := Module(d, Spec{File: "pattern", Variant: "baseline", Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite}})
	if err != nil {
		return nil, err
	}
	return d.Kernel(m), nil
}

func newFiller(d *gpu.Device) (*filler, error) {
	k, err := PrepareSelfTest(d)
	if err != nil {
		return nil, err
	}
	f := &filler{dev: d, kernel: k}
	f.patterns, err = d.NewBuffer("patterns", patternBytes*mostPatterns, gpu.Storage)
	return f, err
}

// record fills words of a buffer, once the patterns are uploaded; blocks are the templates of weights, or nil.
func (f *filler) record(rec *gpu.Recorder, to *gpu.Buffer, words int, p Pattern, blocks *gpu.Buffer) error {
	if len(f.data) == mostPatterns*patternBytes {
		return fmt.Errorf("self-test: more than %d patterns", mostPatterns)
	}
	p.words = uint32(words)
	at := len(f.data)
	for _, w := range []uint32{p.kind, p.words, p.width, p.stride, p.salt, p.templates} {
		f.data = binary.LittleEndian.AppendUint32(f.data, w)
	}
	f.data = append(f.data, make([]byte, at+patternBytes-len(f.data))...)
	pattern := f.patterns.Slice(uint64(at), patternBytes)
	from := pattern
	if blocks != nil {
		from = blocks.All()
	}
	bind, err := f.dev.Bind(f.kernel, pattern, from, to.All())
	if err != nil {
		return err
	}
	x, y := Fold(ceilDiv(words, 64))
	rec.Dispatch(f.kernel, bind, x, y, 1)
	return nil
}

// upload has the patterns so far where recorded work finds them.
func (f *filler) upload() error {
	data := f.data[f.uploaded:]
	if len(data) == 0 {
		return nil
	}
	at := f.uploaded
	f.uploaded = len(f.data)
	return f.patterns.Upload(uint64(at), data)
}
