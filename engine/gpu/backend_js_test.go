package gpu

import (
	"context"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBrowserWithoutWebGPU(t *testing.T) {
	navigator := js.Global().Get("navigator")
	define := js.Global().Get("Object").Get("defineProperty")
	define.Invoke(navigator, "gpu", map[string]any{"value": nil, "configurable": true})
	defer navigator.Delete("gpu")
	_, err := Open(context.Background(), Options{})
	require.ErrorIs(t, err, ErrNoAdapter)
	require.ErrorContains(t, err, "no WebGPU")
	_, err = Adapters(context.Background())
	require.ErrorIs(t, err, ErrNoAdapter)

	nothing := js.FuncOf(func(js.Value, []js.Value) any { return nil })
	defer nothing.Release()
	define.Invoke(navigator, "gpu", map[string]any{"value": map[string]any{"requestAdapter": nothing}, "configurable": true})
	_, err = Open(context.Background(), Options{})
	require.ErrorIs(t, err, ErrNoAdapter)
	require.ErrorContains(t, err, "hardware acceleration")
}

func TestBrowserLosesTheDevice(t *testing.T) {
	d := open(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s := decodeSteps(t, d, 1, 200)[0]
	for range 50 { // Firefox tells of the loss when this is done, and of the readback at once
		require.NoError(t, d.Submit(&s.recorder))
	}
	compiling := d.Kernel(&Module{Label: "late", Text: addText + "// late\n", Bindings: addModule().Bindings})
	waited := make(chan error, 3)
	go func() { waited <- s.back.Wait(ctx, s.data) }()
	go func() { waited <- compiling.Wait(ctx) }()
	time.Sleep(time.Millisecond) // the readback is being waited for
	js.Global().Get("quireGPU").Call("destroy", d.backend.(*jsBackend).id)
	after := d.Kernel(&Module{Label: "after", Text: addText + "// after\n", Bindings: addModule().Bindings})
	go func() { waited <- after.Wait(ctx) }()
	select {
	case <-d.Lost():
	case <-ctx.Done():
		t.Fatal("the loss was not noticed")
	}
	for range 3 {
		if err := <-waited; err != nil { // what had ended before may have succeeded
			require.ErrorIs(t, err, ErrDeviceLost)
		}
	}
	require.ErrorIs(t, d.Submit(&s.recorder), ErrDeviceLost)
	_, err := d.NewBuffer("late", 16, Storage)
	require.ErrorIs(t, err, ErrDeviceLost)
	require.Empty(t, d.backend.(*jsBackend).host.pending, "calls left waiting")

	again := open(t)
	s = decodeSteps(t, again, 1, 2)[0]
	require.NoError(t, again.Submit(&s.recorder))
	require.NoError(t, s.back.Wait(ctx, s.data))
}

func TestErrorsThatNoCallClaimsAreKept(t *testing.T) {
	d := open(t)
	k := d.Kernel(addModule())
	require.NoError(t, k.Wait(context.Background()))
	b := buffer(t, d, "storage", 64, Storage)
	_, err := d.Bind(k, b.All(), b.All(), b.All(), b.All())
	require.NoError(t, err, "Chromium tells when something else is sent")
	require.NoError(t, d.Idle(context.Background()))
	require.Eventually(t, func() bool { return d.Err() != nil }, time.Minute, time.Millisecond)
	require.ErrorContains(t, d.Err(), "storage")
	require.Error(t, d.Submit(&Recorder{}))
}

func TestReadbackIsSmallerThanWanted(t *testing.T) {
	d := open(t)
	ctx := context.Background()
	b := buffer(t, d, "b", 64, Storage)
	back, err := d.NewReadback("back", 64)
	require.NoError(t, err)
	for _, landed := range []bool{false, true} {
		var r Recorder
		r.Read(back, b, 0, 32)
		require.NoError(t, d.Submit(&r))
		if landed {
			require.NoError(t, d.Idle(ctx))
			time.Sleep(20 * time.Millisecond)
		}
		require.Error(t, back.Wait(ctx, make([]byte, 64)))
		require.NoError(t, d.Submit(&r))
		require.NoError(t, back.Wait(ctx, make([]byte, 32)))
	}
	require.NoError(t, d.Err())
}

func TestReleasedHandleNamesNothing(t *testing.T) {
	d := open(t)
	old := buffer(t, d, "old", 16, Storage)
	var r Recorder
	r.Write(old, 0, words(1))
	old.Release()
	next := buffer(t, d, "next", 16, Storage)
	require.NotEqual(t, old.handle, next.handle)
	require.ErrorContains(t, d.Submit(&r), "used after release")
	got := make([]byte, 4)
	require.NoError(t, next.Read(context.Background(), 0, got))
	require.Equal(t, words(0), got)
}

func TestNothingPanicsAfterRelease(t *testing.T) {
	d, err := Open(context.Background(), Options{})
	require.NoError(t, err)
	s := decodeSteps(t, d, 1, 1)[0]
	b := buffer(t, d, "b", 16, Storage)
	d.Release()
	require.Error(t, d.Submit(&s.recorder))
	require.Error(t, b.Upload(0, words(1)))
	require.Error(t, d.Idle(context.Background()))
	require.Error(t, s.back.Wait(context.Background(), s.data))
	require.Error(t, d.Kernel(&Module{Label: "late", Text: "late"}).Wait(context.Background()))
	_, err = d.NewBuffer("late", 16, Storage)
	require.Error(t, err)
	d.Destroy()
	d.Release()
}

func TestMoreTimingsThanOneQuerySetHolds(t *testing.T) {
	d := open(t)
	if !d.Features().Has(FeatureTimestamps) {
		t.Skip("no timestamps on this adapter")
	}
	k := d.Kernel(addModule())
	require.NoError(t, k.Wait(context.Background()))
	a, b, c := buffer(t, d, "a", 256, Storage), buffer(t, d, "b", 256, Storage), buffer(t, d, "c", 256, Storage)
	count := buffer(t, d, "count", 16, Uniform)
	g, err := d.Bind(k, a.All(), b.All(), c.All(), count.All())
	require.NoError(t, err)
	for _, passes := range []int{3, 2100, 5} {
		r := Recorder{Profile: true}
		for range passes {
			r.Dispatch(k, g, 1, 1, 1)
		}
		require.NoError(t, d.Submit(&r))
		timings, err := d.Timings(context.Background(), &r)
		require.NoError(t, err)
		require.Len(t, timings, passes)
		for _, timing := range timings {
			require.GreaterOrEqual(t, timing.Nanoseconds, 0.0)
			require.Less(t, timing.Nanoseconds, 10e9)
		}
	}
	require.NoError(t, d.Err())
}
