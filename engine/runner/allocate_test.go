package runner

import (
	"bytes"
	"context"
	"errors"
	"os"
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

// There is room for all that is large before the first byte of a tensor is read; where there is none, none is. What kernels work in is made
// while weights come.
func TestAllAllocatedBeforeTheFirstRead(t *testing.T) {
	d, m := gputest.Device(t), tiny.Model{Architecture: "llama", Tensors: map[string][]int{"rope_freqs.weight": {tiny.HeadDim / 2}}}
	reads, held, before := 0, gpu.Stats{}, d.Stats()
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
			now, caches := d.Stats(), uint64(0)
			for _, b := range r.Caches() {
				caches += b.Size()
			}
			assert.Greater(t, held.Bytes, before.Bytes+caches+r.WeightBytes())
			assert.Less(t, int64(now.Bytes)-int64(held.Bytes), int64(1<<20))
			r.Release()
		}
		return err
	}
	limit := int(d.Limits().MaxStorageBufferBindingSize)
	for name, change := range map[string]func(*Options){
		"RoPE":    func(o *Options) { o.Context = 1 << 40 },
		"K and V": func(o *Options) { o.Blocks = limit / 256 },
	} {
		require.ErrorIs(t, open(change), gpu.ErrOutOfMemory, name)
		assert.Zero(t, reads, name)
	}
	require.ErrorIs(t, open(func(o *Options) { o.MaxOutputs = limit/1024 + 1 }), gpu.ErrOutOfMemory, "logits")
	assert.Equal(t, before.Bytes, d.Stats().Bytes, "all is given back")
	reads = 0
	fail = errors.New("the file is gone")
	require.ErrorIs(t, open(func(*Options) {}), fail)
	assert.Equal(t, 1, reads)
	assert.Equal(t, before.Bytes, d.Stats().Bytes, "all is given back")
	if runtime.GOOS == "js" {
		return // where compiling takes seconds
	}
	m.Tensors, fail, reads = nil, nil, 0
	require.NoError(t, open(func(*Options) {}))
	assert.Equal(t, before.Bytes, d.Stats().Bytes)
}

// Which tokens end a text takes long to say in a tab: by then all kernels have been asked for.
func TestStopTokensAreAskedForBehindKernels(t *testing.T) {
	d, err := gpu.Open(context.Background(), gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}) // where nothing has been compiled
	require.NoError(t, err)
	t.Cleanup(d.Release)
	m := tiny.Model{Architecture: "llama"}
	plan, err := model.NewPlan(m.File(t))
	require.NoError(t, err)
	data, kernels, unknown := m.Bytes(t), 0, errors.New("no vocabulary")
	open := func() error {
		r, err := New(context.Background(), d, plan, gpu.ReaderSource(bytes.NewReader(data), int64(len(data))), Options{
			KVType: kernel.KVF16, Blocks: 9, BlockSize: 16, MaxSeqs: 2, TokenBudget: 16, MaxOutputs: 4, Context: 64, Depth: 2,
			StopTokens: func() ([]int32, error) {
				kernels = len(d.Kernels())
				return []int32{2}, unknown
			},
		})
		if err == nil {
			r.Release()
		}
		return err
	}
	require.ErrorIs(t, open(), unknown)
	asked := kernels
	if runtime.GOOS != "js" { // where compiling takes seconds
		unknown = nil
		require.NoError(t, open())
		assert.Equal(t, asked, len(d.Kernels()))
	}
	assert.Greater(t, asked, 5)
}
