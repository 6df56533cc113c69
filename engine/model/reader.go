package model

import (
	"fmt"
	"slices"

	"quire/engine/gguf"
)

// reader reads an architecture's keys, ticks them off and remembers the first error.
type reader struct {
	*ledger
	layers   int // for keys that may have a value a layer
	warnings []string
	err      error
}

// newReader begins with the architecture, which names the keys.
func newReader(f *gguf.File) (*reader, error) {
	arch, ok, err := f.Metadata.String("general.architecture")
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%w: the file names no general.architecture", ErrUnsupported)
	}
	if _, ok := architectures[arch]; !ok {
		return nil, fmt.Errorf("%w: architecture %q (%s run)", ErrUnsupported, arch, and(Architectures()))
	}
	return &reader{ledger: newLedger(f, arch)}, nil
}

func (r *reader) fail(format string, args ...any) {
	r.failed(fmt.Errorf("%w: "+format, append([]any{ErrUnsupported}, args...)...))
}

func (r *reader) failed(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) missing(key string) {
	r.fail("the file has no %s.%s", r.arch, key)
}

// need reads an integer that must be there.
func (r *reader) need(key string, low, high int) int {
	n, ok := r.read(key, low, high)
	if !ok {
		r.missing(key)
	}
	return n
}

// integer reads an integer, or gives absent.
func (r *reader) integer(key string, absent, low, high int) int {
	n, ok := r.read(key, low, high)
	if !ok {
		return absent
	}
	return n
}

func (r *reader) read(key string, low, high int) (int, bool) {
	whole := r.key(key)
	n, ok, err := r.file.Metadata.Uint32(whole)
	if err != nil {
		r.failed(err)
		return 0, false
	}
	return r.within(whole, int64(n), ok, low, high)
}

func (r *reader) within(whole string, n int64, ok bool, low, high int) (int, bool) {
	if ok && (n < int64(low) || n > int64(high)) {
		r.fail("%s is %d, not within %d to %d", whole, n, low, high)
		return 0, false
	}
	return int(n), ok
}

// perLayer reads an integer for each layer: an array, or one number for all.
func (r *reader) perLayer(key string, low, high int) ([]int, bool) {
	whole := r.key(key)
	if v, _ := r.file.Metadata.Get(whole); v.Type != gguf.Array {
		n, ok := r.read(key, low, high)
		return slices.Repeat([]int{n}, r.layers), ok
	}
	values, _, err := r.file.Metadata.Int32s(whole)
	switch {
	case err != nil:
		r.failed(err)
	case len(values) != r.layers:
		r.fail("%s has %d values for %d layers", whole, len(values), r.layers)
	}
	each := make([]int, r.layers)
	for i := range min(len(values), r.layers) {
		each[i], _ = r.within(fmt.Sprintf("%s of layer %d", whole, i), int64(values[i]), true, low, high)
	}
	return each, true
}

func (r *reader) needPerLayer(key string, low, high int) []int {
	each, ok := r.perLayer(key, low, high)
	if !ok {
		r.missing(key)
	}
	return each
}

func (r *reader) readFloat(key string) (float64, bool) {
	x, ok, err := r.file.Metadata.Float32(r.key(key))
	if err != nil {
		r.failed(err)
	}
	return float64(x), ok
}

func (r *reader) float(key string, absent float64) float64 {
	x, ok := r.readFloat(key)
	if !ok {
		return absent
	}
	return x
}

func (r *reader) boolean(key string, absent bool) bool {
	v, ok, err := r.file.Metadata.Bool(r.key(key))
	if err != nil {
		r.failed(err)
	}
	if !ok {
		return absent
	}
	return v
}

func (r *reader) needFloat(key string) float64 {
	x, ok := r.readFloat(key)
	if !ok {
		r.missing(key)
	}
	return x
}
