package pull

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/cmd/native/remote"
	"quire/tests/hubtest"
)

// content begins like a model and is long enough for several connections.
func content(seed byte, size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(data)
	copy(data, "GGUF")
	return data
}

var (
	large = content(1, 13<<17+5)
	other = content(2, 13<<17+5)
	small = content(3, 1000)
)

// alone has the cache and the user's settings be the test's own.
func alone(t *testing.T, s *hubtest.Server) {
	t.Helper()
	home := t.TempDir()
	for name, value := range map[string]string{
		"QUIRE_CACHE": filepath.Join(home, "models"), "XDG_CACHE_HOME": home, "HOME": home, "HF_HOME": "", "HF_ENDPOINT": s.Hub.URL, "HF_TOKEN": "",
		"HF_TOKEN_PATH": "", "HUGGING_FACE_HUB_TOKEN": "", "HF_HUB_OFFLINE": "", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "",
	} {
		t.Setenv(name, value)
	}
}

func puller(t *testing.T, o Options) *Puller {
	t.Helper()
	if o.Network.Attempts == 0 {
		o.Network = remote.Options{Attempts: 3, Wait: time.Millisecond, Idle: 5 * time.Second}
	}
	p, err := New(o)
	require.NoError(t, err)
	p.smallest = 4 << 17
	return p
}

func name(t *testing.T, p *Puller, text string) Name {
	t.Helper()
	n, named, err := p.Parse(text)
	require.NoError(t, err)
	require.True(t, named, text)
	return n
}

// pulled pulls a model that must come.
func pulled(t *testing.T, p *Puller, text string) *Model {
	t.Helper()
	m, err := p.Pull(context.Background(), name(t, p, text))
	require.NoError(t, err)
	return m
}

// refused pulls a model that must not come.
func refused(t *testing.T, p *Puller, text string) error {
	t.Helper()
	_, err := p.Pull(context.Background(), name(t, p, text))
	require.Error(t, err)
	return err
}

func holds(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), path)
}

// left are the files of a cache that are no models, records or locks.
func left(t *testing.T, c *Cache) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(c.Folder(), func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !isModelFile(path) && !isRecord(path) && filepath.Ext(path) != ".lock" {
			names = append(names, filepath.Base(path))
		}
		return err
	}))
	return names
}

// asked counts the requests for contents.
func asked(all []hubtest.Request) (requests int) {
	for _, r := range all {
		if r.Content {
			requests++
		}
	}
	return requests
}

func TestPull(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"m-Q4_K_M.gguf": large, "m-Q8_0.gguf": other}, Small: map[string][]byte{"tiny.gguf": small}})
	alone(t, s)
	p := puller(t, Options{Connections: 3})
	gate := hubtest.NewGate(1 << 17)
	var second sync.Once
	s.Fault = func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		if r.Header.Get("Range") == "bytes=0-" { // ends once another connection is there
			return gate.Fault(w, r, data)
		}
		second.Do(gate.Open)
		return false
	}
	m := pulled(t, p, "hf:o/r")
	s.Fault = nil
	assert.Equal(t, "hf:o/r/m-Q4_K_M.gguf", m.Name)
	holds(t, m.Path(), large)
	assert.Empty(t, left(t, p.Cache))
	requests := s.Requests()
	assert.Greater(t, asked(requests), 1, "several connections")

	// What is there is not fetched again, by any of its names.
	for _, text := range []string{"hf:o/r", "hf:o/r:q4_k_m", "hf:o/r/m-Q4_K_M.gguf", s.Hub.URL + "/o/r/resolve/main/m-Q4_K_M.gguf"} {
		again := pulled(t, p, text)
		assert.Equal(t, m.Path(), again.Path(), text)
		assert.Zero(t, asked(s.Requests()), text)
		found := p.Find(name(t, p, text))
		require.NotNil(t, found, text)
		assert.Equal(t, m.Path(), found.Path())
		assert.Empty(t, s.Requests(), "looking it up asks nothing")
	}
	assert.Nil(t, p.Find(name(t, p, "hf:o/r:Q8_0")))
	holds(t, pulled(t, p, "hf:o/r:q8_0").Path(), other)
	s.Requests()
	holds(t, pulled(t, p, "hf:o/r/tiny.gguf").Path(), small)
	assert.Zero(t, asked(s.Requests()), "the hub has small files itself")
}

func TestPullByAddress(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": large}})
	alone(t, s)
	address := s.Hub.URL + "/o/r/resolve/main/a.gguf"
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1")
	p := puller(t, Options{})
	m := pulled(t, p, address)
	holds(t, m.Path(), large)
	assert.Equal(t, address, m.Name)
	require.NotNil(t, p.Find(name(t, p, address)))
	assert.Nil(t, p.Find(name(t, p, address+"?x=y")))

	// An address redirected by a hub is checked, too.
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": other}})
	s.Fault = hubtest.Wrong
	assert.ErrorContains(t, refused(t, p, address), "is not the file")
	holds(t, p.Find(name(t, p, address)).Path(), large)
}

// A token goes to the hub, from wherever it comes, and to no other host.
func TestToken(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/gated", hubtest.Repo{Files: map[string][]byte{"a.gguf": large}, Gated: true})
	s.Put("o/private", hubtest.Repo{Files: map[string][]byte{"a.gguf": small}, Private: true})
	alone(t, s)
	saved := filepath.Join(os.Getenv("HOME"), "huggingface", "token")
	elsewhere := filepath.Join(t.TempDir(), "token")
	for _, tt := range []struct{ name, variable, value, file string }{
		{"in the environment", "HF_TOKEN", s.Allowed + "\n", ""},
		{"where the hub's program saves it", "", "", saved},
		{"in a file that is named", "HF_TOKEN_PATH", elsewhere, elsewhere},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("QUIRE_CACHE", t.TempDir())
			if tt.variable != "" {
				t.Setenv(tt.variable, tt.value)
			}
			if tt.file != "" {
				require.NoError(t, os.MkdirAll(filepath.Dir(tt.file), 0o755))
				require.NoError(t, os.WriteFile(tt.file, []byte(s.Allowed+"\n"), 0o600))
				defer os.Remove(tt.file)
			}
			s.Requests()
			p := puller(t, Options{})
			holds(t, pulled(t, p, "hf:o/gated").Path(), large)
			holds(t, pulled(t, p, "hf:o/private").Path(), small)
			content := 0
			for _, r := range s.Requests() {
				if r.Content {
					content++
					assert.Empty(t, r.Authorization)
				} else {
					assert.Equal(t, "Bearer "+s.Allowed, r.Authorization)
				}
			}
			assert.Positive(t, content)
		})
	}
}

func TestRefusals(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": small}})
	s.Put("o/gated", hubtest.Repo{Files: map[string][]byte{"a.gguf": small}, Gated: true})
	alone(t, s)
	tests := []struct{ name, token, text, says, hint string }{
		{"no repository", "", "hf:o/none", "no such repository", "HF_TOKEN"},
		{"no repository, with a token", s.Known, "hf:o/none", "no such repository", "the token in HF_TOKEN must be of"},
		{"no file", "", "hf:o/r/b.gguf", "no such file in the repository", "/o/r/tree/main"},
		{"no revision", "", "hf:o/r@v9", "no revision v9", "main"},
		{"gated", "", "hf:o/gated", "only to those who accept the terms", "then put a token"},
		{"gated for others", s.Known, "hf:o/gated", "the token's owner is not among them", "/o/gated"},
		{"a wrong token", "hf_old", "hf:o/r", "the hub refuses the token in HF_TOKEN", "/settings/tokens"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("HF_TOKEN", tt.token)
			var wrong *Error
			require.ErrorAs(t, refused(t, puller(t, Options{}), tt.text), &wrong)
			assert.Contains(t, wrong.Error(), tt.says)
			assert.Contains(t, wrong.Advice(), tt.hint)
			if tt.token != "" {
				assert.NotContains(t, wrong.Error()+wrong.Advice(), tt.token)
			}
		})
	}
}

// What another host than the hub refuses is told as its own.
func TestRefusalElsewhere(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": small}})
	s.Fault = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	alone(t, s)
	assert.ErrorContains(t, refused(t, puller(t, Options{}), "hf:o/r"), "HTTP 403")
}

func TestWrongSumIsRefused(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": large}, Small: map[string][]byte{"b.gguf": small}})
	s.Fault = hubtest.Wrong
	alone(t, s)
	p := puller(t, Options{})
	err := refused(t, p, "hf:o/r/a.gguf")
	assert.ErrorContains(t, err, "what came of a.gguf is not the file: its SHA-256 is ")
	assert.ErrorContains(t, err, "It was deleted")
	assert.Empty(t, left(t, p.Cache))
	assert.Empty(t, p.Cache.List())
	s.Fault = nil
	holds(t, pulled(t, p, "hf:o/r/a.gguf").Path(), large)
}

func TestNoModelIsRefusedEarly(t *testing.T) {
	s := hubtest.New(t)
	page := append([]byte("PK\x03\x04"), large...)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": page}})
	alone(t, s)
	p := puller(t, Options{})
	assert.ErrorContains(t, refused(t, p, "hf:o/r"), "GGUF")
	assert.LessOrEqual(t, asked(s.Requests()), 2)
	assert.Empty(t, left(t, p.Cache))
}

func TestSplit(t *testing.T) {
	s := hubtest.New(t)
	parts := map[string][]byte{}
	for i := range 3 {
		parts[fmt.Sprintf("Q8_0/m-Q8_0-%05d-of-00003.gguf", i+1)] = content(byte(10+i), 100_000+i)
	}
	s.Put("o/r", hubtest.Repo{Files: parts})
	alone(t, s)
	p := puller(t, Options{})
	for _, text := range []string{"hf:o/r", "hf:o/r/Q8_0/m-Q8_0-00002-of-00003.gguf", s.Hub.URL + "/o/r/resolve/main/Q8_0/m-Q8_0-00003-of-00003.gguf"} {
		m := pulled(t, p, text)
		assert.Equal(t, "hf:o/r/Q8_0/m-Q8_0-00001-of-00003.gguf", m.Name, text)
		require.Len(t, m.Files, 3)
		for _, f := range m.Files {
			holds(t, m.PathOf(f), parts[f.Path])
		}
	}
	assert.Len(t, p.Cache.List(), 1)

	// Parts that came before a pull broke off need not come again; until all are there, there is no model.
	t.Setenv("QUIRE_CACHE", t.TempDir())
	p = puller(t, Options{})
	s.Fault = func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		if len(data) != 100_002 {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	refused(t, p, "hf:o/r")
	assert.Empty(t, p.Cache.List())
	assert.Len(t, p.Cache.Rests(), 2)
	s.Fault = nil
	m := pulled(t, p, "hf:o/r")
	for _, f := range m.Files {
		holds(t, m.PathOf(f), parts[f.Path])
	}
	assert.Empty(t, p.Cache.Rests())

	delete(parts, "Q8_0/m-Q8_0-00002-of-00003.gguf")
	assert.ErrorContains(t, refused(t, p, "hf:o/r"), "number 2 of them")
}

func TestRevisions(t *testing.T) {
	s := hubtest.New(t)
	r := hubtest.Repo{Files: map[string][]byte{"a.gguf": small}, Revisions: []string{"v1", "feature/new", "refs/pr/1"}}
	s.Put("o/r", r)
	alone(t, s)
	p := puller(t, Options{})
	for _, text := range []string{"hf:o/r@v1", "hf:o/r@feature%2Fnew", "hf:o/r@refs/pr/1", "hf:o/r@" + r.Commit()} {
		holds(t, pulled(t, p, text).Path(), small)
		require.NotNil(t, p.Find(name(t, p, text)))
	}
	assert.Len(t, p.Cache.List(), 4)
	assert.Nil(t, p.Find(name(t, p, "hf:o/r")))
}

// A mirror may have the listing in pages only.
func TestListingInPages(t *testing.T) {
	s := hubtest.New(t)
	all := map[string][]byte{"z-Q4_K_M.gguf": large}
	for i := range 10 {
		all[fmt.Sprintf("a%d.txt", i)] = small
	}
	s.Put("o/r", hubtest.Repo{Files: all})
	s.NoListing = true
	alone(t, s)
	holds(t, pulled(t, puller(t, Options{}), "hf:o/r").Path(), large)
	assert.ErrorContains(t, refused(t, puller(t, Options{}), "hf:o/none"), "no such repository")
}

func TestPathsThatLeadOut(t *testing.T) {
	for _, path := range []string{"../a.gguf", "/etc/a.gguf", `..\a.gguf`, "a/../../b.gguf", `C:\a.gguf`, "a:b.gguf", "a//b.gguf", "a\x00.gguf"} {
		s := hubtest.New(t)
		s.Put("o/r", hubtest.Repo{Files: map[string][]byte{path: small}})
		alone(t, s)
		p := puller(t, Options{})
		assert.ErrorContains(t, refused(t, p, "hf:o/r"), "is refused", path)
		assert.Empty(t, left(t, &Cache{filepath.Dir(p.Cache.Folder())}), path)
	}
}

func TestRoom(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": large}})
	alone(t, s)
	p := puller(t, Options{})
	assert.Positive(t, p.room(t.TempDir()), "of the disk")
	p.room = func(string) int64 { return int64(len(large)) - 1 }
	s.Requests()
	var wrong *Error
	require.ErrorAs(t, refused(t, p, "hf:o/r"), &wrong)
	assert.Contains(t, wrong.Text, "it needs 1.6 MiB more")
	assert.Contains(t, wrong.Hint, "quire prune")
	assert.Zero(t, asked(s.Requests()), "before anything comes")
	p.room = func(string) int64 { return int64(len(large)) }
	pulled(t, p, "hf:o/r")
}

func TestWithoutANetwork(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"m-Q8_0.gguf": small, "m-Q4_K_M.gguf": large}})
	alone(t, s)
	pulled(t, puller(t, Options{}), "hf:o/r:Q8_0")
	t.Setenv("HF_HUB_OFFLINE", "1")
	s.Requests()
	p := puller(t, Options{})
	m, err := p.Open(context.Background(), name(t, p, "hf:o/r:Q8_0"))
	require.NoError(t, err)
	holds(t, m.Path(), small)
	m, err = p.Open(context.Background(), name(t, p, "hf:o/r"))
	require.NoError(t, err, "the only one that is there")
	holds(t, m.Path(), small)
	_, err = p.Open(context.Background(), name(t, p, "hf:o/r:Q4_K_M"))
	assert.ErrorContains(t, err, "not in the cache, and HF_HUB_OFFLINE is set")
	assert.Empty(t, s.Requests())

	t.Setenv("HF_HUB_OFFLINE", "")
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1")
	told := ""
	p = puller(t, Options{Told: func(e Event) {
		if e.Stage == Instead {
			told = e.Name
		}
	}})
	_, err = p.Open(context.Background(), name(t, p, "hf:o/r"))
	require.NoError(t, err)
	assert.Equal(t, "hf:o/r/m-Q8_0.gguf", told)
}

func TestEndpointThatIsNone(t *testing.T) {
	t.Setenv("HF_ENDPOINT", "mirror.example")
	_, err := New(Options{})
	assert.ErrorContains(t, err, "HF_ENDPOINT")
	assert.True(t, strings.HasPrefix(err.(*Error).Advice(), "It looks like https://"))
}
