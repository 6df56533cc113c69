package gpu

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A parked device goes on with its kernels where the host keeps devices, for the same options, and only as long as it is good.
func TestPark(t *testing.T) {
	ctx := context.Background()
	options := Options{Adapter: os.Getenv("QUIRE_ADAPTER")}
	module := func(word string) *Module {
		return &Module{Label: "test/baseline", Bindings: []Binding{ReadWrite}, Text: "@group(0) @binding(0) var<storage, read_write> words: array<u32>;\n@compute @workgroup_size(1) fn main() { words[0] = " + word + "; }"}
	}
	open := func(o Options) *Device {
		d, err := Open(ctx, o)
		require.NoError(t, err)
		return d
	}
	d := open(options)
	b, err := d.NewBuffer("words", 16, Storage)
	require.NoError(t, err)
	right, wrong := d.Kernel(module("7u")), d.Kernel(module("wrong"))
	require.NoError(t, right.Wait(ctx))
	require.Error(t, wrong.Wait(ctx))
	assert.Equal(t, 2, d.Compiled().Kernels)
	assert.Positive(t, d.Compiled().Time)
	d.Park()
	assert.Error(t, b.Upload(0, make([]byte, 4)), "buffers are gone")
	if !parks {
		return
	}

	again := open(options)
	require.Same(t, d, again)
	assert.Zero(t, d.Compiled())
	assert.Empty(t, d.Kernels())
	assert.Zero(t, d.Stats().Bytes)
	assert.Same(t, right, d.Kernel(module("7u")))
	assert.Same(t, right, d.Kernel(module("7u")))
	assert.NotSame(t, wrong, d.Kernel(module("wrong")), "what failed is tried again")
	assert.Equal(t, 1, d.Compiled().Kernels)
	assert.Equal(t, 1, d.Compiled().Reused)
	assert.Len(t, d.Kernels(), 2)
	b, err = d.NewBuffer("words", 16, Storage)
	require.NoError(t, err)
	bound, err := d.Bind(right, b.All())
	require.NoError(t, err)
	var rec Recorder
	rec.Dispatch(right, bound, 1, 1, 1)
	require.NoError(t, d.Submit(&rec))
	data := make([]byte, 4)
	require.NoError(t, b.Read(ctx, 0, data))
	assert.Equal(t, []byte{7, 0, 0, 0}, data)
	d.Park()

	other := options
	other.Disable = FeatureF16
	without := open(other)
	assert.NotSame(t, d, without)
	without.Park()
	next := open(other)
	require.Same(t, without, next)
	next.Destroy()
	<-next.Lost()
	next.Park()
	fresh := open(other)
	assert.NotSame(t, next, fresh)
	fresh.Release()
}
