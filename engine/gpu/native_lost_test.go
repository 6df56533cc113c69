//go:build !js && !cogentcore

package gpu

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// A device that goes without being asked is found out by whatever call comes next.
func TestLossIsNoticedByTheNextCall(t *testing.T) {
	ctx := context.Background()
	calls := map[string]func(*Device, *Buffer, *Readback) error{
		"buffer": func(d *Device, _ *Buffer, _ *Readback) error {
			_, err := d.NewBuffer("late", 16, Storage)
			return err
		},
		"submit": func(d *Device, b *Buffer, _ *Readback) error {
			var r Recorder
			r.Clear(b, 0, 4)
			return d.Submit(&r)
		},
		"upload": func(_ *Device, b *Buffer, _ *Readback) error { return b.Upload(0, words(1)) },
		"wait":   func(_ *Device, _ *Buffer, back *Readback) error { return back.Wait(ctx, make([]byte, 4)) },
		"idle":   func(d *Device, _ *Buffer, _ *Readback) error { return d.Idle(ctx) },
		"kernel": func(d *Device, _ *Buffer, _ *Readback) error { return d.Kernel(addModule()).Wait(ctx) },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			b := buffer(t, d, "b", 16, Storage)
			back, err := d.NewReadback("back", 4)
			require.NoError(t, err)
			var r Recorder
			r.Read(back, b, 0, 4)
			require.NoError(t, d.Submit(&r))
			host := d.backend.(*native)
			host.destroy()
			host.gone.Store(false) // as if nobody had asked for it
			require.ErrorIs(t, call(d, b, back), ErrDeviceLost)
			<-d.Lost()
			require.ErrorIs(t, d.Err(), ErrDeviceLost)
		})
	}
}
