package pull

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/cmd/native/remote"
	"quire/tests/hubtest"
)

// A pull goes on where another ended, and asks for nothing twice.
func TestGoingOn(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": large}})
	alone(t, s)
	for _, connections := range []int{1, 3} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			t.Setenv("QUIRE_CACHE", t.TempDir())
			gate := hubtest.NewGate(6 << 17)
			s.Fault = gate.Fault
			ctx, stop := context.WithCancel(context.Background())
			arrived := make(chan struct{})
			var once sync.Once
			p := puller(t, Options{Connections: connections, Told: func(e Event) {
				if e.Stage == Loading && e.Done >= 6<<17 {
					once.Do(func() { close(arrived) })
				}
			}})
			go func() { <-arrived; stop() }()
			_, err := p.Pull(ctx, name(t, p, "hf:o/r"))
			require.ErrorIs(t, err, context.Canceled)
			rests := p.Cache.Rests()
			require.Len(t, rests, 1)
			assert.Equal(t, "hf:o/r/a.gguf", rests[0].Name)
			assert.EqualValues(t, 6<<17, rests[0].Done)
			assert.EqualValues(t, len(large), rests[0].Total)
			gate.Open()

			s.Requests()
			s.Fault = nil
			var first Event
			p = puller(t, Options{Connections: connections, Told: func(e Event) {
				if e.Stage == Loading && first.Stage == "" {
					first = e
				}
			}})
			holds(t, pulled(t, p, "hf:o/r").Path(), large)
			for _, r := range s.Requests() {
				var from int
				fmt.Sscanf(r.Range, "bytes=%d-", &from)
				if r.Content && r.Range != "bytes=0-" { // the first finds out what there is
					assert.GreaterOrEqual(t, from, 6<<17, r.Range)
				}
			}
			assert.Empty(t, left(t, p.Cache))
		})
	}
}

// What a file was before is of no use for what it is now.
func TestGoingOnWithAnother(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": large}})
	alone(t, s)
	p := puller(t, Options{Connections: 1, Network: remote.Options{Attempts: 1, Wait: time.Millisecond}})
	s.Fault = hubtest.Cut(6 << 17)
	assert.ErrorContains(t, refused(t, p, "hf:o/r"), "ended early")
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": other}})
	s.Fault = nil
	holds(t, pulled(t, p, "hf:o/r").Path(), other)
}

// A note that tells nonsense, or a file that is shorter than it says, begins anew.
func TestDamagedNote(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": large}})
	alone(t, s)
	p := puller(t, Options{})
	path := filepath.Join(p.Cache.place(name(t, p, "hf:o/r")), "a.gguf")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	sum := sumOf(hubtest.SHA256(large)).hex
	for _, text := range []string{
		"{", fmt.Sprintf(`{"bytes":%d,"sum":%q,"missing":[[-1,5]]}`, len(large), sum), fmt.Sprintf(`{"bytes":%d,"sum":%q,"missing":[[5,1000000000]]}`, len(large), sum),
		fmt.Sprintf(`{"bytes":%d,"sum":%q,"missing":[[10,20],[5,8]]}`, len(large), sum), fmt.Sprintf(`{"bytes":%d,"sum":%q,"missing":[[5,10]]}`, len(large), sum),
	} {
		require.NoError(t, os.WriteFile(path+partialEnd, []byte("GGUF"), 0o600))
		require.NoError(t, os.WriteFile(path+partialEnd+recordEnd, []byte(text), 0o600))
		holds(t, pulled(t, p, "hf:o/r").Path(), large)
		require.NoError(t, os.Remove(path))
	}
}

func TestFaults(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": large}})
	alone(t, s)
	for _, tt := range []struct {
		name  string
		fault func(http.ResponseWriter, *http.Request, []byte) bool
	}{
		{"cuts", hubtest.Cut(90_000)}, {"no ranges", hubtest.Whole}, {"no length", hubtest.Lengthless}, {"one connection", hubtest.One()}, {"busy", hubtest.Busy(1)},
		{"another ETag each time", hubtest.Renamed(90_000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("QUIRE_CACHE", t.TempDir())
			s.Fault = tt.fault
			p := puller(t, Options{Connections: 3, Network: remote.Options{Attempts: 8, Wait: time.Millisecond}})
			holds(t, pulled(t, p, "hf:o/r").Path(), large)
			assert.Empty(t, left(t, p.Cache))
		})
	}
}

// Pulls at the same time, of one program or several, fetch a model once.
func TestAtOnce(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": large}})
	alone(t, s)
	var all sync.WaitGroup
	for range 4 {
		p := puller(t, Options{Connections: 1})
		all.Go(func() {
			m, err := p.Open(context.Background(), Name{Repo: "o/r", Revision: mainRevision})
			if assert.NoError(t, err) {
				holds(t, m.Path(), large)
			}
		})
	}
	all.Wait()
	assert.Equal(t, 1, asked(s.Requests()))
}

func TestUpdate(t *testing.T) {
	s := hubtest.New(t)
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": large}})
	alone(t, s)
	p := puller(t, Options{})
	first := pulled(t, p, "hf:o/r")
	s.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": other}})
	m, err := p.Open(context.Background(), name(t, p, "hf:o/r"))
	require.NoError(t, err)
	holds(t, m.Path(), large) // nobody asked for a newer one
	s.Fault = hubtest.Wrong
	refused(t, p, "hf:o/r")
	holds(t, m.Path(), large)
	s.Fault = nil
	second := pulled(t, p, "hf:o/r")
	assert.Equal(t, first.Path(), second.Path())
	assert.NotEqual(t, first.Commit, second.Commit)
	holds(t, second.Path(), other)
}
