// Package gputest opens the device that GPU tests share.
package gputest

import (
	"context"
	"os"
	"sync"
	"testing"

	"quire/engine/gpu"
)

var open = sync.OnceValues(func() (*gpu.Device, error) {
	return gpu.Open(context.Background(), gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")})
})

// Device returns the process's test device, on the adapter that $QUIRE_ADAPTER names or the best one. A machine
// without any fails the test: software adapters are part of what the tests need.
func Device(t testing.TB) *gpu.Device {
	t.Helper()
	d, err := open()
	if err != nil {
		t.Fatalf("no GPU to test on: %v", err)
	}
	if err := d.Err(); err != nil {
		t.Fatalf("an earlier test left the device broken: %v", err)
	}
	return d
}
