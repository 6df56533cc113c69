package engine

import (
	"sync"
	"time"
)

// Stream is one request's output. One goroutine reads it; any may cancel it.
type Stream struct {
	engine *Engine
	id     uint64

	mu     sync.Mutex
	chunks []Chunk
	ended  bool
	result Result
	wake   chan struct{} // holds one signal: something came
}

func newStream(e *Engine, id uint64) *Stream {
	return &Stream{engine: e, id: id, wake: make(chan struct{}, 1)}
}

// Next blocks until a token comes; false means that the stream has ended and Result says how.
func (s *Stream) Next() (Chunk, bool) {
	for {
		s.mu.Lock()
		if len(s.chunks) > 0 {
			c := s.chunks[0]
			s.chunks = s.chunks[1:]
			s.mu.Unlock()
			return c, true
		}
		ended := s.ended
		s.mu.Unlock()
		if ended {
			return Chunk{}, false
		}
		<-s.wake
	}
}

// Cancel ends the request after the steps in flight; what has come stays.
func (s *Stream) Cancel() { s.engine.cancel(s.id) }

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

func (s *Stream) push(c Chunk) {
	s.mu.Lock()
	s.chunks = append(s.chunks, c)
	s.mu.Unlock()
	s.signal()
}

func (s *Stream) end(r Result) {
	s.mu.Lock()
	s.ended, s.result = true, r
	s.mu.Unlock()
	s.signal()
}

func (s *Stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// clock takes a request's times.
type clock struct{ submitted, first, last time.Time }

func (c *clock) token(now time.Time) {
	if c.first.IsZero() {
		c.first = now
	}
	c.last = now
}

// figures fills in the times of a request that generated n tokens.
func (c *clock) figures(f *Figures, n int) {
	f.GeneratedTokens = n
	if n == 0 {
		return
	}
	f.TimeToFirst = c.first.Sub(c.submitted)
	if s := f.TimeToFirst.Seconds(); s > 0 {
		f.PromptPerSecond = float64(f.PromptTokens) / s
	}
	if s := c.last.Sub(c.first).Seconds(); n > 1 && s > 0 {
		f.DecodePerSecond = float64(n-1) / s
	}
}
