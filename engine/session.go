package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"sync"

	"quire/engine/gguf"
	"quire/engine/gpu"
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

// Save writes the conversation and the K and V of its whole blocks, as far as the cache has them, up to the last snapshot of a
// model whose layers keep a state: of a model with windows only while no window has left a block behind. Restoring it gives the same
// tokens in any case: what is missing is computed again. Blocks are written as they come from the GPU, between two steps: requests wait
// meanwhile, and w must not call the engine. A gpu.RunWriter has them without this program's memory.
func (s *Session) Save(w io.Writer) error {
	e := s.engine
	direct, _ := w.(gpu.RunWriter)
	state := session.State{Tokens: s.tokens, BlockSize: e.info.BlockSize, StateBytes: int(e.plan.StateBytes()), Note: s.note, RunBlocks: e.runBlocks}
	var out *session.Writer
	var kept []byte
	if err := e.loop.CallReady(func() (err error) {
		if state.Fingerprint, err = e.fingerprint(); err != nil {
			return err
		}
		p, err := e.scheduler.Pin(s.tokens, "", "")
		if err != nil {
			return err
		}
		defer e.scheduler.Unpin(p)
		groups, blocks := len(e.plan.Windows()), e.blocksFrom(p, 0)
		state.BlockBytes, state.Blocks = e.placeBytes(), len(blocks)/groups
		if out, err = session.NewWriter(w, &state); err != nil {
			return err
		}
		for run := range state.Runs() {
			if err := e.saveRun(out, direct, blocks[run.First*groups:][:run.Blocks*groups]); err != nil {
				return err
			}
		}
		if state.StateBytes > 0 && len(blocks) > 0 {
			kept, err = e.machine.ReadState(context.Background(), p.State())
		}
		return err
	}); err != nil {
		return err
	}
	if direct != nil {
		sums, err := direct.Sums(context.Background())
		if err != nil {
			return err
		}
		if err := out.Written(&state, sums); err != nil {
			return err
		}
	}
	if kept != nil {
		if err := out.State(kept); err != nil {
			return err
		}
	}
	return out.Close()
}

// saveRun writes blocks as a session keeps them.
func (e *Engine) saveRun(out *session.Writer, direct gpu.RunWriter, blocks []int32) error {
	back, err := e.machine.NewRunReadback(len(blocks))
	if err != nil {
		return err
	}
	defer back.Release()
	if err := e.machine.ReadRun(back, blocks, direct == nil); err != nil {
		return err
	}
	if direct != nil {
		return direct.WriteReadback(context.Background(), back, session.PartBytes)
	}
	data := make([]byte, back.Size())
	if err := back.Wait(context.Background(), data); err != nil {
		return err
	}
	return out.Run(data)
}

// Restore reads a session that Save wrote and brings its blocks back into the cache, as many as there is room for, between two steps.
// A file that is no session, damaged, or saved with another model, KV type or block size is ErrSessionFormat, ErrSessionDamaged or
// ErrSessionModel, each in a *session.Error that names the part; nothing of it is in the cache then. Of a file that a version before
// this one's format has written, K and V are computed again.
func (e *Engine) Restore(r io.ReadSeeker) (*Session, error) {
	source, err := sourceOf(r)
	if err != nil {
		return nil, err
	}
	return e.RestoreFrom(source)
}

// RestoreFrom is Restore from a source, which it does not close.
func (e *Engine) RestoreFrom(source gpu.Source) (*Session, error) {
	in, err := session.Open(source, source.Size())
	if err != nil {
		return nil, err
	}
	if err := e.loop.CallReady(func() error { return e.restore(in, source) }); err != nil {
		return nil, err
	}
	return &Session{engine: e, tokens: in.Tokens, note: in.Note}, nil
}

// sourceOf gives what r has from where it stands.
func sourceOf(r io.ReadSeeker) (gpu.Source, error) {
	start, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	end, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	at, ok := r.(io.ReaderAt)
	if !ok {
		at = &seeker{r: r}
	}
	return gpu.ReaderSource(io.NewSectionReader(at, start, end-start), end-start), nil
}

// seeker reads at offsets by going there.
type seeker struct {
	mu sync.Mutex
	r  io.ReadSeeker
}

func (s *seeker) ReadAt(p []byte, at int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.r.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	return io.ReadFull(s.r, p)
}

// restore fills blocks of the cache in the step loop.
func (e *Engine) restore(in *session.Reader, from gpu.Source) (err error) {
	print, err := e.fingerprint()
	if in.Version < session.Version {
		print, err = e.fingerprintBefore(e.info.KVType)
	}
	if err != nil {
		return err
	}
	if err := in.Check(print, e.info.BlockSize, e.placeBytes(), int(e.plan.StateBytes())); err != nil {
		return e.misfit(in, err)
	}
	p, err := e.scheduler.Load(in.Tokens[:in.Blocks*e.info.BlockSize], len(in.Tokens), "", "")
	if err != nil {
		return err
	}
	err = e.fill(in, from, p)
	if err == nil {
		e.scheduler.Unpin(p)
		return nil
	}
	e.scheduler.Forget(p) // the cache must not promise what was not written
	switch {
	case errors.Is(err, gpu.ErrDeviceLost):
		e.loop.Fail(err)
	case errors.Is(err, gpu.ErrOutOfMemory): // it is computed again
		return nil
	}
	return err
}

// fill fills a pin's fresh blocks, and the state behind them.
func (e *Engine) fill(in *session.Reader, from gpu.Source, p *schedule.Pin) error {
	fresh, held := p.Fresh()/e.info.BlockSize, p.Tokens()/e.info.BlockSize
	if fresh == held {
		return nil
	}
	groups := len(e.plan.Windows())
	ids := e.blocksFrom(p, fresh)
	var room *gpu.Buffer
	for run := range in.Runs() {
		start, end := max(run.First, fresh), min(run.First+run.Blocks, held)
		if start >= end {
			continue
		}
		if room == nil {
			var err error
			if room, err = e.machine.NewRun(in.RunBytes()); err != nil {
				return err
			}
			defer room.Release()
		}
		sums, err := gpu.UploadSummed(context.Background(), from, room, run.At, int64(run.Bytes), gpu.Summed{Part: session.PartBytes, End: in.End()})
		if err == nil {
			if err := in.CheckSums(run, sums); err != nil {
				return err
			}
			n := (end - start) * groups
			err = e.machine.FillBlocks(room, run.Blocks*groups, (start-run.First)*groups, ids[:n])
			ids = ids[n:]
		}
		if err != nil {
			return err
		}
	}
	if in.Kept == nil {
		return nil
	}
	return e.machine.WriteState(p.State(), in.Kept)
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
	fmt.Fprintf(h, "%s\n%x\n", kvType, e.headerSum)
	return print, e.finish(h, print[:0])
}

// fingerprintBefore is what it was up to version 4 of the format: a vocabulary takes long to read and to hash.
func (e *Engine) fingerprintBefore(kvType string) (print session.Fingerprint, err error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", kvType)
	if _, err := io.Copy(h, io.NewSectionReader(e.source, 0, e.header)); err != nil {
		return print, fmt.Errorf("reading the model for its fingerprint: %w", err)
	}
	return print, e.finish(h, print[:0])
}

// finish hashes the end of the weights.
func (e *Engine) finish(h hash.Hash, to []byte) error {
	size := e.source.Size()
	tail := max(e.header, size-fingerprintTail)
	if _, err := io.Copy(h, io.NewSectionReader(e.source, tail, size-tail)); err != nil {
		return fmt.Errorf("reading the model for its fingerprint: %w", err)
	}
	h.Sum(to)
	return nil
}

// headerSum hashes a model's configuration and tensor table, of the tokenizer's lists their lengths.
func headerSum(f *gguf.File) [sha256.Size]byte {
	var text bytes.Buffer
	for key, value := range f.Metadata.All() {
		if value.Type == gguf.Array && !strings.HasPrefix(key, "tokenizer.") {
			fmt.Fprintln(&text, key, value.Any())
			continue
		}
		fmt.Fprintf(&text, "%s %s\n", key, value)
	}
	for _, t := range f.Tensors {
		fmt.Fprintf(&text, "%s %d %d %d\n", t.Name, t.Type, t.Shape, t.Offset)
	}
	return sha256.Sum256(text.Bytes())
}

// misfit says why a session does not fit: for its KV type, or its model.
func (e *Engine) misfit(in *session.Reader, err error) error {
	printOf := e.fingerprintOf
	if in.Version < session.Version {
		printOf = e.fingerprintBefore
	}
	for _, kvType := range kernel.KVTypes() {
		print, failed := printOf(kvType)
		switch {
		case failed != nil:
			return err
		case print == in.Fingerprint && kvType != e.info.KVType:
			return &session.Error{Part: "header", Err: ErrSessionModel, Why: "it was saved with the KV type " + kvType + ", not " + e.info.KVType}
		case print == in.Fingerprint:
			return err
		}
	}
	return &session.Error{Part: "header", Err: ErrSessionModel, Why: "it was saved with another model"}
}
