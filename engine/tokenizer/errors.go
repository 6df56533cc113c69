package tokenizer

import (
	"errors"
	"fmt"

	"quire/engine/gguf"
)

// ErrUnsupportedTokenizer is wrapped by errors about a tokenizer model or a pre-tokenizer that this
// package does not know. The message gives its name.
var ErrUnsupportedTokenizer = errors.New("unsupported tokenizer")

// unfit says why a vocabulary cannot be used, by the metadata key that is wrong.
func unfit(key, format string, args ...any) error {
	return fmt.Errorf("tokenizer: %w", &gguf.MetadataError{Key: key, Reason: fmt.Sprintf(format, args...)})
}
