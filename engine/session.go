package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"quire/engine/kernel"
	"quire/engine/schedule"
	"quire/engine/session"
	"quire/engine/sha256"
	"quire/paging"
)

// Session is a conversation: its tokens so far, which the next turn's prompt begins with. Its blocks stay in the prefix
// cache as long as there is room; Pin keeps them, Save and Engine.Restore carry them over to another time or place. One
// goroutine uses it.
type Session struct {
	engine *Engine
	tokens []int32
	note   []byte
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

// Note returns what SetNote kept beside the tokens, or had kept when the session was saved; nil: nothing.
func (s *Session) Note() []byte { return slices.Clone(s.note) }

// SetNote keeps a text beside the tokens, which Save writes: the host's own, such as the messages that the tokens are of.
func (s *Session) SetNote(note []byte) { s.note = slices.Clone(note) }

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

// savePiece is how many bytes of blocks Save fetches from the GPU at once.
const savePiece = 4 << 20

// Save writes the conversation and the K and V of its whole blocks, as far as the cache has them, up to the last snapshot of a
// model whose layers keep a state: of a model with windows only
// while no window has left a block behind. Restoring it gives the same tokens in any case: what is missing is computed again. Blocks are written as they come from the GPU, between two
// steps: requests wait meanwhile, and w must not call the engine.
func (s *Session) Save(w io.Writer) error {
	e := s.engine
	return e.loop.CallReady(func() error {
		print, err := e.fingerprint()
		if err != nil {
			return err
		}
		p, err := e.scheduler.Pin(s.tokens, "", "")
		if err != nil {
			return err
		}
		defer e.scheduler.Unpin(p)
		blocks, size, groups := e.blocksFrom(p, 0), e.placeBytes(), len(e.plan.Windows())
		out, err := session.NewWriter(w, &session.State{
			Fingerprint: print, Tokens: s.tokens, BlockSize: e.info.BlockSize, BlockBytes: size, Blocks: len(blocks) / groups,
			StateBytes: int(e.plan.StateBytes()), Note: s.note,
		})
		if err != nil {
			return err
		}
		layouts := e.plan.KVLayouts(e.info.BlockSize, e.machine.options.KVType)
		for ids := range slices.Chunk(blocks, max(1, savePiece/size)*groups) {
			data, err := e.machine.ReadBlocks(context.Background(), ids)
			if err != nil {
				return err
			}
			for i := range ids {
				e.plan.ClearUnused(data[i*e.machine.BlockBytes():], i%groups, layouts[i%groups])
			}
			for block := range slices.Chunk(data, size) {
				if err := out.Block(block); err != nil {
					return err
				}
			}
		}
		if e.plan.StateBytes() > 0 && len(blocks) > 0 {
			state, err := e.machine.ReadState(context.Background(), p.State())
			if err != nil {
				return err
			}
			if err := out.State(state); err != nil {
				return err
			}
		}
		return out.Close()
	})
}

// Restore reads a session that Save wrote and brings its blocks back into the cache, as many as there is room for. It reads
// twice: first whether the file is sound, then block after block, between two steps. A file that is no session, damaged, or
// saved with another model, KV type or block size is ErrSessionFormat, ErrSessionDamaged or ErrSessionModel, each in a
// *session.Error that names the part; nothing is changed then.
func (e *Engine) Restore(r io.ReadSeeker) (*Session, error) {
	start, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	if err := session.Verify(r); err != nil {
		return nil, err
	}
	if _, err := r.Seek(start, io.SeekStart); err != nil {
		return nil, err
	}
	in, err := session.NewReader(r)
	if err != nil {
		return nil, err
	}
	if _, held := r.(*bytes.Reader); held {
		in.Trust()
	}
	if err := e.loop.CallReady(func() error { return e.restore(in) }); err != nil {
		return nil, err
	}
	return &Session{engine: e, tokens: in.Tokens, note: in.Note}, nil
}

// restoreRun is how many bytes of blocks are written at once.
const restoreRun = 8 << 20

// restore fills blocks of the cache in the step loop.
func (e *Engine) restore(in *session.Reader) error {
	print, err := e.fingerprint()
	if err != nil {
		return err
	}
	if err := in.Check(print, e.info.BlockSize, e.placeBytes(), int(e.plan.StateBytes())); err != nil {
		return e.misfit(&in.State, err)
	}
	p, err := e.scheduler.Load(in.Tokens[:in.Blocks*e.info.BlockSize], len(in.Tokens), "", "")
	if err != nil {
		return err
	}
	fresh := p.Fresh() / e.info.BlockSize
	next := func() ([]byte, error) {
		data, err := in.Block()
		if err != nil { // the cache must not promise what was not written
			e.scheduler.Forget(p)
		}
		return data, err
	}
	for range fresh {
		if _, err := next(); err != nil {
			return err
		}
	}
	size := e.machine.BlockBytes()
	var run []byte // of blocks from first on
	var first int32
	write := func() error {
		if len(run) == 0 {
			return nil
		}
		err := e.machine.WriteBlocks(first, run)
		if run = run[:0]; err != nil {
			e.loop.Fail(err)
		}
		return err
	}
	for ids := range slices.Chunk(e.blocksFrom(p, fresh), len(e.plan.Windows())) {
		data, err := next()
		if err != nil {
			return err
		}
		for _, id := range ids {
			if len(run) >= restoreRun || id != first+int32(len(run)/size) {
				if err := write(); err != nil {
					return err
				}
				first = id
			}
			run = append(run, data[:size]...)
			data = data[size:]
		}
	}
	if err := write(); err != nil {
		return err
	}
	if err := e.restoreState(in, p); err != nil {
		return err
	}
	e.scheduler.Unpin(p)
	return nil
}

// restoreState fills the state behind what was loaded.
func (e *Engine) restoreState(in *session.Reader, p *schedule.Pin) error {
	if p.Fresh() == p.Tokens() {
		return nil
	}
	data, err := in.StateData()
	if err != nil {
		e.scheduler.Forget(p)
		return err
	}
	if data == nil {
		return nil
	}
	if err := e.machine.WriteState(p.State(), data); err != nil {
		e.loop.Fail(err)
		return err
	}
	return nil
}

// placeBytes is the size of the blocks of all KV groups at one place of a conversation: a session's block.
func (e *Engine) placeBytes() int { return len(e.plan.Windows()) * e.machine.BlockBytes() }

// blocksFrom lists a pin's blocks from a place on, those of all KV groups at a place one after the other; none where a window has
// left some.
func (e *Engine) blocksFrom(p *schedule.Pin, place int) (ids []int32) {
	for i := place; i < len(p.Blocks(0)); i++ {
		for g := range e.plan.Windows() {
			if p.Blocks(g)[i] == paging.NullBlock {
				return nil
			}
			ids = append(ids, p.Blocks(g)[i])
		}
	}
	return ids
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
