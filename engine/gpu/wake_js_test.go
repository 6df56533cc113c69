package gpu

import (
	"context"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWakingChangesNothing(t *testing.T) {
	host := js.Global().Get("quireGPU")
	host.Set("wakeSoftware", true)
	defer host.Set("wakeSoftware", false)
	d := open(t)
	all := decodeSteps(t, d, 3, 40)
	ctx := context.Background()
	for depth := 1; depth <= len(all); depth++ {
		for i := range 10 {
			s := all[i%depth]
			if i >= depth {
				require.NoError(t, s.back.Wait(ctx, s.data))
			}
			require.NoError(t, d.Submit(&s.recorder))
		}
		require.NoError(t, d.Idle(ctx))
	}
	require.NoError(t, d.Submit(&all[0].recorder))
	go d.Destroy()
	if err := all[0].back.Wait(ctx, all[0].data); err != nil {
		require.ErrorIs(t, err, ErrDeviceLost)
	}
}

// Chromium is asked while the first step is awaited, though others have been submitted behind it; of those it hears by the next submission,
// unless they are few.
func TestWakeForTheFirst(t *testing.T) {
	if inFirefox() {
		t.Skip("Firefox has the pulse")
	}
	host := js.Global().Get("quireGPU")
	host.Set("wakeSoftware", true)
	defer host.Set("wakeSoftware", false)
	d := open(t)
	asked := js.Global().Get("Function").New("prototype", `
		const pop = prototype.popErrorScope, counter = {count: 0, restore() { prototype.popErrorScope = pop; }};
		prototype.popErrorScope = function () {
			counter.count++;
			return pop.call(this);
		};
		return counter;`).Invoke(js.Global().Get("GPUDevice").Get("prototype"))
	defer asked.Call("restore")
	all := decodeSteps(t, d, 4, 400)
	for _, s := range all {
		require.NoError(t, d.Submit(&s.recorder))
	}
	before := asked.Get("count").Int()
	require.NoError(t, all[0].back.Wait(context.Background(), all[0].data))
	first := asked.Get("count").Int()
	require.Greater(t, first, before)
	require.NoError(t, all[1].back.Wait(context.Background(), all[1].data))
	require.Equal(t, first, asked.Get("count").Int())
}

// emptySubmissions counts the submissions of nothing during the test.
func emptySubmissions(t *testing.T) func() int {
	queue := js.Global().Get("GPUQueue").Get("prototype")
	submit := queue.Get("submit")
	t.Cleanup(func() { queue.Set("submit", submit) })
	counter := js.Global().Get("Function").New("queue", "submit", `
		const counter = {count: 0};
		queue.submit = function (lists) {
			if (lists.length === 0) counter.count++;
			return submit.call(this, lists);
		};
		return counter;`).Invoke(queue, submit)
	return func() int { return counter.Get("count").Int() }
}

// Firefox notices finished work at a submission, or up to 100 milliseconds late: whoever waits submits nothing meanwhile.
// There that must come by itself; elsewhere it is turned on.
func TestPulseWhileAnythingIsAwaited(t *testing.T) {
	if host := js.Global().Get("quireGPU"); !inFirefox() {
		host.Set("pulse", true)
		defer host.Set("pulse", false)
	}
	ctx := context.Background()
	d := open(t)
	s := decodeSteps(t, d, 1, 40)[0]
	count := emptySubmissions(t)
	pulses := func(what string, wait func()) int {
		t.Helper()
		before := count()
		wait()
		n := count() - before
		require.Positive(t, n, "no pulse during %s", what)
		require.Eventually(t, func() bool { // the last pulse finds that nothing is awaited
			settled := count()
			time.Sleep(50 * time.Millisecond)
			return settled == count()
		}, time.Minute, time.Millisecond, "pulses go on after %s", what)
		return n
	}

	pulses("a readback", func() {
		require.NoError(t, d.Submit(&s.recorder))
		require.NoError(t, s.back.Wait(ctx, s.data))
	})
	pulses("an idle wait", func() { require.NoError(t, d.Idle(ctx)) })
	if d.Features().Has(FeatureTimestamps) {
		k, _, g := counter(t, d)
		r := Recorder{Profile: true}
		r.Dispatch(k, g, 1, 1, 1)
		pulses("timings", func() {
			require.NoError(t, d.Submit(&r))
			_, err := d.Timings(ctx, &r)
			require.NoError(t, err)
		})
	}
	const size = 8 << 20
	blob := js.Global().Get("Blob").New([]any{js.Global().Get("Uint8Array").New(size)})
	source, err := OpenBlob(ctx, blob)
	require.NoError(t, err)
	defer source.Close()
	b := buffer(t, d, "pieces", size, Storage)
	pulses("a source that is far ahead of the GPU", func() {
		for range 9 {
			require.NoError(t, source.Upload(ctx, b, 0, 0, size))
		}
	})

	js.Global().Get("Function").New("prototype", `
		const original = prototype.createBuffer;
		prototype.createBuffer = function (given) {
			prototype.createBuffer = original;
			throw new RangeError('no room');
		};`).Invoke(js.Global().Get("GPUDevice").Get("prototype"))
	pulses("making room", func() { buffer(t, d, "more", size, Storage) })

	// What takes long has pulses all the time.
	for n, dispatches := 0, 500; n < 3; dispatches *= 2 {
		require.Less(t, dispatches, 64_000, "a second's work or more has %d", n)
		long := decodeSteps(t, d, 1, dispatches)[0]
		n = pulses("a long wait", func() {
			require.NoError(t, d.Submit(&long.recorder))
			require.NoError(t, long.back.Wait(ctx, long.data))
		})
	}
}

// Other browsers, and who asks for it, have none.
func TestNoPulse(t *testing.T) {
	d, err := Open(context.Background(), Options{NoWake: inFirefox()})
	require.NoError(t, err)
	defer d.Release()
	count := emptySubmissions(t)
	require.NoError(t, d.Idle(context.Background()))
	require.Zero(t, count())
}

func inFirefox() bool {
	return strings.Contains(js.Global().Get("navigator").Get("userAgent").String(), "Firefox/")
}
