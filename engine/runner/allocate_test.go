package runner

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
	"quire/engine/model"
	"quire/tests/tiny"
)

// watchedSource tells of every read of tensor bytes.
type watchedSource struct {
	gpu.Source
	read func() error
}

func (s *watchedSource) ReadAt(p []byte, at int64) (int, error) {
	if err := s.read(); err != nil {
		return 0, err
	}
	return s.Source.ReadAt(p, at)
}

func (s *watchedSource) Upload(ctx context.Context, target *gpu.Buffer, to uint64, at, n int64) error {
	if err := s.read(); err != nil {
		return err
	}
	return s.Source.Upload(ctx, target, to, at, n)
}

// There is room for everything before the first byte of a tensor is read; where there is none, none is.
func TestAllAllocatedBeforeTheFirstRead(t *testing.T) {
	d, m := gputest.Device(t), tiny.Model{Architecture: "llama", Tensors: map[string][]int{"rope_freqs.weight": {tiny.HeadDim / 2}}}
	reads, held := 0, gpu.Stats{}
	var fail error
	open := func(change func(*Options)) error {
		plan, err := model.NewPlan(m.File(t))
		require.NoError(t, err)
		data := m.Bytes(t)
		src := &watchedSource{gpu.ReaderSource(bytes.NewReader(data), int64(len(data))), func() error {
			if reads++; reads == 1 {
				held = d.Stats()
			}
			return fail
		}}
		o := Options{KVType: kernel.KVF16, Blocks: 9, BlockSize: 16, MaxSeqs: 2, TokenBudget: 16, MaxOutputs: 4, Context: 64, Depth: 2}
		change(&o)
		r, err := New(context.Background(), d, plan, src, o)
		if err == nil {
			now := d.Stats()
			assert.LessOrEqual(t, now.Bytes, held.Bytes)
			assert.LessOrEqual(t, now.Buffers, held.Buffers)
			r.Release()
		}
		return err
	}
	before := d.Stats()
	limit := int(d.Limits().MaxStorageBufferBindingSize)
	for name, change := range map[string]func(*Options){
		"RoPE":    func(o *Options) { o.Context = 1 << 40 },
		"K and V": func(o *Options) { o.Blocks = limit / 256 },
		"logits":  func(o *Options) { o.MaxOutputs = limit/1024 + 1 },
	} {
		require.ErrorIs(t, open(change), gpu.ErrOutOfMemory, name)
		assert.Zero(t, reads, name)
	}
	fail = errors.New("the file is gone")
	require.ErrorIs(t, open(func(*Options) {}), fail)
	assert.Equal(t, 1, reads)
	assert.Equal(t, before.Bytes, d.Stats().Bytes, "all is given back")
	if runtime.GOOS == "js" {
		return // where compiling takes seconds
	}
	factors := held // at the first read of a model that begins with factors of RoPE
	m.Tensors, fail, reads = nil, nil, 0
	require.NoError(t, open(func(*Options) {}))
	assert.Equal(t, held.Bytes, factors.Bytes)
	assert.Equal(t, before.Bytes, d.Stats().Bytes)
}
