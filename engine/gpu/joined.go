package gpu

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Piece is a part of a source, and where it lies in a joined one.
type Piece struct {
	Source
	At, From, Bytes int64
}

// JoinedSource is one source made of a beginning and pieces of others, which do not overlap; what lies between is zeros. It closes
// them.
func JoinedSource(head []byte, pieces []Piece, size int64) Source {
	return &joinedSource{head, pieces, size}
}

type joinedSource struct {
	head   []byte
	pieces []Piece
	size   int64
}

func (s *joinedSource) Size() int64 { return s.size }

func (s *joinedSource) Close() error {
	var errs []error
	for _, p := range s.pieces {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// Verify is of Verifier.
func (s *joinedSource) Verify(ctx context.Context) error {
	for _, p := range s.pieces {
		if v, ok := p.Source.(Verifier); ok {
			if err := v.Verify(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *joinedSource) ReadAt(b []byte, at int64) (int, error) {
	if at < 0 || at >= s.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), s.size-at))
	clear(b[:n])
	if at < int64(len(s.head)) {
		copy(b[:n], s.head[at:])
	}
	for _, p := range s.pieces {
		from, to := max(at, p.At), min(at+int64(n), p.At+p.Bytes)
		if from >= to {
			continue
		}
		if got, err := p.ReadAt(b[from-at:to-at], p.From+from-p.At); got < int(to-from) {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return int(from - at), err
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (s *joinedSource) Upload(ctx context.Context, target *Buffer, targetOffset uint64, offset, n int64) error {
	for _, p := range s.pieces {
		if offset >= p.At && offset+n <= p.At+p.Bytes {
			return p.Upload(ctx, target, targetOffset, p.From+offset-p.At, n)
		}
	}
	return fmt.Errorf("gpu: source: %d bytes at %d lie in no file, or in two", n, offset)
}
