package tokenizer

import (
	"strings"
	"testing"

	"quire/tests/testdata"
)

func BenchmarkEncode(b *testing.B) {
	for _, name := range []string{fileSmol, fileStories, "tokenizers/ggml-vocab-falcon.gguf"} {
		b.Run(name, func(b *testing.B) {
			tok := open(b, name)
			text := string(testdata.Bytes(b, "tokenizers/ggml-vocab-gpt-2.gguf.inp"))
			text = strings.Repeat(text, 1<<20/len(text)+1)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				tok.Encode(text, EncodeOptions{Special: true})
			}
		})
	}
}
