package pull

import (
	"maps"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/hubtest"
)

func endpoint(t testing.TB, text string) Endpoint {
	u, err := url.Parse(text)
	require.NoError(t, err)
	return Endpoint{base: u}
}

func TestNames(t *testing.T) {
	e := endpoint(t, hubtest.Mirror)
	for _, tt := range hubtest.Names {
		n, named, err := Parse(tt.Text, e)
		require.NoError(t, err, tt.Text)
		require.True(t, named, tt.Text)
		want := Name{Repo: tt.Repo, Revision: tt.Revision, Quant: tt.Quant, File: tt.File}
		if IsAddress(tt.Text) {
			want.URL = tt.Text
		}
		assert.Equal(t, want, n, tt.Text)
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
	refused := map[string]string{
		"https://": "not a whole address",
		"https://hf.co/o/r/blob/main/%2e%2e/%2e%2e/a.gguf": "is refused",
	}
	maps.Copy(refused, hubtest.Refused)
	for text, says := range refused {
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
