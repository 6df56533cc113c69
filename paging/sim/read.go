package sim

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Format is a trace's file format.
type Format string

const (
	// Detect tells the formats apart by the first byte.
	Detect Format = ""
	// Azure is CSV with the header TIMESTAMP,ContextTokens,GeneratedTokens, as in the Azure LLM inference traces. The
	// columns may also be called arrival, prompt and output, stand in any order, and have others beside them. Arrivals
	// are dates with a time of day, or seconds.
	Azure Format = "azure"
	// Mooncake is JSON lines {"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [...]}, as in the
	// Mooncake traces, one hash for each 512 tokens of the prompt. hash_ids may be missing.
	Mooncake Format = "mooncake"
)

var (
	// ErrEmptyTrace says that a trace has no request.
	ErrEmptyTrace = errors.New("sim: the trace has no requests")
	// ErrPacked says that a trace is packed, and cannot be unpacked.
	ErrPacked = errors.New("sim: this is not a whole gzip file")
	// ErrFormat says that there is no such format.
	ErrFormat = errors.New("sim: a trace's format is azure or mooncake")
)

const (
	longestLine = 16 << 20 // bytes
	mostTokens  = 1 << 30  // of one request's prompt or output
)

// Read reads a trace, packed with gzip or not, in order of arrival. What is wrong with a line comes as *LineError.
func Read(r io.Reader, format Format) ([]Request, error) {
	in := bufio.NewReader(r)
	if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, unpacking(err)
		}
		in = bufio.NewReader(unpacked)
	}
	if format == Detect {
		format = Azure
		if head, _ := in.Peek(1); len(head) == 1 && head[0] == '{' {
			format = Mooncake
		}
	}
	var requests []Request
	var err error
	switch format {
	case Azure:
		requests, err = readAzure(in)
	case Mooncake:
		requests, err = readMooncake(in)
	default:
		return nil, fmt.Errorf("%w, not %q", ErrFormat, format)
	}
	if err != nil {
		return nil, unpacking(err)
	}
	if len(requests) == 0 {
		return nil, ErrEmptyTrace
	}
	return inOrder(requests), nil
}

// unpacking gives ErrPacked for what package gzip finds wrong; other errors stay as they are.
func unpacking(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt) {
		return ErrPacked
	}
	return err
}

func checkTokens(name string, n int) error {
	if n < 1 || n > mostTokens {
		return fmt.Errorf("%s is %d: it must be within 1 and %d", name, n, mostTokens)
	}
	return nil
}

// after turns a number of units into a time, if it is one.
func after(n float64, unit time.Duration) (time.Duration, error) {
	if !(n >= 0 && n*float64(unit) < math.MaxInt64/2) {
		return 0, fmt.Errorf("arrival %g is no time after the start", n)
	}
	return time.Duration(n * float64(unit)), nil
}
