package gpu

import (
	"context"
	"fmt"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// made counts the devices, and the pipelines of a label, that the browser is asked for during the test.
func made(t *testing.T, label string) func() (devices, pipelines int) {
	count := func(class, method, label string) func() int {
		prototype := js.Global().Get(class).Get("prototype")
		original := prototype.Get(method)
		t.Cleanup(func() { prototype.Set(method, original) })
		counter := js.Global().Get("Function").New("prototype", "method", "label", `
			const counter = {count: 0}, original = prototype[method];
			prototype[method] = function (...args) {
				if (args[0].label === label) counter.count++;
				return original.apply(this, args);
			};
			return counter;`).Invoke(prototype, method, label)
		return func() int { return counter.Get("count").Int() }
	}
	devices, pipelines := count("GPUAdapter", "requestDevice", "quire"), count("GPUDevice", "createComputePipelineAsync", label)
	return func() (int, int) { return devices(), pipelines() }
}

// Who opens a device that was given back has what was compiled on it, and nothing else of those before; whoever opens one beside has
// one of its own. A device that is lost or has failed is never given out again.
func TestDevicesAreTakenUpAgain(t *testing.T) {
	ctx := context.Background()
	js.Global().Get("quireGPU").Call("forget")
	kept := &Module{Label: "kept", Text: addText + "// kept\n", Bindings: addModule().Bindings}
	count := made(t, kept.Label)
	step := func(d *Device) {
		require.NoError(t, d.Kernel(kept).Wait(ctx))
		s := decodeSteps(t, d, 1, 3)[0]
		require.NoError(t, d.Submit(&s.recorder))
		require.NoError(t, s.back.Wait(ctx, s.data))
		require.NoError(t, d.Err())
	}
	reused := map[string]int{}
	opened := func(wantDevices, wantPipelines int, what string) *Device {
		t.Helper()
		d, err := Open(ctx, Options{})
		require.NoError(t, err)
		step(d)
		devices, pipelines := count()
		assert.Equal(t, []int{wantDevices, wantPipelines}, []int{devices, pipelines}, what)
		c := d.Compiled()
		assert.Len(t, d.Kernels(), c.Kernels+c.Reused)
		reused[what] = c.Reused
		return d
	}
	opened(1, 1, "the first").Release()
	d := opened(1, 1, "the first, taken up again")
	beside := opened(2, 2, "one beside it")
	d.Release()
	beside.Release()

	d = opened(2, 2, "the last that was given back")
	require.ErrorContains(t, d.Kernel(&Module{Label: "wrong", Text: "wrong"}).Wait(ctx), "wrong")
	require.Error(t, d.Kernel(&Module{Label: "wrong", Text: "wrong"}).Wait(ctx))
	assert.Equal(t, 5, d.Stats().Buffers, "its own")
	d.Destroy()
	d.Release()
	d = opened(2, 2, "the other")
	b := buffer(t, d, "storage", 64, Storage)
	k := d.Kernel(addModule())
	require.NoError(t, k.Wait(ctx))
	_, err := d.Bind(k, b.All(), b.All(), b.All(), b.All())
	require.NoError(t, err, "the browser tells later that a buffer is of another kind")
	require.NoError(t, d.Idle(ctx))
	require.Eventually(t, func() bool { return d.Err() != nil }, time.Minute, time.Millisecond)
	d.Release()
	opened(3, 3, "none is left").Release()
	assert.Equal(t, map[string]int{"the first": 0, "the first, taken up again": 2, "one beside it": 0, "the last that was given back": 2, "the other": 2, "none is left": 0}, reused)
}

// A device that was opened ahead is given to who asks for the same one, once, and kept for others where somebody asks for another.
func TestDevicesAreOpenedAhead(t *testing.T) {
	ctx := context.Background()
	host := js.Global().Get("quireGPU")
	host.Call("forget")
	count := made(t, "none")
	opened := func(want int, o Options, what string) *Device {
		t.Helper()
		d, err := Open(ctx, o)
		require.NoError(t, err, what)
		devices, _ := count()
		assert.Equal(t, want, devices, what)
		return d
	}
	prepare := func(choice string) { host.Call("prepare", choice, string(HighPerformance)) }
	prepare("")
	first := opened(1, Options{}, "the one that was opened ahead")
	beside := opened(2, Options{}, "one beside it")
	assert.NotEqual(t, first.backend.(*jsBackend).id, beside.backend.(*jsBackend).id)
	granted := first.Features()
	first.Release()
	beside.Release()
	host.Call("forget")

	prepare("")
	other := opened(4, Options{Disable: granted}, "another is asked for")
	opened(4, Options{}, "what nobody wanted is kept").Release()
	other.Release()
	host.Call("forget")

	prepare("no such adapter")
	opened(5, Options{}, "none could be opened ahead").Release()
	for range 3 {
		prepare("")
	}
	opened(5, Options{}, "opens that never come to ask for theirs leave it to the next").Release()
	prepare("no such adapter")
	_, err := Open(ctx, Options{Adapter: "no such adapter"})
	require.ErrorContains(t, err, "no adapter is called")
	host.Call("forget")
}

// A device that is given back while kernels wait for their turn to compile finishes what has begun, and the next user gets all it asks for.
func TestDevicesGivenBackAtWork(t *testing.T) {
	ctx := context.Background()
	js.Global().Get("quireGPU").Call("forget")
	var modules []*Module
	for i := range 30 {
		modules = append(modules, &Module{Label: "many", Text: fmt.Sprintf("%s// %d\n", addText, i), Bindings: addModule().Bindings})
	}
	count := made(t, "many")
	d, err := Open(ctx, Options{})
	require.NoError(t, err)
	for _, m := range modules {
		d.Kernel(m)
	}
	d.Release()
	again, err := Open(ctx, Options{})
	require.NoError(t, err)
	for _, m := range modules {
		require.NoError(t, again.Kernel(m).Wait(ctx))
	}
	devices, pipelines := count()
	assert.Equal(t, []int{1, len(modules)}, []int{devices, pipelines})
	again.Release()
}

// requested has a function of JavaScript's answer with the devices that the browser gives during the test.
func requested(t *testing.T, given string) {
	prototype := js.Global().Get("GPUAdapter").Get("prototype")
	original := prototype.Get("requestDevice")
	t.Cleanup(func() { prototype.Set("requestDevice", original) })
	js.Global().Get("Function").New("prototype", "given", `
		const original = prototype.requestDevice;
		prototype.requestDevice = async function (...args) {
			return given(await original.apply(this, args));
		};`).Invoke(prototype, js.Global().Get("Function").New("device", given))
}

// A device that is lost before whoever opens it knows of it is lost for them, too.
func TestDeviceIsLostOnItsWay(t *testing.T) {
	for when, given := range map[string]string{
		"at once":      `device.destroy(); return device.lost.then(() => device);`,
		"a turn later": `queueMicrotask(() => device.destroy()); return device;`,
		"soon":         `new Promise((resolve) => setTimeout(resolve)).then(() => device.destroy()); return device;`,
	} {
		for _, ahead := range []bool{false, true} {
			t.Run(fmt.Sprint(when, " ", ahead), func(t *testing.T) {
				host := js.Global().Get("quireGPU")
				host.Call("forget")
				defer host.Call("forget")
				requested(t, given)
				if ahead {
					host.Call("prepare", "", string(HighPerformance))
				}
				d, err := Open(context.Background(), Options{})
				require.NoError(t, err)
				defer d.Release()
				select {
				case <-d.Lost():
				case <-time.After(time.Minute):
					t.Fatal("nobody was told")
				}
				require.ErrorIs(t, d.Err(), ErrDeviceLost)
			})
		}
	}
}

// late is a device whose loss is told after what comes of it, as in Firefox, where that waits for the GPU's work.
const late = `
	const {lost} = device;
	Object.defineProperty(device, 'lost', {value: lost.then((info) => new Promise((resolve) => setTimeout(() => resolve(info), 500)))});
	return device;`

// What waits for the GPU while its device is destroyed fails for that, whenever the browser tells of it.
func TestLossIsToldLate(t *testing.T) {
	host := js.Global().Get("quireGPU")
	original := host.Get("savingOf")
	defer host.Set("savingOf", original)
	var during func() // a readback is lent
	between := js.FuncOf(func(js.Value, []js.Value) any {
		during()
		return nil
	})
	defer between.Release()
	host.Set("savingOf", js.Global().Get("Function").New("between", `
		return () => ({run: async (buffer, size) => { between(); buffer.getMappedRange(0, size); }, end() {}});`).Invoke(between))
	blob := js.Global().Get("Blob").New([]any{js.Global().Get("Uint8Array").New(64 << 20)})
	destroy := func(d *Device) { host.Call("destroy", d.backend.(*jsBackend).id) }
	save := func(ctx context.Context, d *Device, before, then func()) error {
		s := decodeSteps(t, d, 1, 200)[0]
		for range 20 {
			require.NoError(t, d.Submit(&s.recorder))
		}
		back, err := d.NewReadback("saved", 64)
		require.NoError(t, err)
		saving, err := NewSaving(js.Null())
		require.NoError(t, err)
		before()
		during = then
		return saving.WriteReadback(ctx, back, 64)
	}
	for what, wait := range map[string]func(ctx context.Context, d *Device) error{
		"a file that is to be saved": func(ctx context.Context, d *Device) error {
			return save(ctx, d, func() { destroy(d) }, func() {})
		},
		"a file that is saved": func(ctx context.Context, d *Device) error {
			return save(ctx, d, func() {}, func() { destroy(d) })
		},
		"a file that is loaded": func(ctx context.Context, d *Device) error {
			source, err := OpenBlob(ctx, blob)
			require.NoError(t, err)
			defer source.Close()
			b := buffer(t, d, "target", 64<<20, Storage)
			time.AfterFunc(50*time.Millisecond, func() { destroy(d) })
			for {
				if err := source.Upload(ctx, b, 0, 0, 64<<20); err != nil {
					return err
				}
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			host.Call("forget")
			defer host.Call("forget")
			requested(t, late)
			d, err := Open(context.Background(), Options{})
			require.NoError(t, err)
			defer d.Release()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			require.ErrorIs(t, wait(ctx, d), ErrDeviceLost)
		})
	}
}

// A device that comes when nobody waits for it any more is there for the next.
func TestDeviceComesTooLate(t *testing.T) {
	host := js.Global().Get("quireGPU")
	host.Call("forget")
	count := made(t, "none")
	given := js.Global().Get("Function").New("host", `
		const given = {count: 0};
		host.release = (device) => {
			delete host.release;
			host.release(device);
			given.count++;
		};
		return given;`).Invoke(host)
	requested(t, `return new Promise((resolve) => setTimeout(() => resolve(device), 200));`)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, Options{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Eventually(t, func() bool { return given.Get("count").Int() > 0 }, time.Minute, time.Millisecond, "nobody gave it back")
	d, err := Open(context.Background(), Options{})
	require.NoError(t, err)
	devices, _ := count()
	require.Equal(t, 1, devices)
	d.Release()
}
