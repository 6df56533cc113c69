package kernel

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// RowMap says where the rows of a tensor go in a matrix: row i to First + i·Stride. Stride 1 puts tensors one after
// another (q, k, v); stride 2 with First 0 and 1 interleaves gate and up.
type RowMap struct{ First, Stride int }

// Repacker turns rows as they stand in a GGUF file into planes, on the GPU.
type Repacker struct {
	dev    *gpu.Device
	mu     sync.Mutex
	params *gpu.Buffer
	rec    gpu.Recorder
}

const repackParamWords = 7

// NewRepacker makes a repacker. Its kernels compile when a type is first met, or asked for.
func NewRepacker(dev *gpu.Device) (*Repacker, error) {
	params, err := dev.NewBuffer("repack parameters", repackParamWords*4, gpu.Storage)
	if err != nil {
		return nil, err
	}
	return &Repacker{dev: dev, params: params}, nil
}

// Release gives the repacker's memory back.
func (r *Repacker) Release() { r.params.Release() }

// Compile starts to compile the kernel of a type.
func (r *Repacker) Compile(t quant.Type) error {
	_, err := r.kernel(t)
	return err
}

// Run repacks rows whole rows of a tensor of m's type and width, which stand one after another in staging from byte
// offset, to the places that to gives. It submits after whatever was uploaded before and does not wait: staging may be
// uploaded to again at once. staging.Offset must suit a binding.
func (r *Repacker) Run(m *Matrix, staging gpu.View, offset, rows int, to RowMap) error {
	if rows == 0 {
		return nil
	}
	rowBytes := m.Type.RowBytes(uint64(m.Cols))
	if offset < 0 || rows < 0 || uint64(offset)+uint64(rows)*uint64(rowBytes) > staging.Size {
		return fmt.Errorf("repack: %d rows of %d bytes from byte %d do not fit the %d staged", rows, rowBytes, offset, staging.Size)
	}
	if to.First < 0 || to.Stride < 1 || to.First+(rows-1)*to.Stride >= m.Rows {
		return fmt.Errorf("repack: %w: rows %d + %d·[0,%d) of a matrix of %d", ErrMatrixShape, to.First, to.Stride, rows, m.Rows)
	}
	k, err := r.kernel(m.Type)
	if err != nil {
		return err
	}
	head := uint32(len(m.Type.Table()))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range m.Pieces {
		// The rows i whose place First + i·Stride lies in the piece.
		begin := ceilDiv(max(p.First-to.First, 0), to.Stride)
		end := min(ceilDiv(max(p.First+p.Rows-to.First, 0), to.Stride), rows)
		if begin >= end {
			continue
		}
		bind, err := r.dev.Bind(k, staging, p.Buffer.All(), r.params.All())
		if err != nil {
			return err
		}
		words := [repackParamWords]uint32{
			uint32(int64(offset) + int64(begin)*rowBytes), uint32(end - begin), uint32(rowBytes),
			uint32(to.First + begin*to.Stride - p.First), uint32(to.Stride), uint32(m.strips()), uint32(p.scales.Offset/4) + head,
		}
		var data [repackParamWords * 4]byte
		for i, w := range words {
			binary.LittleEndian.PutUint32(data[4*i:], w)
		}
		r.rec.Reset()
		r.rec.Write(r.params, 0, data[:])
		x, y := Fold(ceilDiv((end-begin)*ceilDiv(m.Cols, m.Type.Planes().ScaleSpan), 64))
		r.rec.Dispatch(k, bind, x, y, 1)
		if err := r.dev.Submit(&r.rec); err != nil {
			return err
		}
	}
	return nil
}

// Scale multiplies all weights of a matrix by a float, the first in staging: once, and where its type has a table of values.
func (r *Repacker) Scale(m *Matrix, staging gpu.View) error {
	head := len(m.Type.Table())
	module, err := Module(r.dev, Spec{
		File: "scale_table", Variant: "baseline", Consts: []Const{{"HEAD", head}}, Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite},
	})
	if err != nil {
		return err
	}
	k := r.dev.Kernel(module)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range m.Pieces {
		bind, err := r.dev.Bind(k, staging, p.scales)
		if err != nil {
			return err
		}
		r.rec.Reset()
		r.rec.Dispatch(k, bind, 1, 1, 1)
		if err := r.dev.Submit(&r.rec); err != nil {
			return err
		}
	}
	return nil
}

func (r *Repacker) kernel(t quant.Type) (*gpu.Kernel, error) {
	p := t.Planes()
	m, err := Module(r.dev, Spec{
		File: "repack", Shape: strings.ToLower(t.String()), Variant: "baseline",
		Consts: []Const{
			{"SPAN", p.ScaleSpan / strip}, {"SPAN_BYTES", int(t.RowBytes(uint64(p.ScaleSpan)))},
			{"CODE_STRIPS", p.CodeSpan / strip}, {"CODE_WORDS", p.CodeWords}, {"SCALE_WORDS", p.ScaleWords},
		},
		Slots:    weightSlots(t, false),
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite, gpu.ReadOnly},
	})
	if err != nil {
		return nil, err
	}
	return r.dev.Kernel(m), nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
