package attend

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// launch is one case, ready to run: all its buffers and kernels.
type launch interface {
	wait(ctx context.Context) error
	bind() error // after wait
	record(rec *gpu.Recorder)
	kernel() string // that does most of the work
	release()
}

// newLaunch makes a case's buffers and starts compiling its kernels.
func newLaunch(d *gpu.Device, c Case) (launch, error) {
	switch {
	case c.Method == standardNamed:
		return newStandard(d, c)
	case c.Kind == Backward:
		return newGradient(d, c)
	default:
		return newFlash(d, c)
	}
}

func (c Case) scale() float32 { return float32(1 / math.Sqrt(float64(c.HeadDim))) }

// errBinding is a buffer that no binding of the adapter holds.
var errBinding = errors.New("too large for one binding")

// store makes buffers and keeps them and the first error.
type store struct {
	device  *gpu.Device
	buffers []*gpu.Buffer
	err     error
}

func (s *store) release() {
	for _, b := range s.buffers {
		b.Release()
	}
}

// floats makes a buffer of n f32.
func (s *store) floats(label string, n int) *gpu.Buffer { return s.bytes(label, 4*uint64(n)) }

func (s *store) bytes(label string, size uint64) *gpu.Buffer {
	if s.err != nil {
		return nil
	}
	if most := s.device.Limits().MaxStorageBufferBindingSize; size > most {
		s.err = fmt.Errorf("%s: %w: %d bytes, the adapter binds %d", label, errBinding, size, most)
		return nil
	}
	b, err := s.device.NewBuffer(label, max(size, 16), gpu.Storage)
	if err != nil {
		s.err = err
		return nil
	}
	s.buffers = append(s.buffers, b)
	return b
}

// words makes a buffer that holds words.
func (s *store) words(label string, words []uint32) *gpu.Buffer {
	b := s.floats(label, len(words))
	if s.err != nil {
		return nil
	}
	data := make([]byte, 4*len(words))
	for i, w := range words {
		binary.LittleEndian.PutUint32(data[4*i:], w)
	}
	s.err = b.Upload(0, data)
	return b
}

// noise fills buffers with numbers that look random; half says that they hold two f16 a word.
func (s *store) noise(half bool, buffers ...*gpu.Buffer) {
	if s.err != nil {
		return
	}
	m, err := kernel.Module(s.device, kernel.Spec{
		File: "noise", Variant: "baseline", Consts: []kernel.Const{{Name: "HALF", Value: half}}, Bindings: []gpu.Binding{gpu.ReadWrite},
	})
	if err != nil {
		s.err = err
		return
	}
	k := s.device.Kernel(m)
	var rec gpu.Recorder
	for _, b := range buffers {
		g, err := s.device.Bind(k, b.All())
		if err != nil {
			s.err = err
			return
		}
		x, y := kernel.Fold(int((b.Size()/16 + 255) / 256))
		rec.Dispatch(k, g, x, y, 1)
	}
	s.err = s.device.Submit(&rec)
}

// readFloats reads the first bytes of a buffer of f32.
func readFloats(ctx context.Context, b *gpu.Buffer, size uint64) ([]float32, error) {
	data := make([]byte, size)
	if err := b.Read(ctx, 0, data); err != nil {
		return nil, err
	}
	x := make([]float32, size/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return x, nil
}
