package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// ErrMatrixShape is a matrix that cannot be laid out.
var ErrMatrixShape = errors.New("bad matrix shape")

// strip is what rows of weights and of activations are cut into, and padded to: 32 floats.
const strip = 32

// RowStride rounds a number of columns up to what rows of activations are apart, in floats.
func RowStride(columns int) int { return stripsOf(columns) * strip }

func stripsOf(columns int) int { return (columns + strip - 1) / strip }

// Matrix is weights [Rows][Cols] on the GPU in their type's planes, codes and scales, padded with zeros to whole strips. It
// is split by rows into pieces so that a piece fits a binding.
type Matrix struct {
	Type       quant.Type
	Rows, Cols int
	Each       int // rows of one of the experts that stand one after another; 0: the matrix is no stack of experts
	Pieces     []Piece
}

// Piece is the rows [First, First+Rows) of a matrix.
type Piece struct {
	Buffer        *gpu.Buffer
	First, Rows   int
	codes, scales gpu.View
}

// planeAlignment is the largest offset alignment an adapter may ask of a binding, in bytes.
const planeAlignment = 256

// NewMatrix makes room for a matrix, zeroed; a Repacker fills it. maxBinding, where not 0, lowers the device's limit on
// a piece in bytes. Too little memory is a *gpu.MemoryError.
func NewMatrix(dev *gpu.Device, label string, t quant.Type, rows, cols int, maxBinding uint64) (*Matrix, error) {
	return newMatrix(dev, label, t, rows, cols, 0, maxBinding)
}

// NewExpertMatrix makes room for the matrices of a number of experts, each of rows × cols, one below the other. A piece holds
// whole experts, or where not one fits a binding, some of the rows of one.
func NewExpertMatrix(dev *gpu.Device, label string, t quant.Type, experts, rows, cols int, maxBinding uint64) (*Matrix, error) {
	if experts < 1 || experts > 1<<16 || rows < 1 || rows > 1<<20 {
		return nil, fmt.Errorf("matrix %s: %w: %d experts of %d rows", label, ErrMatrixShape, experts, rows)
	}
	return newMatrix(dev, label, t, experts*rows, cols, rows, maxBinding)
}

func newMatrix(dev *gpu.Device, label string, t quant.Type, rows, cols, each int, maxBinding uint64) (*Matrix, error) {
	if !t.Runs() {
		return nil, fmt.Errorf("matrix %s: %w %s", label, quant.ErrUnsupportedType, t)
	}
	if rows < 1 || cols < 1 || rows > 1<<31 || cols > 1<<24 || cols%t.BlockWeights() != 0 {
		return nil, fmt.Errorf("matrix %s: %w: %d × %d in %s, whose blocks are %d weights", label, ErrMatrixShape, rows, cols, t, t.BlockWeights())
	}
	limits := dev.Limits()
	limit := min(limits.MaxStorageBufferBindingSize, limits.MaxBufferSize)
	if maxBinding != 0 {
		limit = min(limit, maxBinding)
	}
	codes, scales := planeBytes(t, cols)
	table := t.Table()
	head := uint64(4 * len(table))
	var most uint64
	if limit > planeAlignment+head {
		most = (limit - planeAlignment - head) / (codes + scales)
	}
	// Pairs of rows stay together, as fused gates and ups need.
	if most &^= 1; most >= 64 {
		most &^= 63
	}
	if most == 0 {
		return nil, fmt.Errorf("matrix %s: %w: two rows of %d weights in %s do not fit a binding of %d bytes", label, ErrMatrixShape, cols, t, limit)
	}
	if each > 0 && most >= uint64(each) {
		most -= most % uint64(each)
	}
	m := &Matrix{Type: t, Rows: rows, Cols: cols, Each: each}
	for first := 0; first < rows; {
		n := rows - first
		if each > 0 && most < uint64(each) {
			n = each - first%each
		}
		if uint64(n) > most {
			n = int(most)
		}
		p := Piece{First: first, Rows: n}
		at := alignUp(uint64(n)*codes, planeAlignment)
		size := at + head + uint64(n)*scales
		b, err := dev.NewBuffer(label, size, gpu.Storage)
		if err != nil {
			m.Release()
			return nil, fmt.Errorf("matrix %s: %w", label, err)
		}
		p.Buffer = b
		p.codes = b.Slice(0, uint64(n)*codes)
		p.scales = b.Slice(0, min(planeAlignment, p.codes.Size))
		if scales > 0 {
			p.scales = b.Slice(at, head+uint64(n)*scales)
		}
		m.Pieces = append(m.Pieces, p)
		if head > 0 {
			if err := b.Upload(at, words(table)); err != nil {
				m.Release()
				return nil, fmt.Errorf("matrix %s: %w", label, err)
			}
		}
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

// shape tells a kernel for some of the rows.
func (m *Matrix) shape(rows int) string {
	return fmt.Sprintf("%d×%d %s", rows, m.Cols, strings.ToLower(m.Type.String()))
}

// strips is the number of strips in a row.
func (m *Matrix) strips() int { return stripsOf(m.Cols) }

// words are bytes as a buffer has them.
func words(list []uint32) []byte {
	data := make([]byte, 0, 4*len(list))
	for _, w := range list {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	return data
}

// weightSlots are the libraries through which a kernel reads weights of a type. It may keep the type's table in workgroup
// memory, where it has room for it.
func weightSlots(t quant.Type, copies bool) map[string]string {
	table := "table_plane"
	if copies && len(t.Table()) > 1 {
		table = "table_copy"
	}
	return map[string]string{"dequant": library(t), "table": table}
}

// library is the file in shaders/lib with the type's repacking and reading.
func library(t quant.Type) string { return "dequant_" + strings.ToLower(t.String()) }

// planeBytes returns the bytes of a row's codes and scales in planes.
func planeBytes(t quant.Type, cols int) (codes, scales uint64) {
	p := t.Planes()
	return uint64(ceilDiv(cols, p.CodeSpan)*p.CodeWords) * 4, uint64(ceilDiv(cols, p.ScaleSpan)*p.ScaleWords) * 4
}

func alignUp(n, to uint64) uint64 { return (n + to - 1) / to * to }
