package gpu

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDestroyedDeviceIsLost(t *testing.T) {
	ctx := context.Background()
	d := open(t)
	k, b, g := counter(t, d)
	back, err := d.NewReadback("back", 4)
	require.NoError(t, err)
	var r Recorder
	r.Dispatch(k, g, 1, 1, 1)
	r.Read(back, b, 0, 4)
	require.NoError(t, d.Submit(&r))
	d.Destroy()
	<-d.Lost()
	require.ErrorIs(t, back.Wait(ctx, make([]byte, 4)), ErrDeviceLost)
	require.ErrorIs(t, d.Submit(&r), ErrDeviceLost)
	require.ErrorIs(t, d.Idle(ctx), ErrDeviceLost)
	require.ErrorIs(t, b.Upload(0, words(1)), ErrDeviceLost)
	require.ErrorIs(t, b.Read(ctx, 0, make([]byte, 4)), ErrDeviceLost)
	require.ErrorIs(t, d.Err(), ErrDeviceLost)
	_, err = d.NewBuffer("late", 16, Storage)
	require.ErrorIs(t, err, ErrDeviceLost)
	_, err = d.Bind(k, b.All())
	require.ErrorIs(t, err, ErrDeviceLost)
	require.ErrorIs(t, d.Kernel(addModule()).Wait(ctx), ErrDeviceLost)
	b.Release()
	d.Release()

	again := open(t)
	k, b, g = counter(t, again)
	r.Reset()
	r.Dispatch(k, g, 1, 1, 1)
	require.NoError(t, again.Submit(&r))
	require.Equal(t, words(1), read(t, b, 4))
}

func TestDestroyWhileInUse(t *testing.T) {
	ctx := context.Background()
	d := open(t)
	k, _, _ := counter(t, d)
	var users sync.WaitGroup
	for i := range 3 {
		b := buffer(t, d, fmt.Sprint("b", i), 16, Storage)
		g, err := d.Bind(k, b.All())
		require.NoError(t, err)
		users.Go(func() {
			for {
				var r Recorder
				r.Dispatch(k, g, 1, 1, 1)
				err := d.Submit(&r)
				if err == nil {
					err = b.Read(ctx, 0, make([]byte, 4))
				}
				if err != nil {
					assert.ErrorIs(t, err, ErrDeviceLost)
					return
				}
			}
		})
	}
	require.NoError(t, d.Idle(ctx))
	d.Destroy()
	users.Wait()
}

func TestConcurrentUse(t *testing.T) {
	ctx := context.Background()
	d := open(t)
	var users sync.WaitGroup
	for user := range 4 {
		users.Go(func() {
			text := strings.Replace(stepText, "1u;", fmt.Sprintf("%du;", user+1), 1)
			k := d.Kernel(&Module{Label: "step", Text: text, Bindings: []Binding{ReadWrite}})
			for range 15 {
				b, err := d.NewBuffer("b", 16, Storage)
				if !assert.NoError(t, err) {
					return
				}
				g, err := d.Bind(k, b.All())
				if !assert.NoError(t, err) {
					return
				}
				var r Recorder
				r.Write(b, 0, words(2))
				r.Dispatch(k, g, 1, 1, 1)
				assert.NoError(t, d.Submit(&r))
				got := make([]byte, 4)
				assert.NoError(t, b.Read(ctx, 0, got))
				assert.Equal(t, words(6+uint32(user)+1), got)
				b.Release()
			}
		})
	}
	users.Wait()
	require.NoError(t, d.Err())
}

func TestReleaseWithWorkInFlight(t *testing.T) {
	d := open(t)
	k, b, g := counter(t, d)
	var r Recorder
	for range 50 {
		r.Dispatch(k, g, 1, 1, 1)
	}
	back, err := d.NewReadback("back", 4)
	require.NoError(t, err)
	r.Read(back, b, 0, 4)
	require.NoError(t, d.Submit(&r))
	b.Release()
	d.Kernel(addModule())
	d.Release()
	require.Error(t, d.Submit(&r))
}
