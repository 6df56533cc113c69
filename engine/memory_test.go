package engine

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/paging"
	"quire/tests/tiny"
)

// The built-in model's K and V: 4 KiB a token as f16, 64 KiB a block.
func talesNeeds() kvNeeds {
	return kvNeeds{
		layout: layoutOf(32), kvType: kernel.KVF16, layers: 8, trained: 1024, seqs: wholeSeqs,
		memory: 512 << 20, binding: 128 << 20,
	}
}

func layoutOf(headDim int) func(kernel.KVType) kernel.KVLayout {
	return func(t kernel.KVType) kernel.KVLayout {
		return kernel.KVLayout{HeadDim: headDim, KVHeads: 4, BlockSize: 16, Type: t}
	}
}

func TestKVNeeds(t *testing.T) {
	const block = 16 * 8 * 2 * 4 * 32 * 2
	for _, c := range []struct {
		name            string
		change          func(*kvNeeds)
		blocks, context int
	}{
		{"what a small model can use", func(n *kvNeeds) {}, 8*64 + 1, 1024},
		{"of a shorter context", func(n *kvNeeds) { n.context = 100 }, 8*7 + 1, 100},
		{"of a longer context", func(n *kvNeeds) { n.context = 2048 }, 8*128 + 1, 2048},
		{"of other sequences", func(n *kvNeeds) { n.seqs = 64 }, 64*64 + 1, 1024},
		{"a large model takes what there is", func(n *kvNeeds) { n.trained = 1 << 20 }, 512 << 20 / block, (512<<20/block - 1) * 16},
		{"little memory", func(n *kvNeeds) { n.memory = 40 * block }, 40, 39 * 16},
		{"little memory for a context that fits", func(n *kvNeeds) { n.memory, n.context = 40*block, 39*16 }, 40, 39 * 16},
		{"the adapter's limit", func(n *kvNeeds) { n.binding = 30 * block / 16 }, 30, 29 * 16},
		{"two blocks", func(n *kvNeeds) { n.memory = 2 * block }, 2, 16},
		{"a context without end", func(n *kvNeeds) { n.trained = math.MaxInt }, 512 << 20 / block, (512<<20/block - 1) * 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := talesNeeds()
			c.change(&n)
			blocks, context, err := n.fit()
			require.NoError(t, err)
			assert.Equal(t, []int{c.blocks, c.context}, []int{blocks, context})
		})
	}
}

// A model with windows needs a block a group for few tokens, and no more for its windows than they see.
func TestKVNeedsOfWindows(t *testing.T) {
	n := talesNeeds()
	n.layers, n.budget = 1, 512
	n.groups = make([]paging.Group, 7)
	for i := range n.groups[1:] {
		n.groups[i+1].Window = 512
	}
	n.trained, n.seqs = 32768, 2
	blocks, context, err := n.fit()
	require.NoError(t, err)
	assert.Equal(t, []int{2*(2048+6*67) + 1, 32768}, []int{blocks, context})
	n.memory = 7 * n.perBlock(kernel.KVF16)
	_, _, err = n.fit()
	assert.ErrorContains(t, err, "a KV cache of 8 blocks needs")
	n.memory = 8 * n.perBlock(kernel.KVF16)
	blocks, context, err = n.fit()
	require.NoError(t, err)
	assert.Equal(t, []int{8, 16}, []int{blocks, context})
}

// What is too little says how much is asked for, which setting lowers it, and which KV type is the smallest.
func TestKVNeedsTooMuch(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*kvNeeds)
		says   string
	}{
		{"q8 fits", func(n *kvNeeds) { n.context, n.memory = 1024, 3<<20 },
			"the KV cache for a context of 1024 needs 4.1 MiB as f16 and may have 3.0 MiB: lower the context to 752 or raise the KV memory; q8, the smallest KV type, needs 2.3 MiB, which fits"},
		{"q8 does not fit", func(n *kvNeeds) { n.context, n.memory = 1024, 2<<20 },
			"the KV cache for a context of 1024 needs 4.1 MiB as f16 and may have 2.0 MiB: lower the context to 496 or raise the KV memory; q8, the smallest KV type, needs 2.3 MiB, and has room for a context of 880"},
		{"it is q8", func(n *kvNeeds) { n.context, n.memory, n.kvType = 1024, 2<<20, kernel.KVQ8 },
			"the KV cache for a context of 1024 needs 2.3 MiB as q8 and may have 2.0 MiB: lower the context to 880 or raise the KV memory; q8 is the smallest KV type"},
		{"heads of one", func(n *kvNeeds) { n.context, n.memory, n.layout = 1<<20, 1<<20, layoutOf(1) },
			"the KV cache for a context of 1048576 needs 256.0 MiB as f16 and may have 1.0 MiB: lower the context to 4080 or raise the KV memory; f16 is the smallest KV type"},
		{"the adapter's limit", func(n *kvNeeds) { n.context, n.binding = 1024, 3<<16 },
			"the KV cache for a context of 1024 needs 4.1 MiB as f16 and may have 3.0 MiB: lower the context to 752; q8, the smallest KV type, needs 2.3 MiB, which fits"},
		{"hardly any memory", func(n *kvNeeds) { n.memory = 100 },
			"a KV cache of 2 blocks needs 131072 bytes as f16 and may have 100 bytes: lower the block size or raise the KV memory; q8, the smallest KV type, needs 73728 bytes"},
		{"a context without end", func(n *kvNeeds) { n.context = math.MaxInt },
			"the KV cache for a context of 9223372036854775807 needs 35184372088832.0 GiB as f16 and may have 512.0 MiB: lower the context to 131056 or raise the KV memory; q8, the smallest KV type, needs 19791209299968.0 GiB, and has room for a context of 232992"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := talesNeeds()
			c.change(&n)
			_, _, err := n.fit()
			require.ErrorIs(t, err, gpu.ErrOutOfMemory)
			assert.EqualError(t, err, "gpu: out of memory: "+c.says)
		})
	}
}

// A buffer that the GPU has no room for says what all needs, and what would fit in what the GPU gave before.
func TestExplainMemory(t *testing.T) {
	cache := talesNeeds()
	n := memoryNeeds{weights: 3 << 30, kv: 512 << 20, states: 100 << 20, state: 4 << 20, context: 1 << 17, cache: cache}
	n.cache.trained = 1 << 17
	full := func(held uint64) error {
		return &gpu.MemoryError{Label: "K cache", Asked: 1 << 20, Limit: 1 << 30, Held: held}
	}
	const all = "K cache needs 1048576 bytes; %d are held already, one buffer may have 1073741824; the model needs 3.6 GiB in all: " +
		"3.0 GiB for weights, 512.0 MiB for a KV cache in f16 with a context of 131072, 100.0 MiB for states; "
	err := n.explain(full(3<<30 + 40<<20))
	assert.ErrorIs(t, err, gpu.ErrOutOfMemory)
	assert.ErrorContains(t, err, fmt.Sprintf(all, 3<<30+40<<20)+"in what the GPU gave, 3.0 GiB, a context of about 16368 fits in q8, the smallest KV type: "+
		"lower the KV memory or the context, take the smallest KV type, q8, or choose a smaller model")
	assert.ErrorContains(t, n.explain(full(1<<30)), "what the GPU gave, 1.0 GiB, is too little for the weights with any context, even in q8, the smallest KV type: choose a smaller model")

	large := &gpu.MemoryError{Label: "RoPE table", Asked: 2 << 30, Limit: 1 << 30}
	assert.ErrorContains(t, n.explain(large), "states; lower the KV memory or the context, take the smallest KV type, q8, or choose a smaller model")
	n.cache.kvType, n.states = kernel.KVQ8, 0
	assert.ErrorContains(t, n.explain(large), "131072; lower the KV memory or the context (q8 is the smallest KV type) or choose a smaller model")
	assert.Equal(t, assert.AnError, n.explain(assert.AnError))
	assert.NoError(t, n.explain(nil))
}

// A cache whose size is Quire's to choose gets smaller where the GPU has no room, as long as that may help and is of use.
func TestSmallerCache(t *testing.T) {
	full := func(held uint64) error { return fmt.Errorf("a load: %w", &gpu.MemoryError{Held: held}) }
	n := memoryNeeds{weights: 3 << 30, kv: 32 << 20, context: 4096, cache: talesNeeds()}
	n.cache.trained = 4096
	assert.Equal(t, uint64(16<<20), n.less(full(3<<30)))
	assert.Zero(t, n.less(full(3<<30-1)), "the weights have no room")
	assert.Zero(t, n.less(assert.AnError))
	n.kv = 9 << 20
	assert.Equal(t, uint64(9<<19), n.less(full(4<<30)), "a context of 1136")
	n.kv = 8 << 20
	assert.Zero(t, n.less(full(4<<30)), "a context of 1008 is no longer of use")
	n.context, n.cache.trained = 128, 128
	assert.Equal(t, uint64(4<<20), n.less(full(4<<30)), "but a model may have been trained for less")
}

// A load that the GPU has no room for says so before a tensor is read.
func TestOutOfMemoryNamesTheNeed(t *testing.T) {
	data := tiny.Model{}.Bytes(t)
	f := tiny.Model{}.File(t)
	src := &headerOnly{Source: gpu.ReaderSource(bytes.NewReader(data), int64(len(data))), end: f.DataOffset}
	_, err := Open(context.Background(), src, Options{MaxSeqs: 1 << 26, GPU: gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}})
	require.ErrorIs(t, err, gpu.ErrOutOfMemory)
	assert.ErrorContains(t, err, "bytes for weights, ")
	assert.ErrorContains(t, err, "a KV cache in f16 with a context of 128; lower the KV memory or the context, take the smallest KV type, q8, or")
	assert.False(t, src.read)
}

// headerOnly is a source that tells of reads behind the header.
type headerOnly struct {
	gpu.Source
	end  int64
	read bool
}

func (s *headerOnly) ReadAt(p []byte, at int64) (int, error) {
	s.read = s.read || at >= s.end
	return s.Source.ReadAt(p, at)
}

func (s *headerOnly) Upload(context.Context, *gpu.Buffer, uint64, int64, int64) error {
	s.read = true
	return nil
}

// The longest context for the KV memory, by KV type.
func TestLargestContext(t *testing.T) {
	n := talesNeeds()
	n.memory, n.context = 2<<20, 64
	assert.Equal(t, map[string]int{"f32": 240, "f16": 496, "bf16": 496, "q8": 880}, n.largest())
	n.memory = 1 << 30
	assert.Equal(t, map[string]int{"f32": 1024, "f16": 1024, "bf16": 1024, "q8": 1024}, n.largest())
}

// A context that the model was not trained for is given, with a word.
func TestContextBeyondTheModel(t *testing.T) {
	if runsFew() {
		t.Skip("what a model was trained for depends on no host")
	}
	e := openModel(t, "quire-tales", Options{Context: 1040, MaxSeqs: 1})
	assert.Equal(t, 1040, e.Info().Context)
	require.Len(t, e.Info().Warnings, 1)
	assert.Contains(t, e.Info().Warnings[0], "the context of 1040 tokens is more than the 1024 that the model was trained for")
	assert.Empty(t, beyond(1024, 1024))
}
