// Package gguf reads and writes GGUF, the file format of ggml: typed metadata, tensor descriptions
// and tensor data. It reads the header of version 2 and 3 files as a stream and never touches the
// tensor data itself; see the GGUF specification in the ggml project's docs/gguf.md.
package gguf
