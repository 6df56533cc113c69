package gpu

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"quire/engine/sha256"
)

// Summed says which sums of a file's bytes are wanted: of each Part bytes of those that are asked for. More of a size will be asked for
// behind them, up to End.
type Summed struct{ Part, End int64 }

// summer is a Source that sums what it moves by means of its own.
type summer interface {
	uploadSummed(ctx context.Context, target *Buffer, offset, n int64, s Summed) ([]byte, error)
}

// UploadSummed copies n bytes of a source at an offset to the beginning of target, and gives the SHA-256 of each part of them. Offsets
// and sizes are of whole words. It returns before the GPU has them, in queue order.
func UploadSummed(ctx context.Context, from Source, target *Buffer, offset, n int64, s Summed) ([]byte, error) {
	if own, ok := from.(summer); ok {
		return own.uploadSummed(ctx, target, offset, n, s)
	}
	count := (n + s.Part - 1) / s.Part
	sums := make([]byte, count*sha256.Size)
	errs := make([]error, min(count, summers))
	var next atomic.Int64
	var readers sync.WaitGroup
	for i := range errs {
		readers.Go(func() {
			data := make([]byte, min(s.Part, n))
			for part := next.Add(1) - 1; part < count && errs[i] == nil; part = next.Add(1) - 1 {
				at := part * s.Part
				piece := data[:min(s.Part, n-at)]
				if got, err := from.ReadAt(piece, offset+at); got < len(piece) {
					if errs[i] = err; err == nil || err == io.EOF {
						errs[i] = io.ErrUnexpectedEOF
					}
					return
				}
				sum := sha256.Sum256(piece)
				copy(sums[part*sha256.Size:], sum[:])
				if errs[i] = ctx.Err(); errs[i] == nil {
					errs[i] = target.Upload(uint64(at), piece)
				}
			}
		})
	}
	readers.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// RunWriter is a writer that takes what lies on the GPU without this program's memory.
type RunWriter interface {
	io.Writer

	// WriteReadback writes what submitted copies leave in a readback that is not mapped. The readback is free when it returns, the rest may
	// go on.
	WriteReadback(ctx context.Context, back *Readback, part int64) error

	// Sums gives the SHA-256 of each part of each readback.
	Sums(ctx context.Context) ([]byte, error)
}
