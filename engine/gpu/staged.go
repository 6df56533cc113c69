//go:build !js

package gpu

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
)

const (
	stageBytes    = 4 << 20
	mostStages    = 16
	stagedReaders = 8 // that read at once
	mostSpent     = 4 // pieces that are copied in one submission
)

// Parallel is an io.ReaderAt that tells whether several goroutines read from it faster than one: a file on a disk, no connection.
type Parallel interface {
	Parallel() bool
}

// IsParallel reports whether r is best read in several goroutines.
func IsParallel(r io.ReaderAt) bool {
	switch r := r.(type) {
	case *os.File, *bytes.Reader:
		return true
	case Parallel:
		return r.Parallel()
	}
	return false
}

// Parallel is of Parallel.
func (s *readerSource) Parallel() bool { return IsParallel(s.ReaderAt) }

// Parallel is of Parallel.
func (s *joinedSource) Parallel() bool {
	for _, p := range s.pieces {
		if !IsParallel(p.Source) {
			return false
		}
	}
	return true
}

// uploadStaged is Upload through stages, unless it reports that they do not serve.
func (s *readerSource) uploadStaged(ctx context.Context, target *Buffer, targetOffset uint64, offset, n int64) (done bool, err error) {
	d := target.device
	// The GPU copies whole words.
	if offset%word != 0 || n%word != 0 || n <= 0 || ctx.Err() != nil || s.unstaged == d || !s.Parallel() {
		return false, nil
	}
	if !s.staged.reaches(d, offset) {
		s.staged.stop()
		if s.staged = startStaged(d, s.ReaderAt, offset, s.size); s.staged == nil {
			s.unstaged = d
			return false, nil
		}
	}
	if err = s.staged.upload(ctx, target, targetOffset, offset, n); err != nil {
		s.staged.stop() // whoever asks again has it read again
		s.staged = nil
	}
	return true, err
}

// staged reads a file forward in several goroutines, right into memory that the GPU copies from. One goroutine hands out the pieces,
// as stages become free; whoever uploads uses them in the file's order.
type staged struct {
	device *Device
	reader io.ReaderAt
	size   int64 // of the file

	rec   Recorder
	piece *stagedPiece   // at hand, or nil
	next  int64          // where the piece behind it begins
	spent []*stagedPiece // whose copies are recorded

	stages []*stage          // all
	most   int               // that there may be
	pieces chan *stagedPiece // in the file's order
	work   chan *stagedPiece // the same, for who reads them
	used   chan *stage       // asked back from the GPU
	quit   chan struct{}
	end    sync.Once
	ended  sync.WaitGroup
}

// stagedPiece is a part of the file in a stage.
type stagedPiece struct {
	*stage
	at, size int64
	given    bool          // to the GPU
	read     chan struct{} // closed when it is
	got      int64         // of size
	err      error         // behind that
}

// readings are those into a device's stages.
type readings map[*staged]struct{}

// Settle ends what sources read ahead for uploads to come, and gives the memory for that back. The next upload begins it again.
func (d *Device) Settle() {
	d.mu.Lock()
	reading := slices.Collect(maps.Keys(d.reading))
	d.mu.Unlock()
	for _, s := range reading {
		s.stop()
	}
}

// startStaged begins to read from an offset on. It is nil where the device has no room for a stage.
func startStaged(d *Device, r io.ReaderAt, from, size int64) *staged {
	from -= from % page
	s := &staged{
		device: d, reader: r, size: size, next: from, most: mostStages,
		pieces: make(chan *stagedPiece, mostStages+1), work: make(chan *stagedPiece, mostStages), used: make(chan *stage, mostStages),
		quit: make(chan struct{}),
	}
	first, err := s.add()
	if err != nil {
		return nil
	}
	s.used <- first
	d.mu.Lock()
	if d.reading == nil {
		d.reading = readings{}
	}
	d.reading[s] = struct{}{}
	d.mu.Unlock()
	s.ended.Go(s.handOut)
	for range stagedReaders {
		s.ended.Go(s.read)
	}
	return s
}

// add makes a stage.
func (s *staged) add() (*stage, error) {
	made, err := s.device.newStage("stage", stageBytes)
	if err == nil {
		s.stages = append(s.stages, made)
	}
	return made, err
}

// handOut has the file read, piece by piece.
func (s *staged) handOut() {
	defer close(s.work)
	defer close(s.pieces)
	for at := s.next; at < s.size; at += stageBytes {
		to, err := s.free()
		if err == errQuit {
			return
		}
		p := &stagedPiece{stage: to, at: at, size: min(stageBytes, s.size-at), read: make(chan struct{}), err: err}
		s.pieces <- p
		if err != nil {
			close(p.read)
			return
		}
		s.work <- p
	}
}

// free gives a stage that can be read into.
func (s *staged) free() (*stage, error) {
	if len(s.used) == 0 && len(s.stages) < s.most {
		made, err := s.add()
		if err == nil {
			return made, nil
		}
		s.most = len(s.stages)
	}
	select {
	case to := <-s.used:
		return to, to.await(s.quit)
	case <-s.quit:
		return nil, errQuit
	}
}

// read reads what is handed out.
func (s *staged) read() {
	for p := range s.work {
		if s.stopped() {
			p.err = ErrReleased
		} else {
			n, err := s.reader.ReadAt(p.memory[:p.size], p.at)
			if p.got = int64(n); p.got < p.size {
				if p.err = err; err == nil || err == io.EOF {
					p.err = io.ErrUnexpectedEOF
				}
			}
		}
		close(p.read)
	}
}

// stop ends the reading, as soon as the reads that go on have ended, and gives the stages back.
func (s *staged) stop() {
	if s == nil {
		return
	}
	s.end.Do(func() {
		close(s.quit)
		s.ended.Wait()
		for _, to := range s.stages {
			to.Release()
		}
		s.device.mu.Lock()
		delete(s.device.reading, s)
		s.device.mu.Unlock()
	})
}

func (s *staged) stopped() bool {
	select {
	case <-s.quit:
		return true
	default:
		return false
	}
}

// reaches reports whether an offset of the file comes soon.
func (s *staged) reaches(d *Device, offset int64) bool {
	if s == nil || s.device != d || s.stopped() {
		return false
	}
	from := s.next
	if s.piece != nil {
		from = s.piece.at
	}
	return offset >= from && offset < s.next+mostStages*stageBytes
}

// upload is Source's, of whole words from an offset that it reaches. After an error it is of no use.
func (s *staged) upload(ctx context.Context, target *Buffer, targetOffset uint64, offset, n int64) error {
	for n > 0 {
		for s.piece == nil || offset >= s.next {
			if err := s.advance(ctx); err != nil {
				return err
			}
		}
		p := s.piece
		size := min(n, s.next-offset)
		if p.err != nil && offset+size > p.at+p.got {
			return p.err
		}
		if !p.given {
			if err := p.give(); err != nil {
				return err
			}
			p.given = true
		}
		s.rec.Copy(p.Buffer, uint64(offset-p.at), target, targetOffset, uint64(size))
		targetOffset, offset, n = targetOffset+uint64(size), offset+size, n-size
	}
	return s.flush()
}

// advance goes on to the next piece, and waits until it is read.
func (s *staged) advance(ctx context.Context) error {
	before := io.ErrUnexpectedEOF // why no piece comes
	if s.piece != nil {
		if s.piece.err != nil {
			before = s.piece.err
		}
		s.spent = append(s.spent, s.piece)
		s.piece = nil
	}
	if len(s.spent) >= mostSpent || len(s.pieces) == 0 { // whose stages may be what is waited for
		if err := s.flush(); err != nil {
			return err
		}
	}
	select {
	case p, ok := <-s.pieces:
		if !ok {
			return before
		}
		s.piece, s.next = p, p.at+p.size
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-s.piece.read:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// flush submits the copies, and asks for the stages of those pieces that nothing more is wanted of.
func (s *staged) flush() error {
	if len(s.rec.tape) > 0 {
		if err := s.device.Submit(&s.rec); err != nil {
			return err
		}
		s.rec.Reset()
	}
	for _, p := range s.spent {
		if p.given {
			if err := p.ask(); err != nil {
				return err
			}
		}
		s.used <- p.stage
	}
	s.spent = s.spent[:0]
	return nil
}
