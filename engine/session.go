package engine

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"quire/engine/kernel"
	"quire/engine/schedule"
	"quire/engine/session"
)

// Session is a conversation: its tokens so far, which the next turn's prompt begins with. Its blocks stay in the prefix
// cache as long as there is room; Pin keeps them, Save and Engine.Restore carry them over to another time or place. One
// goroutine uses it.
type Session struct {
	engine *Engine
	tokens []int32
	pin    *schedule.Pin
}

// NewSession returns a session of these tokens: a prompt, and its answer's ids.
func (e *Engine) NewSession(tokens ...int32) *Session {
	return &Session{engine: e, tokens: slices.Clone(tokens)}
}

// Tokens returns the conversation so far.
func (s *Session) Tokens() []int32 { return slices.Clone(s.tokens) }

// Append adds tokens that were said. A pin stays as it is: pin again to hold what is new.
func (s *Session) Append(tokens ...int32) { s.tokens = append(s.tokens, tokens...) }

// Pin keeps the blocks of the conversation as far as the cache has them, and returns their tokens. A pin gives way, the
// oldest first, when a request could not run at all otherwise, and is gone when the device was lost.
func (s *Session) Pin() (tokens int, err error) {
	callErr := s.engine.loop.Call(func() {
		old := s.pin
		if s.pin, err = s.engine.scheduler.Pin(s.tokens, "", ""); err == nil {
			tokens = s.pin.Tokens()
		}
		if old != nil {
			s.engine.scheduler.Unpin(old)
		}
	})
	if callErr != nil {
		return 0, callErr
	}
	return tokens, err
}

// Unpin lets the blocks go: they stay cached until others need the room.
func (s *Session) Unpin() error {
	return s.engine.loop.Call(func() {
		if s.pin != nil {
			s.engine.scheduler.Unpin(s.pin)
			s.pin = nil
		}
	})
}

// Save writes the conversation and the K and V of its whole blocks, as far as the cache has them. Restoring it gives the
// same tokens in any case: what is missing is computed again.
func (s *Session) Save(w io.Writer) error {
	e := s.engine
	state := session.State{Tokens: slices.Clone(s.tokens), BlockSize: e.info.BlockSize}
	err := e.loop.CallReady(func() (err error) {
		if state.Fingerprint, err = e.fingerprint(); err != nil {
			return err
		}
		state.BlockBytes = e.machine.BlockBytes()
		p, err := e.scheduler.Pin(s.tokens, "", "")
		if err != nil {
			return err
		}
		defer e.scheduler.Unpin(p)
		state.Blocks, err = e.machine.ReadBlocks(context.Background(), p.Blocks(0))
		return err
	})
	if err != nil {
		return err
	}
	_, err = state.WriteTo(w)
	return err
}

// Restore reads a session that Save wrote and brings its blocks back into the cache, as many as there is room for. A file
// that is no session, damaged, or saved with another model, KV type or block size is ErrSessionFormat, ErrSessionDamaged
// or ErrSessionModel, each in a *session.Error that names the part; nothing is changed then.
func (e *Engine) Restore(r io.Reader) (*Session, error) {
	state, err := session.Read(r)
	if err != nil {
		return nil, err
	}
	err = e.loop.CallReady(func() error {
		print, err := e.fingerprint()
		if err != nil {
			return err
		}
		size := e.machine.BlockBytes()
		if err := state.Check(print, e.info.BlockSize, size); err != nil {
			return e.misfit(state, err)
		}
		p, err := e.scheduler.Load(state.Tokens[:len(state.Blocks)/size*e.info.BlockSize], "", "")
		if err != nil {
			return err
		}
		for i := p.Fresh() / e.info.BlockSize; i < len(p.Blocks(0)); i++ {
			if err := e.machine.WriteBlock(p.Blocks(0)[i], state.Blocks[i*size:(i+1)*size]); err != nil {
				e.loop.Fail(err) // the cache must not promise what was not written
				return err
			}
		}
		e.scheduler.Unpin(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Session{engine: e, tokens: state.Tokens}, nil
}

// fingerprintTail is how much of the weights goes into the fingerprint: tunings of one model differ there.
const fingerprintTail = 64 << 10

// fingerprint is the engine's own. It runs in the step loop.
func (e *Engine) fingerprint() (print session.Fingerprint, err error) {
	if !e.printed {
		if e.print, err = e.fingerprintOf(e.info.KVType); err != nil {
			return print, err
		}
		e.printed = true
	}
	return e.print, nil
}

// fingerprintOf hashes what K and V depend on: the file's header (configuration and tensor table), the end of its weights,
// and the KV type.
func (e *Engine) fingerprintOf(kvType string) (print session.Fingerprint, err error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", kvType)
	size := e.source.Size()
	tail := max(e.header, size-fingerprintTail)
	for _, part := range []*io.SectionReader{
		io.NewSectionReader(e.source, 0, e.header), io.NewSectionReader(e.source, tail, size-tail),
	} {
		if _, err := io.Copy(h, part); err != nil {
			return print, fmt.Errorf("reading the model for its fingerprint: %w", err)
		}
	}
	h.Sum(print[:0])
	return print, nil
}

// misfit says why a session does not fit: for its KV type, or its model.
func (e *Engine) misfit(state *session.State, err error) error {
	for _, kvType := range kernel.KVTypes() {
		print, failed := e.fingerprintOf(kvType)
		switch {
		case failed != nil:
			return err
		case print == state.Fingerprint && kvType != e.info.KVType:
			return &session.Error{Part: "header", Err: ErrSessionModel, Why: "it was saved with the KV type " + kvType + ", not " + e.info.KVType}
		case print == state.Fingerprint:
			return err
		}
	}
	return &session.Error{Part: "header", Err: ErrSessionModel, Why: "it was saved with another model"}
}
