package kernel

import (
	"errors"
	"fmt"

	"quire/engine/gpu"
)

// WeightType names how a matrix's weights are stored, in GGUF's words.
type WeightType string

// The weight types that kernels read.
const (
	F32  WeightType = "f32"
	F16  WeightType = "f16"
	BF16 WeightType = "bf16"
	Q8_0 WeightType = "q8_0"
	Q4_0 WeightType = "q4_0"
	Q4_1 WeightType = "q4_1"
)

// ErrWeightType is a weight type that no kernel reads.
var ErrWeightType = errors.New("unsupported weight type")

// ErrMatrixShape is a matrix that cannot be laid out.
var ErrMatrixShape = errors.New("bad matrix shape")

// BlockSize is the number of weights along a row that share a scale; rows are padded to whole blocks.
const BlockSize = 32

// weightLayout says how a type stands in a file and in planes.
type weightLayout struct {
	kind       int // shaders/repack.wgsl's KIND
	blockWords int // words of quants for 32 weights
	scaleHalfs int // f16 values of scales for 32 weights
	block      int // weights of a block in the file
	blockBytes int // bytes of a block in the file
}

var weightLayouts = map[WeightType]weightLayout{
	F32:  {kind: 0, blockWords: 32, block: 1, blockBytes: 4},
	F16:  {kind: 1, blockWords: 16, block: 1, blockBytes: 2},
	BF16: {kind: 1, blockWords: 16, block: 1, blockBytes: 2},
	Q8_0: {kind: 2, blockWords: 8, scaleHalfs: 1, block: 32, blockBytes: 34},
	Q4_0: {kind: 3, blockWords: 4, scaleHalfs: 1, block: 32, blockBytes: 18},
	Q4_1: {kind: 4, blockWords: 4, scaleHalfs: 2, block: 32, blockBytes: 20},
}

// Matrix is weights [Rows][Cols] on the GPU, row-major in planes: quants in blocks of 32 weights along a row, padded with
// zeros, then scales (Q8_0 and Q4_0: f16, two a word, a row starting on a word; Q4_1: scale and minimum, a word a block).
// It is split by rows into pieces so that a piece fits a binding.
type Matrix struct {
	Type       WeightType
	Rows, Cols int
	Pieces     []Piece
}

// Piece is the rows [First, First+Rows) of a matrix.
type Piece struct {
	Buffer         *gpu.Buffer
	First, Rows    int
	quants, scales gpu.View
}

// planeAlignment is the largest offset alignment an adapter may ask of a binding, in bytes.
const planeAlignment = 256

// MatrixBytes returns the GPU memory that a matrix takes before it is split.
func MatrixBytes(t WeightType, rows, cols int) (uint64, error) {
	l, ok := weightLayouts[t]
	if !ok {
		return 0, fmt.Errorf("%w %q", ErrWeightType, t)
	}
	quants, scales := l.rowBytes(cols)
	return alignUp(uint64(rows)*quants, planeAlignment) + uint64(rows)*scales, nil
}

// NewMatrix makes room for a matrix, zeroed; a Repacker fills it. maxBinding, where not 0, lowers the device's limit on
// a piece in bytes. Too little memory is a *gpu.MemoryError.
func NewMatrix(dev *gpu.Device, label string, t WeightType, rows, cols int, maxBinding uint64) (*Matrix, error) {
	l, ok := weightLayouts[t]
	if !ok {
		return nil, fmt.Errorf("matrix %s: %w %q", label, ErrWeightType, t)
	}
	if rows < 1 || cols < 1 || rows > 1<<31 || cols > 1<<24 || cols%l.block != 0 {
		return nil, fmt.Errorf("matrix %s: %w: %d × %d in %s, whose blocks are %d weights", label, ErrMatrixShape, rows, cols, t, l.block)
	}
	limits := dev.Limits()
	limit := min(limits.MaxStorageBufferBindingSize, limits.MaxBufferSize)
	if maxBinding != 0 {
		limit = min(limit, maxBinding)
	}
	quants, scales := l.rowBytes(cols)
	var most uint64
	if limit > planeAlignment {
		most = (limit - planeAlignment) / (quants + scales)
	}
	// Pairs of rows stay together, as fused gates and ups need.
	if most &^= 1; most >= 64 {
		most &^= 63
	}
	if most == 0 {
		return nil, fmt.Errorf("matrix %s: %w: two rows of %d weights in %s do not fit a binding of %d bytes", label, ErrMatrixShape, cols, t, limit)
	}
	m := &Matrix{Type: t, Rows: rows, Cols: cols}
	for first := 0; first < rows; {
		n := rows - first
		if uint64(n) > most {
			n = int(most)
		}
		p := Piece{First: first, Rows: n}
		at := alignUp(uint64(n)*quants, planeAlignment)
		size := at + uint64(n)*scales
		b, err := dev.NewBuffer(label, size, gpu.Storage)
		if err != nil {
			m.Release()
			return nil, fmt.Errorf("matrix %s: %w", label, err)
		}
		p.Buffer = b
		p.quants = b.Slice(0, uint64(n)*quants)
		p.scales = b.Slice(0, min(planeAlignment, p.quants.Size))
		if scales > 0 {
			p.scales = b.Slice(at, uint64(n)*scales)
		}
		m.Pieces = append(m.Pieces, p)
		first += n
	}
	return m, nil
}

// Release gives the matrix's memory back.
func (m *Matrix) Release() {
	if m == nil {
		return
	}
	for _, p := range m.Pieces {
		p.Buffer.Release()
	}
}

// Bytes is the GPU memory that the matrix takes.
func (m *Matrix) Bytes() uint64 {
	var n uint64
	for _, p := range m.Pieces {
		n += p.Buffer.Size()
	}
	return n
}

// blocks is the number of blocks of 32 weights in a row.
func (m *Matrix) blocks() int { return blocksOf(m.Cols) }

// rowBytes returns the bytes of a row's quants and scales in planes.
func (l weightLayout) rowBytes(cols int) (quants, scales uint64) {
	blocks := uint64(blocksOf(cols))
	return blocks * uint64(l.blockWords) * 4, (blocks*uint64(l.scaleHalfs) + 1) / 2 * 4
}

func blocksOf(cols int) int { return (cols + BlockSize - 1) / BlockSize }

func alignUp(n, to uint64) uint64 { return (n + to - 1) / to * to }
