//go:build !js

package browser

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// Who closes a file that is still being opened leaves nothing behind: no download, and no lock that the next would wait for.
func TestKeptIsLeftWhileItOpens(t *testing.T) {
	data := file(6<<20, 11)
	s := keeping(t, nil)
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	for leave, fault := range map[string]func(http.ResponseWriter, *http.Request, []byte) bool{"0": nil, "'asked'": s.untilLeft} {
		for _, keep := range []string{"true", "false"} {
			path := fmt.Sprintf("/models/%s-%s.gguf", strings.Trim(leave, "'"), keep)
			s.put(path, data)
			s.set(fault)
			r := get[reading](p, `read('`+path+`', {leave: `+leave+`, keep: `+keep+`})`)
			assert.Empty(t, r.Error, path)
			assert.Empty(t, r.Locks, "%s: locks that are still held", path)
			assert.LessOrEqual(t, s.counted(path), 1, "%s: nobody wants it", path)
			s.set(nil)
			r = get[reading](p, `read('`+path+`', {keep: `+keep+`})`)
			assert.Equal(t, []any{"", digest(data)}, []any{r.Error, r.Digest}, "the next opens it")
		}
	}
	for _, leave := range []string{"1", "2", "4", "8"} {
		assert.Empty(t, get[reading](p, `read('/models/0-true.gguf', {leave: `+leave+`})`).Locks, "of what is kept, after %s ms", leave)
	}
	p.quiet()
}

// Who leaves a file whose pieces are on their way, and opens another at once, hears of that one alone; what was left holds nothing.
func TestKeptIsLeftForAnother(t *testing.T) {
	data, other := file(8<<20, 16), file(3<<20, 17)
	s := keeping(t, map[string][]byte{"/models/m.gguf": data, "/models/other.gguf": other})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	s.set(func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		if r.URL.Path == "/models/m.gguf" {
			w = &slow{w, r.Context()}
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		return true
	})
	for _, keep := range []string{"true", "false"} {
		r := get[reading](p, `read('/models/m.gguf', {leave: 300, other: '/models/other.gguf', keep: `+keep+`})`)
		assert.Equal(t, []any{"", digest(other)}, []any{r.Error, r.Digest}, "keep %s", keep)
		assert.Empty(t, r.Locks, "keep %s", keep)
		if keep == "true" {
			require.NotNil(t, r.Kept)
			assert.True(t, r.Kept.Kept, r.Kept.Problem)
		}
	}
	p.quiet()
}

// A model that does not open, because of what its header says, can be removed as soon as that is told, though more of it was on its way.
func TestKeptIsRemovedAfterItFailed(t *testing.T) {
	model := append(tiny.Assistant(t), make([]byte, 12<<20)...)
	at := bytes.Index(model, []byte("general.architecture"))
	require.Positive(t, at)
	model[at+len("general.architecture")+4+8] ^= 1 // of a name of another
	s := keeping(t, map[string][]byte{"/models/m.gguf": model})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, opener)
	s.set(func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		http.ServeContent(&slow{w, r.Context()}, r, "", time.Time{}, bytes.NewReader(data))
		return true
	})
	for range 3 {
		assert.Regexp(t, `^ErrUnsupported`, get[string](p, `failure(open('/models/m.gguf'))`))
		assert.Positive(t, get[int](p, `Quire.models.remove('/models/m.gguf')`))
	}
	p.quiet()
}

// What does not come leaves nothing in the list, and what is there in whatever state can be removed.
func TestKeptListsWhatIsThere(t *testing.T) {
	s := keeping(t, map[string][]byte{"/models/m.gguf": file(1<<20, 3)})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	assert.Regexp(t, `^ErrNotFound: `, get[string](p, `failure(pull('/models/none.gguf'))`))
	assert.Contains(t, get[reading](p, `read('/models/none.gguf')`).Error, "ErrNotFound")
	assert.Contains(t, get[reading](p, `read('file:none.gguf')`).Error, "ErrNotFound")
	assert.Empty(t, get[[]any](p, `models.list()`))
	assert.Equal(t, []any{0.0}, get[[]any](p, `(async () => {
		const all = await (await navigator.storage.getDirectory()).getDirectoryHandle('quire-models'), left = [];
		for await (const name of all.keys()) left.push(name);
		const folder = await all.getDirectoryHandle('0123456789abcdef', {create: true}); // nobody knows any more what it is
		const writer = await (await folder.getFileHandle('0-00000', {create: true})).createWritable();
		await writer.write('damaged');
		await writer.close();
		return [left.length];
	})()`))
	assert.Equal(t, []any{1.0, 0.0}, get[[]any](p, `models.list().then(async (all) => {
		for (const model of all) await models.remove(model);
		return [all.length, (await models.list()).length];
	})`))
	for call, says := range map[string]string{
		`pull(new Blob(['GGUF']))`:              `^ErrBadRequest: model must be a URL or a name, not a File or Blob`,
		`pull('data:,GGUF')`:                    `^ErrBadRequest: model is "data:,GGUF", and what is kept comes from http or https`,
		`models.remove(new File([], 'm.gguf'))`: `^ErrBadRequest: models that are kept have names and addresses`,
		`models.remove('hf:owner')`:             `^ErrBadAddress: hf:owner: this is not a whole name of a model`,
	} {
		assert.Regexp(t, says, get[string](p, `failure(`+call+`)`), call)
	}
	p.quiet()
}

// slow sends a little at a time.
type slow struct {
	http.ResponseWriter
	ctx context.Context
}

func (s *slow) Write(data []byte) (n int, err error) {
	for n < len(data) && err == nil && s.ctx.Err() == nil {
		var m int
		m, err = s.ResponseWriter.Write(data[n:min(n+32<<10, len(data))])
		n += m
		s.ResponseWriter.(http.Flusher).Flush()
		time.Sleep(10 * time.Millisecond)
	}
	return n, err
}

// A file that changes on the server while it is read is never put together from both.
func TestKeptTellsVersionsApart(t *testing.T) {
	data, next := file(6<<20+5, 12), file(6<<20+5, 13)
	s := keeping(t, map[string][]byte{"/models/m.gguf": data, "/models/false.gguf": data, "/models/true.gguf": data})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	// changes serves the first request for a file the one, and all others the next one. Requests of a reading before may still come.
	changes := func(tagged bool) {
		var asked sync.Map
		s.set(func(w http.ResponseWriter, r *http.Request, data []byte) bool {
			if _, before := asked.LoadOrStore(r.URL.Path, true); before {
				data = next
			}
			w.Header().Del("ETag")
			if tagged {
				w.Header().Set("ETag", `"`+digest(data)[:16]+`"`)
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			return true
		})
	}
	changes(false)
	r := get[reading](p, `read('/models/m.gguf', {keep: false})`)
	assert.Equal(t, []any{"", digest(data)}, []any{r.Error, r.Digest}, "nothing tells versions apart: one response")
	changes(true)
	for _, keep := range []string{"false", "true"} {
		assert.Contains(t, get[reading](p, `read('/models/`+keep+`.gguf', {keep: `+keep+`})`).Error, "ErrChanged", "tags tell, keep %s", keep)
	}
	s.put("/models/true.gguf", next)
	s.set(nil)
	r = get[reading](p, `read('/models/true.gguf')`)
	assert.Equal(t, []any{"", digest(next)}, []any{r.Error, r.Digest}, "what was kept of the other is gone")

	// A piece that is damaged cannot be had again where the server has another file: that is said, and then the other is kept.
	damage(p, "0-00004", "")
	s.put("/models/true.gguf", data)
	assert.Contains(t, get[reading](p, `read('/models/true.gguf')`).Error, "ErrChanged")
	r = get[reading](p, `read('/models/true.gguf', {again: true})`)
	assert.Equal(t, []any{"", digest(data), true}, []any{r.Error, r.Digest, r.Same})
	s.requests()
	require.Equal(t, "kept", get[reading](p, `read('/models/true.gguf')`).From)
	assert.Empty(t, s.requests())
}

// dripping is a response that comes slowly.
type dripping struct{ http.ResponseWriter }

func (d dripping) Write(b []byte) (int, error) {
	d.ResponseWriter.(http.Flusher).Flush()
	time.Sleep(60 * time.Millisecond)
	return d.ResponseWriter.Write(b)
}

// A server that falls silent, or sends less than it was asked for, on some of several connections holds nothing up for good.
func TestSlowPiecesAreReadAsTheyCome(t *testing.T) {
	data := file(8<<20+5, 14)
	s := keeping(t, map[string][]byte{"/models/m.gguf": data})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	var asked atomic.Int32
	for what, fault := range map[string]func(w http.ResponseWriter, r *http.Request, data []byte) bool{
		"drips": func(w http.ResponseWriter, r *http.Request, data []byte) bool {
			if n := asked.Add(1); n < 3 || n > 5 {
				return false
			}
			http.ServeContent(dripping{w}, r, "", time.Time{}, bytes.NewReader(data))
			return true
		},
		"cuts": func(w http.ResponseWriter, r *http.Request, data []byte) bool {
			n := asked.Add(1)
			return n%3 == 0 && cutAt(len(data)/2)(w, r, data)
		},
	} {
		for _, keep := range []string{"true", "false"} {
			asked.Store(0)
			s.set(fault)
			r := get[reading](p, `read('/models/m.gguf', {again: true, keep: `+keep+`})`)
			assert.Equal(t, []any{"", digest(data), true}, []any{r.Error, r.Digest, r.Same}, "%s, keep %s", what, keep)
			s.set(nil)
			get[string](p, `failure(models.remove('/models/m.gguf'))`)
		}
	}
}

// A connection's pieces come whole, one behind the other: nothing is asked for twice.
func TestPiecesComeOnce(t *testing.T) {
	data := file(24<<20+5, 15)
	s := keeping(t, map[string][]byte{"/models/m.gguf": data})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	r := get[reading](p, `read('/models/m.gguf', {})`)
	assert.Equal(t, []any{"", digest(data)}, []any{r.Error, r.Digest})
	seen := map[string]int{}
	for _, asked := range s.requests() {
		from, _, _ := strings.Cut(asked, "-")
		seen[from]++
	}
	for from, n := range seen {
		assert.Equal(t, 1, n, from)
	}
	assert.Greater(t, len(seen), 6)
}
