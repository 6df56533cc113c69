package gguf

import "fmt"

// FormatError says where a file breaks the GGUF format.
type FormatError struct {
	Offset int64  // bytes from the start of the file
	Field  string // the header field, metadata key or tensor that is wrong
	Reason string
}

// Error gives offset, field and reason in one line.
func (e *FormatError) Error() string {
	return fmt.Sprintf("gguf: at byte %d: %s: %s", e.Offset, e.Field, e.Reason)
}

// MetadataError says why the value under a key cannot be used as the caller wants it.
type MetadataError struct {
	Key    string
	Reason string
}

// Error names the key and the reason.
func (e *MetadataError) Error() string {
	return fmt.Sprintf("gguf: metadata %q: %s", e.Key, e.Reason)
}
