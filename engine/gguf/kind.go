package gguf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// KindError says that a file is of another kind than GGUF version 2 or 3: what it is and what to do about it. Nothing
// tells that it is damaged.
type KindError struct {
	Kind   string // such as "an HTML page"
	Advice string
}

// Error gives kind and advice in one line.
func (e *KindError) Error() string {
	return fmt.Sprintf("the file is %s, not a GGUF file that runs here: %s", e.Kind, e.Advice)
}

// magic is what a GGUF file begins with.
const magic = "GGUF"

// kindBytes is how much of a text its kind is told from.
const kindBytes = 512

const (
	unpack  = "unpack it first"
	convert = "convert it to GGUF first (llama.cpp's convert_hf_to_gguf.py), or look for a GGUF file of the same model"
	link    = "it may be a page about the model; download the file itself, by its own address"
)

// magics are what files of other kinds begin with.
var magics = []struct {
	at                  int
	bytes, kind, advice string
}{
	{0, "\x1f\x8b", "compressed with gzip", unpack + " (gunzip), or have the server send it as it is"},
	{0, "\x28\xb5\x2f\xfd", "compressed with zstd", unpack},
	{0, "\xfd7zXZ\x00", "compressed with xz", unpack},
	{0, "BZh", "compressed with bzip2", unpack},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive", unpack},
	{0, "Rar!\x1a\x07", "a RAR archive", unpack},
	{0, "PK\x03\x04", "a zip archive, as PyTorch checkpoints are", "a zip archive must be unpacked, a checkpoint converted to GGUF (llama.cpp's convert_hf_to_gguf.py)"},
	{0, "PK\x05\x06", "an empty zip archive", "look for the model's GGUF file"},
	{257, "ustar", "a tar archive", unpack},
	{0, "lmgg", "a ggml model from before GGUF", convert},
	{0, "fmgg", "a ggmf model from before GGUF", convert},
	{0, "tjgg", "a ggjt model from before GGUF", convert},
	{0, "algg", "a ggla adapter from before GGUF", "look for a model's GGUF file"},
	{0, "nsgg", "a saved session of llama.cpp", "name the model's GGUF file instead"},
	{0, "QuireKV\n", "a conversation that Quire saved", "name the model's GGUF file instead"},
	{0, "\x89HDF\r\n\x1a\n", "an HDF5 file", convert},
	{0, "\x93NUMPY", "a NumPy array", convert},
	{4, "TFL3", "a TensorFlow Lite model", convert},
	{0, "%PDF-", "a PDF document", "look for the model's GGUF file"},
	{0, "\x7fELF", "a program", "look for the model's GGUF file"},
	{0, "version https://git-lfs.github.com/", "a Git LFS pointer, which stands for the file in a repository", "fetch the file itself (git lfs pull)"},
}

// kindOf tells what a file that does not begin as GGUF does is, from its first bytes; nil where they tell nothing.
func kindOf(start []byte) *KindError {
	for _, m := range magics {
		if len(start) >= m.at && bytes.HasPrefix(start[m.at:], []byte(m.bytes)) {
			return &KindError{m.kind, m.advice}
		}
	}
	switch {
	// Pickle's protocols 2 to 5 begin with PROTO and end with a full stop.
	case len(start) > 2 && start[0] == 0x80 && start[1] >= 2 && start[1] <= 5:
		return &KindError{"a pickle, as old PyTorch checkpoints are", convert}
	case isSafetensors(start):
		return &KindError{"a safetensors file", convert}
	}
	return textKind(start)
}

// isSafetensors looks for the length of a JSON header and its first brace.
func isSafetensors(start []byte) bool {
	if len(start) < 10 || start[8] != '{' {
		return false
	}
	n := binary.LittleEndian.Uint64(start)
	return n >= 2 && n < 1<<40
}

// readVersion reads what a file begins with, and says what it is where that is not GGUF version 2 or 3.
func (f *File) readVersion(in *reader) error {
	if in.size == 0 {
		return in.fail("the file is empty")
	}
	if err := in.fill(); err != nil {
		return err
	}
	start := in.piece
	switch {
	case bytes.HasPrefix(start, []byte(magic)):
	case bytes.HasPrefix(start, []byte("FUGG")):
		return bigEndian
	case len(start) < len(magic) && bytes.HasPrefix([]byte(magic), start):
		return in.fail("file ends after %d of %d bytes", len(start), len(magic))
	default:
		if kind := kindOf(start); kind != nil {
			return kind
		}
		return in.fail("not a GGUF file (begins with the bytes %x)", start[:min(len(start), 8)])
	}
	in.at = len(magic)
	in.field = "version"
	var err error
	if f.Version, err = in.uint32(); err != nil {
		return err
	}
	swapped := bits.ReverseBytes32(f.Version)
	switch {
	case f.Version == 2 || f.Version == 3:
		return nil
	case f.Version == 1:
		return &KindError{"GGUF version 1, of August 2023", "look for a newer file of the same model; versions 2 and 3 run"}
	case swapped > 0 && swapped < 1<<16:
		return bigEndian
	case f.Version > 3 && f.Version < 1<<16:
		return &KindError{fmt.Sprintf("GGUF version %d", f.Version), "it is newer than this version of Quire, which runs 2 and 3"}
	}
	return &FormatError{Offset: 4, Field: "version", Reason: fmt.Sprintf("is %d; there are 2 and 3", f.Version)}
}

var bigEndian = &KindError{"a big-endian GGUF file, made for machines such as s390x",
	"look for the usual little-endian file, or convert it (gguf-convert-endian of the Python package gguf)"}
