package gpu

import (
	"sync"
	"time"
)

// parked is the device that the last Park of this process left, if the host keeps any.
var parked struct {
	mu     sync.Mutex
	device *Device
}

// Park gives back all that the device holds but its kernels. The next Open with the same Options goes on with it, so that what is
// compiled already is compiled no more. Where the host keeps no devices, or something went wrong with this one, it is released.
func (d *Device) Park() {
	d.releaseBuffers()
	if !parks || d.Err() != nil {
		d.backend.release()
		return
	}
	parked.mu.Lock()
	before := parked.device
	parked.device = d
	parked.mu.Unlock()
	if before != nil {
		before.Release()
	}
}

// unpark takes the parked device, if it is as the options want it and still good.
func unpark(o Options) *Device {
	parked.mu.Lock()
	d := parked.device
	parked.device = nil
	parked.mu.Unlock()
	if d == nil {
		return nil
	}
	if d.options != o || d.Err() != nil {
		d.Release()
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.life++
	d.order, d.compiled, d.since = nil, Compiled{}, time.Now()
	return d
}

// Compiled says what came of the kernels that a device was asked for since it was opened.
type Compiled struct {
	Kernels int           // compiled
	Reused  int           // compiled before, for what was on a parked device
	Time    time.Duration // while at least one was being compiled
}

// Compiled says what came of the device's kernels so far.
func (d *Device) Compiled() Compiled {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.compiled
}

// compiles counts a kernel that begins to compile, or with -1 one that has. d.mu is held.
func (d *Device) compiles(n int) {
	now := time.Now()
	if d.compiling > 0 {
		d.compiled.Time += now.Sub(d.since)
	}
	d.compiling += n
	d.since = now
}
