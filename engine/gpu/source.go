package gpu

import (
	"context"
	"io"
)

// Source is a file that weights are read from. ReadAt serves the header; Upload moves tensor bytes to the GPU without
// passing them through the caller: in the tab from JavaScript, and natively from files, they never enter Go's memory; from
// elsewhere they come in pieces of a few MiB. Reading forward is cheap, going back may start a new request.
type Source interface {
	io.ReaderAt
	io.Closer
	Size() int64
	// Upload copies n bytes at offset into target at targetOffset (a multiple of 4); n is rounded up to a multiple of
	// 4 with zeros. It may return before the GPU has them, in queue order.
	Upload(ctx context.Context, target *Buffer, targetOffset uint64, offset, n int64) error
}

// Verifier is a Source that may have been told a wrong size: Verify reads to the file's end to find out. It is asked when a file
// makes no sense.
type Verifier interface {
	Verify(ctx context.Context) error
}

// ReaderSource is a Source over an io.ReaderAt. Uploads read on behind what they were asked for: natively several pieces at a time,
// where r gains by that, else one.
func ReaderSource(r io.ReaderAt, size int64) Source {
	return &readerSource{ReaderAt: r, size: size}
}

type readerSource struct {
	io.ReaderAt
	size     int64
	staged   *staged    // what is read in several goroutines
	unstaged *Device    // that has no room for stages
	ahead    *readAhead // what is read in one
}

func (s *readerSource) Size() int64 { return s.size }

func (s *readerSource) Close() error {
	s.staged.stop()
	s.ahead.stop()
	s.staged, s.ahead = nil, nil
	if c, ok := s.ReaderAt.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func (s *readerSource) Upload(ctx context.Context, target *Buffer, targetOffset uint64, offset, n int64) error {
	if done, err := s.uploadStaged(ctx, target, targetOffset, offset, n); done {
		return err
	}
	for n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !s.ahead.reach(offset) {
			s.ahead.stop()
			s.ahead = startReadAhead(s.ReaderAt, offset, s.size)
		}
		data, size, done, err := s.ahead.next(n)
		if err != nil {
			s.ahead.stop() // whoever asks again has it read again
			s.ahead = nil
			return err
		}
		err = target.Upload(targetOffset, data)
		done()
		if err != nil {
			return err
		}
		targetOffset, offset, n = targetOffset+uint64(size), offset+int64(size), n-int64(size)
	}
	return nil
}
