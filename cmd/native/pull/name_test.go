package pull

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func endpoint(t testing.TB, text string) Endpoint {
	u, err := url.Parse(text)
	require.NoError(t, err)
	return Endpoint{base: u}
}

func TestNames(t *testing.T) {
	e := endpoint(t, "https://mirror.example/hub")
	tests := []struct {
		text string
		want Name
	}{
		{"hf:o/r", Name{Repo: "o/r", Revision: "main"}},
		{"HF:o/r:q8_0", Name{Repo: "o/r", Revision: "main", Quant: "q8_0"}},
		{"hf://o/r:latest", Name{Repo: "o/r", Revision: "main"}},
		{"hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M", Name{Repo: "bartowski/Llama-3.2-1B-Instruct-GGUF", Revision: "main", Quant: "Q4_K_M"}},
		{"huggingface.co/o/r", Name{Repo: "o/r", Revision: "main"}},
		{"hf:o/r/sub/a.gguf", Name{Repo: "o/r", Revision: "main", File: "sub/a.gguf"}},
		{"hf:o/r:a.Q8_0.gguf", Name{Repo: "o/r", Revision: "main", File: "a.Q8_0.gguf"}},
		{"hf:o/r@v1.0:Q8_0", Name{Repo: "o/r", Revision: "v1.0", Quant: "Q8_0"}},
		{"hf:o/r@refs/pr/3/a.gguf", Name{Repo: "o/r", Revision: "refs/pr/3", File: "a.gguf"}},
		{"hf:o/r@feature%2Fnew", Name{Repo: "o/r", Revision: "feature/new"}},
		{"https://huggingface.co/o/r/resolve/main/sub/a%20b.gguf?download=true", Name{Repo: "o/r", Revision: "main", File: "sub/a b.gguf"}},
		{"https://hf.co/o/r/blob/v2/a.gguf", Name{Repo: "o/r", Revision: "v2", File: "a.gguf"}},
		{"https://mirror.example/hub/o/r/tree/v2", Name{Repo: "o/r", Revision: "v2"}},
		{"https://huggingface.co/o/r", Name{Repo: "o/r", Revision: "main"}},
		{"https://huggingface.co/datasets/o/r/resolve/main/a.gguf", Name{}},
		{"https://example.org/o/r/resolve/main/a.gguf", Name{}},
		{"http://huggingface.co/o/r", Name{}},
	}
	for _, tt := range tests {
		n, named, err := Parse(tt.text, e)
		require.NoError(t, err, tt.text)
		require.True(t, named, tt.text)
		if IsAddress(tt.text) {
			tt.want.URL = tt.text
		}
		assert.Equal(t, tt.want, n, tt.text)
	}
	for _, path := range []string{"model.gguf", "./hf:o/r", "C:\\hf\\model.gguf", "ftp://o/r", "hfo/r", ""} {
		_, named, err := Parse(path, e)
		assert.False(t, named, path)
		assert.NoError(t, err, path)
		assert.False(t, IsName(path), path)
	}
}

func TestNamesAreWrittenAsTheyAreRead(t *testing.T) {
	for _, text := range []string{"hf:o/r", "hf:o/r:Q8_0", "hf:o/r/sub/a.gguf", "hf:o/r@v1:Q8_0", "hf:o/r@feature%2Fnew/a.gguf", "https://example.org/a.gguf?b=c"} {
		n, _, err := Parse(text, Endpoint{})
		require.NoError(t, err)
		assert.Equal(t, text, n.String())
	}
}

func TestNamesTellNoPassword(t *testing.T) {
	n, _, err := Parse("https://me:secret@example.org/a.gguf", Endpoint{})
	require.NoError(t, err)
	assert.Equal(t, "https://me:xxxxx@example.org/a.gguf", n.String())
}

func TestNamesThatAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		"hf:":                  "not a whole name",
		"hf:gpt2":              "not a whole name",
		"hf:o/":                "not a whole name",
		"hf:o/r:":              "not a whole name",
		"hf:o/r/":              "not a whole name",
		"hf:o/r/a.gguf:Q8_0":   "a file and a quantization",
		"hf:../r":              "no repository can be called",
		"hf:o/..":              "no repository can be called",
		"hf:o/a..b":            "no repository can be called",
		"hf:o/r r":             "no repository can be called",
		"hf:o/r/../../a.gguf":  "is refused",
		"hf:o/r//a.gguf":       "is refused",
		"hf:o/r/sub\\a.gguf":   "is refused",
		"hf:o/r/./a.gguf":      "is refused",
		"hf:o/r@..":            "no revision can be called",
		"hf:o/r@..%2F..%2Fx":   "no revision can be called",
		"hf:o/r@a%5Cb":         "no revision can be called",
		"hf:o/r/a.safetensors": "is no .gguf file",
		"https://":             "not a whole address",
		"https://hf.co/o/r/blob/main/%2e%2e/%2e%2e/a.gguf": "is refused",
	} {
		_, named, err := Parse(text, endpoint(t, usualEndpoint))
		assert.True(t, named, text)
		var wrong *Error
		require.ErrorAs(t, err, &wrong, text)
		assert.Contains(t, wrong.Error(), says, text)
		assert.NotEmpty(t, wrong.Advice(), text)
	}
}

// Whatever a name is, what it is kept as lies in the cache.
func FuzzName(f *testing.F) {
	for _, text := range []string{"hf:o/r@v1:Q8_0", "hf:o/r/sub/a-00001-of-00002.gguf", "https://me:x@example.org:80/a/../b.gguf?c#d", "https://huggingface.co/o/r/resolve/main/a.gguf", "hf.co/o/r:a.gguf", "https://h/%2e%2e/", "hf:o/r@refs/pr/1"} {
		f.Add(text)
	}
	c := &Cache{"/cache"}
	e := endpoint(f, usualEndpoint)
	f.Fuzz(func(t *testing.T, text string) {
		n, named, err := Parse(text, e)
		if err != nil || !named {
			return
		}
		place := c.place(n)
		inside := func(path string) {
			require.True(t, strings.HasPrefix(path, "/cache/"), path)
			require.Equal(t, filepath.Clean(path), path)
		}
		inside(place)
		if n.Repo == "" || n.File != "" {
			file := filepath.Join(place, filepath.FromSlash(fileOf(n)))
			inside(file)
			require.True(t, strings.HasPrefix(file, place+"/"), file)
		}
		if n.URL == "" {
			again, _, err := Parse(n.String(), e)
			require.NoError(t, err)
			require.Equal(t, n, again)
		}
	})
}
