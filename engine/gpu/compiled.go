package gpu

import "time"

// Compiled says what came of the kernels that a device was asked for since it was opened.
type Compiled struct {
	Kernels int           // compiled
	Reused  int           // compiled before, by the host's last user of the same device
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
