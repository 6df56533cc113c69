package gpu

import "io"

const (
	aheadPiece  = 2 << 20 // bytes that are read at once
	aheadPieces = 4       // in memory
	word        = 4
	page        = 4096 // the system copies faster to where pages begin
	head        = page // bytes before a piece
)

// readAhead reads a file forward in a goroutine, some pieces ahead of who uses them.
type readAhead struct {
	start  int64  // of what is used next
	piece  []byte // what is left of the piece at hand
	whole  []byte // its memory: room before it, and for a word behind
	err    error  // behind it
	pieces chan readPiece
	free   chan []byte
	quit   chan struct{}
}

type readPiece struct {
	whole []byte
	size  int
	err   error
}

func startReadAhead(r io.ReaderAt, from, size int64) *readAhead {
	a := &readAhead{start: from, pieces: make(chan readPiece, aheadPieces+1), free: make(chan []byte, aheadPieces+1), quit: make(chan struct{})}
	for range aheadPieces {
		a.free <- nil
	}
	go a.read(r, from, size)
	return a
}

func (a *readAhead) read(r io.ReaderAt, at, size int64) {
	defer close(a.pieces)
	for at < size {
		var whole []byte
		select {
		case whole = <-a.free:
		case <-a.quit:
			return
		}
		if whole == nil {
			whole = make([]byte, head+min(aheadPiece, size-at)+word)
		}
		want := int(min(int64(len(whole)-head-word), size-at))
		n, err := r.ReadAt(whole[head:head+want], at)
		if n == want {
			err = nil
		} else if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		at += int64(n)
		a.pieces <- readPiece{whole, n, err}
		if err != nil {
			return
		}
	}
}

// stop ends the reading, as soon as the read that goes on has ended.
func (a *readAhead) stop() {
	if a == nil {
		return
	}
	close(a.quit)
	for range a.pieces {
	}
}

// reach goes forward to an offset, if that is not far; else it reports false.
func (a *readAhead) reach(offset int64) bool {
	if a == nil || offset < a.start || offset > a.start+aheadPiece {
		return false
	}
	for a.start < offset {
		if a.fill(1) != nil {
			return false
		}
		a.use(int(min(offset-a.start, int64(len(a.piece)))))
	}
	return true
}

// next gives up to max bytes: whole words, but for the last of them, and behind that zeros to a whole one. done must be called when
// they are used.
func (a *readAhead) next(max int64) (data []byte, size int, done func(), err error) {
	if err := a.fill(min(max, word)); err != nil {
		return nil, 0, nil, err
	}
	size = len(a.piece)
	if int64(size) < max {
		size -= size % word
	} else {
		size = int(max)
	}
	padded := (size + word - 1) / word * word
	behind := a.piece[size:padded:cap(a.piece)] // which may be the file's next bytes
	var saved [word]byte
	copy(saved[:], behind)
	clear(behind)
	return a.piece[:padded], size, func() {
		copy(behind, saved[:])
		a.use(size)
	}, nil
}

// fill makes sure that there are so many bytes at hand, at most a word.
func (a *readAhead) fill(least int64) error {
	for int64(len(a.piece)) < least {
		if a.err != nil {
			return a.err
		}
		p, ok := <-a.pieces
		if !ok {
			return io.ErrUnexpectedEOF
		}
		from := head - len(a.piece)
		copy(p.whole[from:head], a.piece)
		if a.whole != nil {
			a.free <- a.whole
		}
		a.whole, a.err = p.whole, p.err
		a.piece = p.whole[from : head+p.size]
	}
	return nil
}

func (a *readAhead) use(n int) {
	a.piece = a.piece[n:]
	a.start += int64(n)
}
