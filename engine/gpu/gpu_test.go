package gpu

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func open(t testing.TB) *Device {
	t.Helper()
	before := LiveBuffers()
	d, err := Open(context.Background(), Options{})
	require.NoError(t, err)
	t.Cleanup(func() {
		d.Release()
		assert.Equal(t, before, LiveBuffers(), "buffers outlive their device")
	})
	return d
}

func words(values ...uint32) []byte {
	var out []byte
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
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

func read(t testing.TB, b *Buffer, size int) []byte {
	t.Helper()
	got := make([]byte, size)
	require.NoError(t, b.Read(context.Background(), 0, got))
	return got
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

// stepText adds 1 to a counter: run n times in order it counts to n.
const stepText = `
@group(0) @binding(0) var<storage, read_write> counter: array<u32>;

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) id: vec3<u32>) {
	counter[id.x] = counter[id.x] * 3u + 1u;
}
`

func stepModule() *Module {
	return &Module{Label: "step", Text: stepText, Bindings: []Binding{ReadWrite}}
}

// steps is what a counter holds after n steps.
func steps(n int) uint32 {
	v := uint32(0)
	for range n {
		v = v*3 + 1
	}
	return v
}

func counter(t testing.TB, d *Device) (*Kernel, *Buffer, *BindGroup) {
	t.Helper()
	k := d.Kernel(stepModule())
	b := buffer(t, d, "counter", 16, Storage)
	g, err := d.Bind(k, b.All())
	require.NoError(t, err)
	return k, b, g
}

func TestAdapters(t *testing.T) {
	list, err := Adapters(context.Background())
	require.NoError(t, err)
	require.NotEmpty(t, list)
	for i, a := range list {
		assert.Equal(t, i, a.Index)
		assert.NotEmpty(t, a.Backend)
		assert.GreaterOrEqual(t, a.Limits.MaxStorageBufferBindingSize, uint64(128<<20))
		assert.GreaterOrEqual(t, a.Limits.MaxComputeWorkgroupStorageSize, uint32(16<<10))
		assert.GreaterOrEqual(t, a.Limits.MaxStorageBuffersPerShaderStage, uint32(8))
		assert.GreaterOrEqual(t, a.Limits.MaxComputeWorkgroupsPerDimension, uint32(65535))
	}
}

func TestDisabledFeaturesAreNotGranted(t *testing.T) {
	all, err := ParseFeatures(AllFeatures.Names())
	require.NoError(t, err)
	require.Equal(t, AllFeatures, all)
	d, err := Open(context.Background(), Options{Disable: all})
	require.NoError(t, err)
	defer d.Release()
	require.Zero(t, d.Features())
	k := d.Kernel(&Module{Label: "half", Text: stepText, Bindings: []Binding{ReadWrite}, Needs: FeatureF16})
	var located *ShaderError
	require.ErrorAs(t, k.Wait(context.Background()), &located)
}

func TestUnknownFeatureIsRefused(t *testing.T) {
	_, err := ParseFeatures([]string{"subgroups", "rays"})
	require.EqualError(t, err, `there is no feature "rays"; these are used: shader-f16, subgroups, timestamp-query, subgroup-matrix`)
}

func TestWriteCopyRead(t *testing.T) {
	d := open(t)
	a, b := buffer(t, d, "a", 64, Storage), buffer(t, d, "b", 64, Storage)
	var r Recorder
	r.Write(a, 8, words(7, 8, 9))
	r.Copy(a, 4, b, 12, 16)
	require.NoError(t, d.Submit(&r))
	require.Equal(t, words(0, 0, 0, 0, 7, 8, 9, 0), read(t, b, 32))
}

func TestWritesComeBeforeTheirTape(t *testing.T) {
	d := open(t)
	a, b := buffer(t, d, "a", 16, Storage), buffer(t, d, "b", 16, Storage)
	var r Recorder
	r.Copy(a, 0, b, 0, 8)
	r.Write(a, 0, words(1, 2))
	r.Write(a, 4, words(3))
	require.NoError(t, d.Submit(&r))
	require.Equal(t, words(1, 3), read(t, b, 8))
}

func TestUploadInQueueOrder(t *testing.T) {
	d := open(t)
	k, b, g := counter(t, d)
	require.NoError(t, b.Upload(0, words(5)))
	var r Recorder
	r.Dispatch(k, g, 1, 1, 1)
	require.NoError(t, d.Submit(&r))
	require.NoError(t, b.Upload(4, words(9)))
	require.Equal(t, words(16, 9), read(t, b, 8))
}

func TestVectorAdd(t *testing.T) {
	d := open(t)
	k := d.Kernel(addModule())
	require.Same(t, k, d.Kernel(addModule()))
	require.NoError(t, k.Wait(context.Background()))
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
		require.Equal(t, floats(n, func(i int) float32 { return float32(i) + 0.5 }), read(t, c, 4*n), "%d elements", n)
		for _, gone := range []*Buffer{a, b, c, count} {
			gone.Release()
		}
	}
}

func TestBindSlices(t *testing.T) {
	d := open(t)
	k := d.Kernel(stepModule())
	align := uint64(d.Limits().MinStorageBufferOffsetAlignment)
	b := buffer(t, d, "slices", int(3*align), Storage)
	g, err := d.Bind(k, b.Slice(align, 8))
	require.NoError(t, err)
	var r Recorder
	r.Dispatch(k, g, 2, 1, 1)
	require.NoError(t, d.Submit(&r))
	want := make([]byte, 3*align)
	copy(want[align:], words(1, 1))
	require.Equal(t, want, read(t, b, len(want)))
}

func TestClear(t *testing.T) {
	d := open(t)
	b := buffer(t, d, "cleared", 20, Storage)
	var r Recorder
	r.Write(b, 0, words(1, 2, 3, 4, 5))
	r.Clear(b, 4, 12)
	require.NoError(t, d.Submit(&r))
	require.Equal(t, words(1, 0, 0, 0, 5), read(t, b, 20))
}

func TestDispatchesRunInOrder(t *testing.T) {
	tests := map[string]func(*Recorder, *Buffer){
		"one pass":     func(*Recorder, *Buffer) {},
		"split":        func(r *Recorder, _ *Buffer) { r.Split() },
		"copy between": func(r *Recorder, b *Buffer) { r.Copy(b, 0, b, 8, 4) },
	}
	for name, between := range tests {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			k, b, g := counter(t, d)
			var r Recorder
			back, err := d.NewReadback("counter", 4)
			require.NoError(t, err)
			other := buffer(t, d, "other", 16, Storage)
			for range 12 {
				r.Dispatch(k, g, 1, 1, 1)
				if name == "copy between" {
					r.Copy(b, 0, other, 8, 4)
				} else {
					between(&r, b)
				}
			}
			require.Equal(t, 12, r.Dispatches())
			r.Read(back, b, 0, 4)
			require.NoError(t, d.Submit(&r))
			got := make([]byte, 4)
			require.NoError(t, back.Wait(context.Background(), got))
			require.Equal(t, words(steps(12)), got)
		})
	}
}

func TestManyReadbacksInFlight(t *testing.T) {
	d := open(t)
	k, b, g := counter(t, d)
	var r Recorder
	backs := make([]*Readback, 6)
	for round := range 3 {
		for i := range backs {
			if backs[i] == nil {
				back, err := d.NewReadback(fmt.Sprint("back ", i), 8)
				require.NoError(t, err)
				backs[i] = back
			}
			r.Reset()
			r.Dispatch(k, g, 1, 1, 1)
			r.Read(backs[i], b, 0, 8)
			require.NoError(t, d.Submit(&r))
		}
		for i, back := range backs {
			got := make([]byte, 4)
			require.NoError(t, back.Wait(context.Background(), got))
			require.Equal(t, words(steps(round*len(backs)+i+1)), got)
		}
	}
}

func TestTwoReadbacksOnOneTape(t *testing.T) {
	d := open(t)
	b := buffer(t, d, "b", 16, Storage)
	first, err := d.NewReadback("first", 4)
	require.NoError(t, err)
	second, err := d.NewReadback("second", 8)
	require.NoError(t, err)
	var r Recorder
	r.Write(b, 0, words(1, 2, 3, 4))
	r.Read(first, b, 0, 4)
	r.Split()
	r.Read(second, b, 8, 8)
	require.NoError(t, d.Submit(&r))
	got := make([]byte, 7)
	require.NoError(t, second.Wait(context.Background(), got))
	require.Equal(t, words(3, 4)[:7], got)
	require.NoError(t, first.Wait(context.Background(), got[:4]))
	require.Equal(t, words(1), got[:4])
}

func TestReadbackGivenUpCanBeUsedAgain(t *testing.T) {
	d := open(t)
	b := buffer(t, d, "b", 16, Storage)
	back, err := d.NewReadback("back", 4)
	require.NoError(t, err)
	var r Recorder
	r.Write(b, 0, words(1))
	r.Read(back, b, 0, 4)
	require.NoError(t, d.Submit(&r))
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	got := make([]byte, 4)
	require.ErrorIs(t, back.Wait(stopped, got), context.Canceled)
	r.Reset()
	r.Write(b, 0, words(2))
	r.Read(back, b, 0, 4)
	require.NoError(t, d.Submit(&r))
	require.NoError(t, back.Wait(context.Background(), got))
	require.Equal(t, words(2), got)
}

func TestWaitWithoutReadFails(t *testing.T) {
	d := open(t)
	back, err := d.NewReadback("back", 4)
	require.NoError(t, err)
	require.Error(t, back.Wait(context.Background(), make([]byte, 4)))
}

func TestBuffersAreCounted(t *testing.T) {
	before := LiveBuffers()
	d := open(t)
	a := buffer(t, d, "a", 30, Storage)
	buffer(t, d, "b", 100, Storage)
	require.Equal(t, uint64(32), a.Size())
	require.Equal(t, 2, d.Stats().Buffers)
	require.Equal(t, uint64(132), d.Stats().Bytes)
	require.Equal(t, before+2, LiveBuffers())
	a.Release()
	a.Release()
	require.Equal(t, 1, d.Stats().Buffers)
	require.Equal(t, uint64(100), d.Stats().Bytes)
	require.Equal(t, before+1, LiveBuffers())
}

func TestBindRefusesWhatLiesOutsideABuffer(t *testing.T) {
	d := open(t)
	k, b, _ := counter(t, d)
	for _, v := range []View{b.Slice(0, 0), b.Slice(0, b.Size()+4), b.Slice(b.Size()+256, 4), b.Slice(256, math.MaxUint64)} {
		_, err := d.Bind(k, v)
		require.ErrorContains(t, err, "binding 0")
	}
	require.NoError(t, d.Err())
}

func TestBindGroupsAreCachedUntilABufferGoes(t *testing.T) {
	d := open(t)
	k, b, g := counter(t, d)
	again, err := d.Bind(k, b.All())
	require.NoError(t, err)
	require.Same(t, g, again)
	require.Equal(t, 1, d.Stats().BindGroups)
	b.Release()
	require.Equal(t, 0, d.Stats().BindGroups)
	_, err = d.Bind(k, b.All())
	require.ErrorIs(t, err, ErrReleased)
}

func TestTooLargeABuffer(t *testing.T) {
	d := open(t)
	kept := buffer(t, d, "kept", 64, Storage)
	for _, size := range []uint64{1 << 40, 1 << 50, math.MaxUint64 - 3} {
		b, err := d.NewBuffer("huge", size, Storage)
		if err == nil {
			b.Release() // a host that promises memory it may never give
			continue
		}
		var told *MemoryError
		require.ErrorAs(t, err, &told)
		require.ErrorIs(t, err, ErrOutOfMemory)
		require.Equal(t, "huge", told.Label)
		require.Equal(t, uint64(64), told.Held)
	}
	require.Equal(t, words(0), read(t, kept, 4))
}

func TestTimings(t *testing.T) {
	ctx := context.Background()
	d := open(t)
	k, b, g := counter(t, d)
	r := Recorder{Profile: true}
	if !d.Features().Has(FeatureTimestamps) {
		r.Dispatch(k, g, 1, 1, 1)
		require.Error(t, d.Submit(&r))
		return
	}
	for _, n := range []int{1, 5, 2500} { // one query set holds 2048 pairs
		require.NoError(t, b.Upload(0, words(0)))
		r.Reset()
		for i := range n {
			if i%1000 == 999 {
				r.Split()
			}
			r.Dispatch(k, g, 1, 1, 1)
		}
		require.NoError(t, d.Submit(&r))
		timings, err := d.Timings(ctx, &r)
		require.NoError(t, err)
		require.Len(t, timings, n)
		for _, one := range timings {
			require.Equal(t, "step", one.Kernel)
			require.GreaterOrEqual(t, one.Nanoseconds, 0.0)
			require.Less(t, one.Nanoseconds, 10e9)
		}
		require.Equal(t, words(steps(n)), read(t, b, 4))
	}
}
