package model

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"time"

	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// stagingBytes is how much of a tensor is on its way to the GPU at once, where a buffer may have as much.
const stagingBytes = 16 << 20

// Weights are a plan's matrices and vectors on the GPU.
type Weights struct {
	device  *gpu.Device
	plan    *Plan
	matrix  map[*Matrix]*kernel.Matrix
	vector  map[*Vector]*gpu.Buffer
	repack  *kernel.Repacker
	staging *gpu.Buffer // until they are loaded
	took    time.Duration
}

// NewWeights makes room for a plan's tensors and starts to compile what loads them.
func NewWeights(d *gpu.Device, p *Plan) (w *Weights, err error) {
	w = &Weights{device: d, plan: p, matrix: map[*Matrix]*kernel.Matrix{}, vector: map[*Vector]*gpu.Buffer{}}
	defer func() {
		if err != nil {
			w.Release()
		}
	}()
	if w.repack, err = kernel.NewRepacker(d); err != nil {
		return w, err
	}
	limits := d.Limits()
	if w.staging, err = d.NewBuffer("staging", min(stagingBytes, limits.MaxBufferSize, limits.MaxStorageBufferBindingSize), gpu.Storage); err != nil {
		return w, err
	}
	for _, m := range p.matrices {
		if err = w.repack.Compile(m.Type); err != nil {
			return w, err
		}
	}
	return w, w.makeRoom()
}

// makeRoom makes all buffers at once, so that a tab waits for the browser's GPU process once.
func (w *Weights) makeRoom() error {
	matrices, vectors := w.plan.matrices, w.plan.vectors
	matrix, vector := make([]*kernel.Matrix, len(matrices)), make([]*gpu.Buffer, len(vectors))
	failed := make([]error, len(matrices)+len(vectors))
	var making sync.WaitGroup
	for i, m := range matrices {
		making.Go(func() { matrix[i], failed[i] = m.make(w.device) })
	}
	for i, v := range vectors {
		making.Go(func() {
			vector[i], failed[len(matrices)+i] = w.device.NewBuffer(v.Label, uint64(4*kernel.RowStride(v.Length)), gpu.Storage)
		})
	}
	making.Wait()
	for i, m := range matrices {
		w.matrix[m] = matrix[i]
	}
	for i, v := range vectors {
		w.vector[v] = vector[i]
	}
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// Load moves the plan's tensors from src to the GPU in the order of the file, so that a network source is read once,
// forward. progress, when not nil, is told the bytes done and in all.
func (w *Weights) Load(ctx context.Context, src gpu.Source, progress func(done, total int64)) error {
	start := time.Now()
	defer w.device.Settle()
	l := loader{ctx: ctx, src: src, repack: w.repack, staging: w.staging, total: w.plan.WeightBytes(), progress: progress}
	type piece struct {
		at   int64
		load func() error
	}
	var pieces []piece
	for m, target := range w.matrix {
		for _, part := range m.Parts {
			at, bytes := part.span()
			pieces = append(pieces, piece{at, func() error { return l.matrix(target, m.Cols, part, at, bytes) }})
		}
		if m.Scale != nil {
			pieces = append(pieces, piece{m.Scale.Offset, func() error { return l.scale(target, m.Scale) }})
		}
	}
	for v, target := range w.vector {
		for _, part := range v.Parts {
			pieces = append(pieces, piece{part.Tensor.Offset, func() error { return l.vector(target, 4*uint64(part.Offset), part.Tensor) }})
		}
	}
	sort.SliceStable(pieces, func(i, j int) bool { return pieces[i].at < pieces[j].at })
	for _, piece := range pieces {
		if err := piece.load(); err != nil {
			return err
		}
	}
	err := w.device.Idle(ctx)
	w.endLoad()
	w.took = time.Since(start)
	return err
}

// LoadTime returns how long Load took.
func (w *Weights) LoadTime() time.Duration { return w.took }

// endLoad gives back what only loading needs.
func (w *Weights) endLoad() {
	w.staging.Release()
	if w.repack != nil {
		w.repack.Release()
	}
	w.staging, w.repack = nil, nil
}

// make makes room for a matrix.
func (m *Matrix) make(d *gpu.Device) (*kernel.Matrix, error) {
	if m.Experts > 0 {
		return kernel.NewExpertMatrix(d, m.Label, m.Type, m.Experts, m.Rows/m.Experts, m.Cols, 0)
	}
	return kernel.NewMatrix(d, m.Label, m.Type, m.Rows, m.Cols, 0)
}

// Release gives the weights' memory back.
func (w *Weights) Release() {
	w.endLoad()
	for _, m := range w.matrix {
		m.Release()
	}
	for _, b := range w.vector {
		b.Release()
	}
}

// Bytes returns what the weights take on the GPU.
func (w *Weights) Bytes() uint64 {
	var n uint64
	for _, m := range w.matrix {
		n += m.Bytes()
	}
	for _, b := range w.vector {
		n += b.Size()
	}
	return n
}

// loader carries what every piece of a load needs.
type loader struct {
	ctx         context.Context
	src         gpu.Source
	repack      *kernel.Repacker
	staging     *gpu.Buffer
	done, total int64
	progress    func(done, total int64)
}

func (l *loader) advance(n int64) {
	l.done += n
	if l.progress != nil {
		l.progress(l.done, l.total)
	}
}

// matrix moves a tensor's rows, which lie in the file at an offset, through the staging buffer in pieces of whole rows.
func (l *loader) matrix(target *kernel.Matrix, cols int, part Part, offset, bytes int64) error {
	t := part.Tensor
	rowBytes := int64(t.Type.RowBytes(uint64(cols)))
	rows := bytes / rowBytes
	room := int64(l.staging.Size())
	at := max(room/rowBytes, 1)
	if rowBytes > room {
		return fmt.Errorf("%w: a row of tensor %s has %d bytes", ErrUnsupported, t.Name, rowBytes)
	}
	for first := int64(0); first < rows; first += at {
		n := min(at, rows-first)
		if err := l.src.Upload(l.ctx, l.staging, 0, offset+first*rowBytes, n*rowBytes); err != nil {
			return fmt.Errorf("tensor %s: %w", t.Name, err)
		}
		to := kernel.RowMap{First: part.Offset + int(first)*part.Stride, Stride: part.Stride}
		if err := l.repack.Run(target, l.staging.All(), 0, int(n), to); err != nil {
			return fmt.Errorf("tensor %s: %w", t.Name, err)
		}
		l.advance(n * rowBytes)
	}
	return nil
}

// scale multiplies a matrix by a number of the file.
func (l *loader) scale(target *kernel.Matrix, t *gguf.Tensor) error {
	if err := l.src.Upload(l.ctx, l.staging, 0, t.Offset, t.Bytes); err != nil {
		return fmt.Errorf("tensor %s: %w", t.Name, err)
	}
	if err := l.repack.Scale(target, l.staging.All()); err != nil {
		return fmt.Errorf("tensor %s: %w", t.Name, err)
	}
	l.advance(t.Bytes)
	return nil
}

func (l *loader) vector(target *gpu.Buffer, offset uint64, t *gguf.Tensor) error {
	if err := l.src.Upload(l.ctx, target, offset, t.Offset, t.Bytes); err != nil {
		return fmt.Errorf("tensor %s: %w", t.Name, err)
	}
	l.advance(t.Bytes)
	return nil
}
