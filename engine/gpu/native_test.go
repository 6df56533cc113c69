//go:build !js

package gpu

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPickAdapter(t *testing.T) {
	list := []AdapterInfo{
		{Name: "GeForce 9", Backend: "vulkan", Type: "discrete"},
		{Name: "Iris", Backend: "vulkan", Type: "integrated"},
		{Name: "llvmpipe", Backend: "vulkan", Type: "cpu"},
	}
	tests := []struct {
		options Options
		want    int
	}{
		{Options{}, 0},
		{Options{Power: HighPerformance}, 0},
		{Options{Power: LowPower}, 1},
		{Options{Adapter: "2"}, 2},
		{Options{Adapter: "IRIS", Power: HighPerformance}, 1},
		{Options{Adapter: "9"}, 0},
	}
	for _, tt := range tests {
		got, err := pickAdapter(list, tt.options)
		require.NoError(t, err)
		require.Equal(t, tt.want, got, "%+v", tt.options)
	}
	_, err := pickAdapter(list, Options{Adapter: "radeon"})
	require.ErrorIs(t, err, ErrNoAdapter)
	require.ErrorContains(t, err, "1: Iris (vulkan, integrated)")
	_, err = pickAdapter(nil, Options{})
	require.ErrorIs(t, err, ErrNoAdapter)
	_, err = Open(context.Background(), Options{Adapter: "no such card"})
	require.ErrorIs(t, err, ErrNoAdapter)
}

func TestParseShaderError(t *testing.T) {
	tests := []struct {
		text string
		line int
	}{
		{"Shader '' parsing error: no definition in scope\n  ┌─ wgsl:12:5\n   │", 12},
		{"error\n    ┌─ shader.wgsl:7:31\n ┌─ wgsl:9:1", 7},
		{"the pipeline does not match its layout", 0},
	}
	for _, tt := range tests {
		e := parseShaderError(tt.text)
		assert.Equal(t, tt.line, e.line)
		assert.Equal(t, tt.text, e.message)
	}
}

func TestOutOfMemoryIsToldFromItsText(t *testing.T) {
	assert.True(t, saysOutOfMemory("Validation Error\n\nCaused by:\n  In wgpuDeviceCreateBuffer\n    Not enough memory left.\n"))
	assert.True(t, saysOutOfMemory("Out of memory"))
	assert.False(t, saysOutOfMemory("Buffer size 1099511627776 is greater than the maximum buffer size (2147483647)"))
	require.ErrorIs(t, &nativeError{outOfMemory: true}, ErrOutOfMemory)
	require.NotErrorIs(t, &nativeError{text: "broken"}, ErrOutOfMemory)
}

// The library refuses what is over the limit by an error, not by ending the process.
func TestLibraryRefusesAHugeBuffer(t *testing.T) {
	d := open(t)
	_, err := d.backend.createBuffer("huge", 1<<62, Storage)
	require.Error(t, err)
	require.Equal(t, words(0), read(t, buffer(t, d, "small", 16, Storage), 4))
}

func TestTimingsBeyondOneQuerySet(t *testing.T) {
	d := open(t)
	if !d.Features().Has(FeatureTimestamps) {
		return
	}
	k, _, g := counter(t, d)
	r := Recorder{Profile: true}
	for range 2500 {
		r.Dispatch(k, g, 1, 1, 1)
	}
	require.NoError(t, d.Submit(&r))
	timings, err := d.Timings(context.Background(), &r)
	require.NoError(t, err)
	total := 0.0
	for _, one := range timings[2048:] {
		total += one.Nanoseconds
	}
	require.Positive(t, total)
}

func TestAMappedReadbackIsNoTarget(t *testing.T) {
	d := open(t)
	b := buffer(t, d, "b", 16, Storage)
	back, err := d.NewReadback("back", 16)
	require.NoError(t, err)
	var r Recorder
	r.Read(back, b, 0, 16)
	require.NoError(t, d.Submit(&r))
	for name, record := range map[string]func(*Recorder){
		"copy":  func(r *Recorder) { r.Copy(b, 0, back.Buffer(), 0, 4) },
		"clear": func(r *Recorder) { r.Clear(back.Buffer(), 0, 4) },
		"write": func(r *Recorder) { r.Write(back.Buffer(), 0, words(1)) },
	} {
		var again Recorder
		record(&again)
		require.Error(t, d.Submit(&again), name)
	}
	require.Error(t, back.Buffer().Upload(0, words(1)))
	require.Error(t, back.Wait(context.Background(), make([]byte, 64)), "16 bytes were read")
	require.NoError(t, d.Err())
	require.Equal(t, words(0), read(t, b, 4))
}

func TestReleasedObjectsLeaveTheTables(t *testing.T) {
	d := open(t)
	_, b, g := counter(t, d)
	host := d.backend.(*native)
	require.True(t, host.hasBuffer(b.handle))
	require.True(t, host.hasGroup(g.handle))
	b.Release()
	require.False(t, host.hasBuffer(b.handle))
	require.False(t, host.hasGroup(g.handle))
}

func TestBrokenTapesAreRefused(t *testing.T) {
	d := open(t)
	k, b, g := counter(t, d)
	gone := buffer(t, d, "gone", 16, Storage)
	gone.Release()
	tests := map[string][]int32{
		"unknown operation": {42},
		"operation 0":       {0},
		"negative":          {-1},
		"cut short":         {opDispatch, 1, 1},
		"data too short":    {opWrite, b.handle, 0, 4, 8},
		"no such kernel":    {opKernel, 99},
		"no such group":     {opBind, -7},
		"released buffer":   {opClear, gone.handle, 0, 1},
		"released target":   {opCopy, b.handle, 0, gone.handle, 0, 1},
	}
	for name, tape := range tests {
		t.Run(name, func(t *testing.T) {
			require.Error(t, d.Submit(&Recorder{tape: tape, data: make([]byte, 8)}))
		})
	}
	require.ErrorIs(t, d.Submit(&Recorder{tape: tests["released buffer"]}), ErrReleased)
	var r Recorder
	r.Dispatch(k, g, 1, 1, 1)
	require.NoError(t, d.Submit(&r))
	require.Equal(t, words(1), read(t, b, 4))
}

func TestInvalidUseIsAnErrorAndTheDeviceLivesOn(t *testing.T) {
	d := open(t)
	k, b, g := counter(t, d)
	uniform := buffer(t, d, "uniform", 16, Uniform)
	_, err := d.Bind(k, uniform.All())
	require.Error(t, err, "a uniform buffer is no storage")
	_, err = d.Bind(k)
	require.Error(t, err, "a binding is missing")
	require.Error(t, b.Upload(8, make([]byte, 64)))

	var r Recorder
	r.Copy(b, 0, uniform, 12, 16)
	require.Error(t, d.Submit(&r))
	r.Reset()
	r.Clear(b, 0, 1<<20)
	require.Error(t, d.Submit(&r))
	r.Reset()
	r.Dispatch(k, g, d.Limits().MaxComputeWorkgroupsPerDimension+1, 1, 1)
	require.Error(t, d.Submit(&r))
	require.Error(t, d.Submit(&Recorder{tape: []int32{opKernel, k.handle, opDispatch, 1, 1, 1}}), "nothing is bound")
	r.Reset()
	back, err := d.NewReadback("back", 4)
	require.NoError(t, err)
	r.Read(back, b, 0, 4)
	require.NoError(t, d.Submit(&r))
	require.Error(t, d.Submit(&r), "the readback was not waited for")

	require.NoError(t, d.Err())
	require.NoError(t, back.Wait(context.Background(), make([]byte, 4)))
	r.Reset()
	r.Dispatch(k, g, 1, 1, 1)
	require.NoError(t, d.Submit(&r))
	require.Equal(t, words(1), read(t, b, 4))
}

// An upload of more than fits the staging memory in flight arrives whole.
func TestLargeUpload(t *testing.T) {
	d := open(t)
	size := 96 << 20
	data := make([]byte, size)
	random := rand.NewChaCha8([32]byte{1})
	_, err := random.Read(data)
	require.NoError(t, err)
	b := buffer(t, d, "large", size, Storage)
	source := ReaderSource(bytes.NewReader(data), int64(size))
	defer source.Close()
	require.NoError(t, source.Upload(context.Background(), b, 0, 0, int64(size)))
	got := make([]byte, size)
	require.NoError(t, b.Read(context.Background(), 0, got))
	require.True(t, bytes.Equal(data, got))
}

// decode is a step of 120 dispatches, as decoding one token records it.
func decode(t testing.TB, d *Device, r *Recorder) func() {
	ctx := context.Background()
	k := d.Kernel(addModule())
	a, b := buffer(t, d, "a", 1024, Storage), buffer(t, d, "b", 1024, Storage)
	count := buffer(t, d, "count", 16, Uniform)
	var groups []*BindGroup
	for range 8 {
		g, err := d.Bind(k, a.All(), a.All(), buffer(t, d, "c", 1024, Storage).All(), count.All())
		require.NoError(t, err)
		groups = append(groups, g)
	}
	back, err := d.NewReadback("back", 16)
	require.NoError(t, err)
	data, got := words(0, 0, 0, 0), make([]byte, 16)
	return func() {
		r.Reset()
		r.Write(count, 0, data)
		for i := range 120 {
			r.Dispatch(k, groups[i%len(groups)], 1, 1, 1)
		}
		r.Read(back, b, 0, 16)
		require.NoError(t, d.Submit(r))
		require.NoError(t, back.Wait(ctx, got))
	}
}

func TestAStepAllocatesNothing(t *testing.T) {
	var r Recorder
	step := decode(t, open(t), &r)
	step()
	require.Zero(t, testing.AllocsPerRun(20, step))
}

func BenchmarkStep(b *testing.B) {
	var r Recorder
	step := decode(b, open(b), &r)
	step()
	for b.Loop() {
		step()
	}
}

func BenchmarkSubmit(b *testing.B) {
	d := open(b)
	var r Recorder
	decode(b, d, &r)()
	tape := Recorder{tape: r.tape[:len(r.tape)-9], data: r.data}
	for b.Loop() {
		require.NoError(b, d.Submit(&tape))
		b.StopTimer()
		require.NoError(b, d.Idle(context.Background()))
		b.StartTimer()
	}
}

func BenchmarkReadback(b *testing.B) {
	d := open(b)
	source := buffer(b, d, "source", 16, Storage)
	back, err := d.NewReadback("back", 16)
	require.NoError(b, err)
	var r Recorder
	r.Read(back, source, 0, 16)
	got := make([]byte, 16)
	for b.Loop() {
		require.NoError(b, d.Submit(&r))
		require.NoError(b, back.Wait(context.Background(), got))
	}
}
