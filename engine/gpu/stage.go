//go:build !js

package gpu

import (
	"errors"
	"time"
)

// stager is a backend that has host memory from which the GPU copies. A stage is a buffer, with all that holds for one, that either
// the host or the GPU has.
type stager interface {
	// createStage makes a stage of size bytes (a multiple of 4), which the host has first.
	createStage(size uint64) (handle int32, memory []byte, err error)

	// unmapStage gives a stage to the GPU; mapStage asks for it back, once what was submitted has run.
	unmapStage(handle int32) error
	mapStage(handle int32, size uint64) error

	// stageMemory gives a stage that was asked back, or nil while the GPU has it.
	stageMemory(handle int32, size uint64) ([]byte, error)
}

// stage is host memory that the GPU copies from.
type stage struct {
	*Buffer
	stager
	memory []byte // nil while the GPU has it
}

// newStage makes a stage.
func (d *Device) newStage(label string, size uint64) (*stage, error) {
	s := d.backend.(stager)
	if err := d.Err(); err != nil {
		return nil, err
	}
	handle, memory, err := s.createStage(size)
	if err != nil {
		return nil, d.wrap(err)
	}
	return &stage{d.hold(handle, label, size, CopySource), s, memory}, nil
}

// give leaves a stage to the GPU, which copies from it what is submitted next.
func (s *stage) give() error {
	s.memory = nil
	return s.device.wrap(s.unmapStage(s.handle))
}

// ask wants it back.
func (s *stage) ask() error { return s.device.wrap(s.mapStage(s.handle, s.size)) }

// errQuit says that a wait was ended.
var errQuit = errors.New("gpu: no longer waited for")

// stageWait is how long a stage is left alone before it is asked for again.
const stageWait = 50 * time.Microsecond

// await waits until the GPU has given it back, or quit is closed.
func (s *stage) await(quit <-chan struct{}) (err error) {
	for s.memory == nil {
		if s.memory, err = s.stageMemory(s.handle, s.size); err != nil {
			return s.device.wrap(err)
		}
		if s.memory != nil {
			break
		}
		select {
		case <-quit:
			return errQuit
		case <-time.After(stageWait):
		}
	}
	return nil
}
