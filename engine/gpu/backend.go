package gpu

import "context"

// backend is what a host binding provides. Objects are named by positive integer handles, so that a tape means the
// same on every host. Methods may be called from several goroutines.
type backend interface {
	info() AdapterInfo

	// createBuffer makes a zeroed buffer of size bytes (a multiple of 4). Failing for want of memory it returns an
	// error that wraps ErrOutOfMemory.
	createBuffer(label string, size uint64, usage Usage) (int32, error)
	destroyBuffer(handle int32)

	// recallKernel gives m's kernel at once where it was compiled for a user of the device before, or 0.
	recallKernel(m *Module) int32

	// createKernel compiles m and calls done once, from any goroutine. A compile error is passed as the text of the
	// compiler and the line it names (from 1, 0 for none) in the composed module.
	createKernel(m *Module, done func(handle int32, err error))

	// createBindGroup binds buffers, in order, to group 0 of the kernel.
	createBindGroup(label string, kernel int32, views []View) (int32, error)
	destroyBindGroup(handle int32)

	// submit runs a tape (tape.go); data holds the bytes of its writes. It does not wait.
	submit(tape []int32, data []byte) error

	// wait blocks until the readback that a submitted tape mapped is there, copies len(dst) bytes and unmaps it.
	wait(ctx context.Context, handle int32, dst []byte) error

	// upload writes data into a buffer now, outside of a tape, in queue order.
	upload(handle int32, offset uint64, data []byte) error

	// idle blocks until everything submitted has finished.
	idle(ctx context.Context) error

	// timings waits for the timed passes of the last submitted tape and returns nanoseconds for each, in order.
	timings(ctx context.Context, passes int) ([]float64, error)

	// destroy loses the device on purpose; release drops everything.
	destroy()
	release()
}

// compileError is what backends report of a shader that did not compile.
type compileError struct {
	line    int
	message string
}

func (e *compileError) Error() string { return e.message }

// events are the calls a backend makes into the device.
type events struct {
	lost       func(reason string)
	uncaptured func(message string)
}
