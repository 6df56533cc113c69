package engine

import (
	"context"
	"errors"

	"quire/engine/gguf"
	"quire/engine/gpu"
)

// doubt gives the source's own reason for a file that makes no sense, if it has one.
func doubt(ctx context.Context, src gpu.Source, err error) error {
	var format *gguf.FormatError
	if v, ok := src.(gpu.Verifier); ok && errors.As(err, &format) {
		if reason := v.Verify(ctx); reason != nil {
			return reason
		}
	}
	return err
}
