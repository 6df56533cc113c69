package gpu

import (
	"context"
	"fmt"
	"runtime"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/require"
)

// decodeStep is a decode step's shape: one write, many dispatches, one readback.
type decodeStep struct {
	recorder Recorder
	back     *Readback
	data     []byte
}

func decodeSteps(t testing.TB, d *Device, n, dispatches int) []*decodeStep {
	k := d.Kernel(addModule())
	require.NoError(t, k.Wait(context.Background()))
	a, b, c := buffer(t, d, "a", 256, Storage), buffer(t, d, "b", 256, Storage), buffer(t, d, "c", 256, Storage)
	count := buffer(t, d, "count", 16, Uniform)
	g1, err := d.Bind(k, a.All(), b.All(), c.All(), count.All())
	require.NoError(t, err)
	g2, err := d.Bind(k, c.All(), b.All(), a.All(), count.All())
	require.NoError(t, err)
	var all []*decodeStep
	for i := range n {
		back, err := d.NewReadback(fmt.Sprintf("back %d", i), 256)
		require.NoError(t, err)
		s := &decodeStep{back: back, data: make([]byte, 256)}
		s.recorder.Write(count, 0, words(64, 0, 0, 0))
		for j := range dispatches {
			s.recorder.Dispatch(k, []*BindGroup{g1, g2}[j%2], 1, 1, 1)
		}
		s.recorder.Read(back, c, 0, 256)
		all = append(all, s)
	}
	return all
}

func TestStepAllocatesLittle(t *testing.T) {
	d := open(t)
	s := decodeSteps(t, d, 1, 100)[0]
	ctx := context.Background()
	run := func() {
		require.NoError(t, d.Submit(&s.recorder))
		require.NoError(t, s.back.Wait(ctx, s.data))
	}
	run()
	// What is left is syscall/js's: the arguments of one event.
	require.LessOrEqual(t, testing.AllocsPerRun(20, run), 8.0)
	require.Zero(t, testing.AllocsPerRun(20, func() { _ = d.Submit(&s.recorder) }), "submitting")
}

// A map is a message to the process that has the GPU, as a submission is: it goes with the next, unless somebody waits.
func TestMapsGoWithTheNextSubmission(t *testing.T) {
	if inFirefox() {
		t.Skip("its pulse submits, too")
	}
	d := open(t)
	all := decodeSteps(t, d, 2, 4)
	log := js.Global().Get("Function").New(`
		const log = {calls: ''}, kept = [];
		for (const [of, name] of [[GPUQueue, 'submit'], [GPUBuffer, 'mapAsync']]) {
			const call = of.prototype[name];
			kept.push(() => { of.prototype[name] = call; });
			of.prototype[name] = function (...args) {
				log.calls += name + ' ';
				return call.apply(this, args);
			};
		}
		log.restore = () => kept.forEach((f) => f());
		return log;`).Invoke()
	defer log.Call("restore")
	ctx := context.Background()
	for _, step := range []struct {
		do    func() error
		calls string
	}{
		{func() error { return d.Submit(&all[0].recorder) }, "submit "},
		{func() error { return d.Submit(&all[1].recorder) }, "mapAsync submit "},
		{func() error { return all[0].back.Wait(ctx, all[0].data) }, ""},
		{func() error { return all[1].back.Wait(ctx, all[1].data) }, "mapAsync "},
	} {
		log.Set("calls", "")
		require.NoError(t, step.do())
		require.Equal(t, step.calls, log.Get("calls").String())
	}
}

func TestMemoryMayGrow(t *testing.T) {
	d := open(t)
	s := decodeSteps(t, d, 1, 4)[0]
	ctx := context.Background()
	length := js.Global().Get("Function").New("return quireGPU.memory.buffer.byteLength")
	for range 3 {
		before := length.Invoke().Int()
		var kept [][]byte
		for length.Invoke().Int() == before {
			kept = append(kept, make([]byte, 4<<20))
		}
		require.NoError(t, d.Submit(&s.recorder))
		require.NoError(t, s.back.Wait(ctx, s.data))
		runtime.KeepAlive(kept)
	}
}

func BenchmarkSubmit(b *testing.B) {
	d := open(b)
	for _, dispatches := range []int{1, 100, 300} {
		s := decodeSteps(b, d, 1, dispatches)[0]
		b.Run(fmt.Sprint(dispatches), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				require.NoError(b, d.Submit(&s.recorder))
				if i%16 == 15 {
					b.StopTimer()
					require.NoError(b, s.back.Wait(context.Background(), s.data))
					b.StartTimer()
				}
			}
		})
	}
}

func BenchmarkStep(b *testing.B) {
	for _, noWake := range []bool{false, true} {
		d, err := Open(context.Background(), Options{NoWake: noWake})
		require.NoError(b, err)
		for _, depth := range []int{1, 2, 4} {
			all := decodeSteps(b, d, depth, 85)
			b.Run(fmt.Sprintf("depth=%d/wake=%t", depth, !noWake), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; i < b.N+depth; i++ {
					s := all[i%depth]
					if i >= depth {
						require.NoError(b, s.back.Wait(context.Background(), s.data))
					}
					if i < b.N {
						require.NoError(b, d.Submit(&s.recorder))
					}
				}
			})
		}
		d.Release()
	}
}
