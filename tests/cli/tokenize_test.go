//go:build !js

package cli

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/tests/testdata"
)

const text = "Once upon a time,\n\tthere  was a fox: é 漢 🦊<|end|>\r\n"

// path finds a file among the test data.
func path(t *testing.T, name string) string {
	t.Helper()
	f, _ := testdata.Open(t, name)
	require.NoError(t, f.Close())
	path, err := testdata.Path(name)
	require.NoError(t, err)
	return path
}

func TestTokenizeRoundTrips(t *testing.T) {
	ids := quireWith(t, text, "tokenize").ok(t)
	assert.Regexp(t, `^\d+( \d+)*\n$`, ids.stdout)
	assert.Empty(t, ids.stderr)
	assert.Equal(t, text, quireWith(t, ids.stdout, "detokenize").ok(t).stdout)

	asJSON := quireWith(t, text, "tokenize", "--json").ok(t).stdout
	assert.Regexp(t, `^\{"ids":\[\d+(,\d+)*\]\}\n$`, asJSON)
	assert.Equal(t, text, quireWith(t, asJSON, "detokenize").ok(t).stdout)
}

func TestTokenizeSpecial(t *testing.T) {
	count := func(args ...string) int {
		var got struct{ IDs []int32 }
		require.NoError(t, json.Unmarshal([]byte(quireWith(t, "<|end|>", append(args, "--json")...).ok(t).stdout), &got))
		return len(got.IDs)
	}
	assert.Greater(t, count("tokenize"), 1)
	assert.Equal(t, 1, count("tokenize", "--special"))
	assert.Equal(t, "3\n", quireWith(t, "<|end|>", "tokenize", "--special").ok(t).stdout)
	assert.Equal(t, "", quireWith(t, "3", "detokenize").ok(t).stdout)
	assert.Equal(t, "<|end|>", quireWith(t, "3", "detokenize", "--special").ok(t).stdout)
}

func TestTokenizeNothing(t *testing.T) {
	assert.Equal(t, "\n", quire(t, "tokenize").ok(t).stdout)
	assert.Equal(t, "{\"ids\":[]}\n", quire(t, "tokenize", "--json").ok(t).stdout)
	assert.Equal(t, "", quire(t, "detokenize").ok(t).stdout)
}

// vocabularyAlone makes a file of a tokenizer without tensors, a token a byte.
func vocabularyAlone(t *testing.T) string {
	t.Helper()
	src, size := testdata.Open(t, "models/tiny-tales.gguf")
	defer src.Close()
	model, err := gguf.Read(src, size)
	require.NoError(t, err)
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	w.Metadata = model.Metadata
	require.NoError(t, w.WriteHeader())
	return file(t, "vocabulary.gguf", out.Bytes())
}

func TestTokenizeWorksOnAVocabularyAlone(t *testing.T) {
	vocabulary := vocabularyAlone(t)
	ids := quireWith(t, "Hello", "tokenize", "-m", vocabulary).ok(t).stdout
	assert.Equal(t, "72 101 108 108 111\n", ids)
	assert.Equal(t, "Hello", quireWith(t, ids, "detokenize", "-m", vocabulary).ok(t).stdout)
}

func TestDetokenizeRefuses(t *testing.T) {
	tests := []struct{ name, stdin, says string }{
		{"a word", "1 two 3", `"two" is no token id`},
		{"an id past the vocabulary", "1 4096", "id 2, 4096, is not within the vocabulary of 4096 tokens"},
		{"a negative id", "-1", "id 1, -1,"},
		{"an object without ids", `{}`, `no "ids"`},
		{"a field that is not known", `{"tokens":[1]}`, `unknown field "tokens"`},
		{"broken JSON", `[1,`, "the JSON ends too early"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := quireWith(t, tt.stdin, "detokenize")
			assert.Equal(t, 1, r.code)
			assert.Empty(t, r.stdout)
			assert.Contains(t, r.stderr, tt.says)
		})
	}
}
