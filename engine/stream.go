package engine

import (
	"iter"
	"sync"

	"quire/engine/loop"
)

// Stream is one request's output. One goroutine reads it; any may cancel it.
type Stream struct {
	loop *loop.Loop
	id   uint64

	mu       sync.Mutex
	chunks   []Chunk
	finished bool
	result   Result
	after    func()        // called when it finishes
	wake     chan struct{} // holds one signal: something came
}

func newStream(l *loop.Loop) *Stream { return &Stream{loop: l, wake: make(chan struct{}, 1)} }

// ID numbers the engine's streams; events name a request's first sequence by it.
func (s *Stream) ID() uint64 { return s.id }

// Next blocks until a token comes; false means that the stream has finished and Result says how.
func (s *Stream) Next() (Chunk, bool) {
	for {
		s.mu.Lock()
		if len(s.chunks) > 0 {
			c := s.chunks[0]
			s.chunks = s.chunks[1:]
			s.mu.Unlock()
			return c, true
		}
		finished := s.finished
		s.mu.Unlock()
		if finished {
			return Chunk{}, false
		}
		<-s.wake
	}
}

// All gives the chunks as they come, for a range loop, which ends with the stream. Leaving the loop early cancels the request;
// Result says how it ended.
func (s *Stream) All() iter.Seq[Chunk] {
	return func(yield func(Chunk) bool) {
		for c, more := s.Next(); more; c, more = s.Next() {
			if !yield(c) {
				s.Cancel()
				return
			}
		}
	}
}

// Cancel finishes the request after the steps in flight; what has come stays.
func (s *Stream) Cancel() { s.loop.Cancel(s.id, nil) }

// Result waits for the end of the stream (what Next has not taken is dropped) and returns it.
func (s *Stream) Result() Result {
	for {
		if _, more := s.Next(); !more {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.result
}

// onFinish has f called once the stream has finished, or at once if it has.
func (s *Stream) onFinish(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished {
		f()
		return
	}
	s.after = f
}

// sink is the end of a stream that the step loop fills.
type sink struct{ *Stream }

// Push implements generation.Sink.
func (s sink) Push(c Chunk) {
	s.mu.Lock()
	s.chunks = append(s.chunks, c)
	s.mu.Unlock()
	s.signal()
}

// Finish implements generation.Sink.
func (s sink) Finish(r Result) {
	s.mu.Lock()
	s.finished, s.result = true, r
	if s.after != nil {
		s.after()
	}
	s.mu.Unlock()
	s.signal()
}

func (s *Stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
