package pull

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/cmd/native/remote"
	"quire/tests/hubtest"
)

// library is a cache of three models, last used one, two and three days ago.
func library(t *testing.T) (*Puller, *hubtest.Server) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"m-Q4_K_M.gguf": small, "m-Q8_0.gguf": content(4, 2000), "big.gguf": large}})
	s.Put("o/other", hubtest.Repo{Files: map[string][]byte{"a.gguf": content(5, 3000)}})
	alone(t, s)
	p := puller(t, Options{Connections: 1})
	for i, text := range []string{"hf:o/r", "hf:o/r:Q8_0", "hf:o/other"} {
		m := pulled(t, p, text)
		used := time.Now().Add(-time.Duration(i+1) * 24 * time.Hour)
		require.NoError(t, os.Chtimes(m.record, used, used))
	}
	return p, s
}

func shortNames(c *Cache) (all []string) {
	for _, m := range c.List() {
		all = append(all, m.ShortName())
	}
	return all
}

func TestList(t *testing.T) {
	p, _ := library(t)
	assert.Equal(t, []string{"hf:o/r:Q4_K_M", "hf:o/r:Q8_0", "hf:o/other/a.gguf"}, shortNames(p.Cache))
	p.Find(name(t, p, "hf:o/other"))
	assert.Equal(t, []string{"hf:o/other/a.gguf", "hf:o/r:Q4_K_M", "hf:o/r:Q8_0"}, shortNames(p.Cache), "the last used first")
	m := p.Cache.Find(name(t, p, "hf:o/r"))
	assert.Equal(t, []string{"hf:o/r/m-Q4_K_M.gguf", "hf:o/r", "hf:o/r:Q4_K_M"}, m.Names())
	require.NoError(t, os.Truncate(m.Path(), 5))
	assert.Equal(t, []string{"hf:o/other/a.gguf", "hf:o/r:Q8_0"}, shortNames(p.Cache), "what is not whole is no model")
}

func TestRemove(t *testing.T) {
	p, _ := library(t)
	removed := func(text string, dry bool) []Removed {
		t.Helper()
		out, err := p.Cache.Remove(name(t, p, text), dry)
		require.NoError(t, err)
		return out
	}
	want := []Removed{{"hf:o/r/m-Q8_0.gguf", 2000}}
	assert.Equal(t, want, removed("hf:o/r:q8_0", true))
	assert.Len(t, p.Cache.List(), 3)
	assert.Equal(t, want, removed("hf:o/r/m-Q8_0.gguf", false))
	_, err := p.Cache.Remove(name(t, p, "hf:o/r:Q8_0"), false)
	assert.ErrorContains(t, err, "no such model")
	assert.Equal(t, []Removed{{"hf:o/r/m-Q4_K_M.gguf", 1000}}, removed("hf:o/r", false))
	removed("hf:o/other", false)
	entries, err := os.ReadDir(p.Cache.Folder())
	require.NoError(t, err)
	assert.Len(t, entries, 1, "locks alone are left")
}

// A repository's name that could mean several models removes none.
func TestRemoveOneOfSeveral(t *testing.T) {
	p, s := library(t)
	pulled(t, p, "hf:o/r/big.gguf")
	s.Put("o/two", hubtest.Repo{Files: map[string][]byte{"a-Q8_0.gguf": small, "a-Q4_0.gguf": small}})
	pulled(t, p, "hf:o/two:Q8_0")
	pulled(t, p, "hf:o/two/a-Q4_0.gguf")
	var wrong *Error
	_, err := p.Cache.Remove(name(t, p, "hf:o/two"), false)
	require.ErrorAs(t, err, &wrong)
	assert.Contains(t, wrong.Hint, "hf:o/two:Q8_0")
	assert.Contains(t, wrong.Hint, "hf:o/two/a-Q4_0.gguf")
	_, err = p.Cache.Remove(name(t, p, "hf:o/two:Q4_0"), false)
	require.NoError(t, err)
}

func TestModelInWorkIsKept(t *testing.T) {
	p, _ := library(t)
	n := name(t, p, "hf:o/r")
	unlock, ok := p.Cache.tryLock(p.Cache.Find(n).Path())
	require.True(t, ok)
	_, err := p.Cache.Remove(n, false)
	assert.ErrorContains(t, err, "just being pulled")
	unlock()
	_, err = p.Cache.Remove(n, false)
	assert.NoError(t, err)
}

func TestPrune(t *testing.T) {
	for _, tt := range []struct {
		name  string
		prune Prune
		want  []string
	}{
		{"nothing", Prune{Keep: -1}, []string{"hf:o/r:Q4_K_M", "hf:o/r:Q8_0", "hf:o/other/a.gguf"}},
		{"by age", Prune{Older: 36 * time.Hour, Keep: -1}, []string{"hf:o/r:Q4_K_M"}},
		{"by size", Prune{Keep: 3000}, []string{"hf:o/r:Q4_K_M", "hf:o/r:Q8_0"}},
		{"all", Prune{Keep: 0}, nil},
		{"only said", Prune{Keep: 0, Dry: true}, []string{"hf:o/r:Q4_K_M", "hf:o/r:Q8_0", "hf:o/other/a.gguf"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := library(t)
			out, err := p.Cache.Prune(tt.prune)
			require.NoError(t, err)
			assert.Equal(t, tt.want, shortNames(p.Cache))
			if !tt.prune.Dry {
				assert.Len(t, out, 3-len(tt.want))
			} else {
				assert.Len(t, out, 3)
			}
		})
	}
}

func TestPruneWhatBrokenPullsLeft(t *testing.T) {
	p, s := library(t)
	s.Fault = hubtest.Cut(6 << 17)
	p.options.Network = remote.Options{Attempts: 1}
	refused(t, p, "hf:o/r/big.gguf")
	require.Len(t, p.Cache.Rests(), 1)
	stray := filepath.Join(p.Cache.Folder(), "hf", "o", "r", "main", "stray.gguf")
	require.NoError(t, os.WriteFile(stray, small, 0o600))

	// Not while somebody is at it.
	unlock, ok := p.Cache.tryLock(filepath.Join(p.Cache.Folder(), "hf", "o", "r", "main", "big.gguf"))
	require.True(t, ok)
	out, err := p.Cache.Prune(Prune{Keep: -1})
	require.NoError(t, err)
	require.Len(t, out, 1)
	assert.Equal(t, "stray.gguf", out[0].Name)
	assert.NoFileExists(t, stray)
	unlock()
	out, err = p.Cache.Prune(Prune{Keep: -1})
	require.NoError(t, err)
	require.Len(t, out, 1)
	assert.Equal(t, "hf:o/r/big.gguf", out[0].Name)
	assert.Empty(t, left(t, p.Cache))
	assert.Len(t, p.Cache.List(), 3)
}

// What a broken pull has left goes by the names that would have pulled it, where they mean one model.
func TestRemoveWhatABrokenPullLeft(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"m-Q4_K_M.gguf": large, "m-Q8_0.gguf": large}})
	s.Fault = hubtest.Cut(6 << 17)
	alone(t, s)
	p := puller(t, Options{Connections: 1, Network: remote.Options{Attempts: 1}})
	for _, text := range []string{"hf:o/r", "hf:o/r:Q4_K_M", "hf:o/r/m-Q4_K_M.gguf"} {
		refused(t, p, "hf:o/r")
		require.Len(t, p.Cache.Rests(), 1)
		_, err := p.Cache.Remove(name(t, p, "hf:o/r:Q8_0"), false)
		require.Error(t, err)
		_, err = p.Cache.Remove(name(t, p, text), false)
		require.NoError(t, err, text)
		assert.Empty(t, p.Cache.Rests(), text)
	}
	refused(t, p, "hf:o/r")
	refused(t, p, "hf:o/r:Q8_0")
	_, err := p.Cache.Remove(name(t, p, "hf:o/r"), false)
	require.Error(t, err, "it may mean either")
	assert.Len(t, p.Cache.Rests(), 2)
}

// What lies in the cache's folder, and was not pulled, stays.
func TestPruneLeavesOtherFiles(t *testing.T) {
	p, _ := library(t)
	var own []string
	for _, name := range []string{"mine.gguf", "mine.gguf.partial", filepath.Join("hf-mine", "a.gguf")} {
		own = append(own, filepath.Join(p.Cache.Folder(), name))
		require.NoError(t, os.MkdirAll(filepath.Dir(own[len(own)-1]), 0o755))
		require.NoError(t, os.WriteFile(own[len(own)-1], small, 0o600))
	}
	assert.Empty(t, p.Cache.Rests())
	_, err := p.Cache.Prune(Prune{Keep: 0})
	require.NoError(t, err)
	for _, path := range own {
		assert.FileExists(t, path)
	}
}

// The cache may be a link to a folder elsewhere.
func TestCacheBehindALink(t *testing.T) {
	p, _ := library(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(p.Cache.Folder(), link); err != nil {
		t.Skip(err)
	}
	assert.Len(t, (&Cache{link}).List(), 3)
}

func TestWhereTheCacheIs(t *testing.T) {
	t.Setenv("QUIRE_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "/somewhere")
	t.Setenv("HOME", "/home/me")
	c, err := OpenCache()
	require.NoError(t, err)
	assert.Equal(t, filepath.FromSlash("/somewhere/quire/models"), c.Folder())
	t.Setenv("XDG_CACHE_HOME", "relative")
	c, err = OpenCache()
	require.NoError(t, err)
	if runtime.GOOS == "linux" {
		assert.Equal(t, "/home/me/.cache/quire/models", c.Folder(), "a relative one counts as none")
	}
	t.Setenv("QUIRE_CACHE", "/else/models")
	c, err = OpenCache()
	require.NoError(t, err)
	assert.Equal(t, filepath.FromSlash("/else/models"), c.Folder())
}
