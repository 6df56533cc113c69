package gpu

import (
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func open(t testing.TB) *Device {
	t.Helper()
	d, err := Open(context.Background(), Options{})
	require.NoError(t, err)
	t.Cleanup(d.Release)
	return d
}

func words(values ...uint32) []byte {
	var out []byte
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
}

func TestWriteCopyRead(t *testing.T) {
	d := open(t)
	a, err := d.NewBuffer("a", 64, Storage)
	require.NoError(t, err)
	b, err := d.NewBuffer("b", 64, Storage)
	require.NoError(t, err)
	var r Recorder
	r.Write(a, 8, words(7, 8, 9))
	r.Copy(a, 4, b, 12, 16)
	require.NoError(t, d.Submit(&r))
	got := make([]byte, 32)
	require.NoError(t, b.Read(context.Background(), 0, got))
	require.Equal(t, words(0, 0, 0, 0, 7, 8, 9, 0), got)
}

const addText = `
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> count: vec4<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
	if (id.x < count.x) {
		c[id.x] = a[id.x] + b[id.x];
	}
}
`

func addModule() *Module {
	return &Module{Label: "add", Text: addText, Bindings: []Binding{ReadOnly, ReadOnly, ReadWrite, Constant}}
}

func floats(n int, f func(int) float32) []byte {
	out := make([]byte, 0, 4*n)
	for i := range n {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(f(i)))
	}
	return out
}

func buffer(t testing.TB, d *Device, label string, size int, usage Usage) *Buffer {
	t.Helper()
	b, err := d.NewBuffer(label, uint64(size), usage)
	require.NoError(t, err)
	return b
}

func TestVectorAdd(t *testing.T) {
	d := open(t)
	ctx := context.Background()
	k := d.Kernel(addModule())
	require.NoError(t, k.Wait(ctx))
	for _, n := range []int{1, 3, 63, 64, 65, 1001, 70001} {
		a, b, c := buffer(t, d, "a", 4*n, Storage), buffer(t, d, "b", 4*n, Storage), buffer(t, d, "c", 4*n, Storage)
		count := buffer(t, d, "count", 16, Uniform)
		g, err := d.Bind(k, a.All(), b.All(), c.All(), count.All())
		require.NoError(t, err)
		require.NoError(t, a.Upload(0, floats(n, func(i int) float32 { return float32(i) })))
		var r Recorder
		r.Write(b, 0, floats(n, func(i int) float32 { return 0.5 }))
		r.Write(count, 0, words(uint32(n), 0, 0, 0))
		r.Dispatch(k, g, uint32(n+63)/64, 1, 1)
		require.NoError(t, d.Submit(&r))
		got := make([]byte, 4*n)
		require.NoError(t, c.Read(ctx, 0, got))
		require.Equal(t, floats(n, func(i int) float32 { return float32(i) + 0.5 }), got, "%d elements", n)
	}
}
