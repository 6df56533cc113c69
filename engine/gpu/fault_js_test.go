package gpu

import (
	"context"
	"fmt"
	"regexp"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/hub"
)

// What goes wrong with the network has a name, says what to do, and nothing from inside.
func TestSourceFaults(t *testing.T) {
	open(t)
	host := js.Global().Get("quireGPU")
	elsewhere := "http://localhost:" + js.Global().Get("location").Get("port").String()
	inside := regexp.MustCompile(`gpu: |TypeError|fetch|undefined|NaN|<nil>`)
	for name, c := range map[string]struct {
		base, kind, query string
		want              hub.Kind
		says              string
		requests          int
	}{
		"missing":                   {"", "status", "code=404", hub.NotFound, "404", 1},
		"gone":                      {"", "status", "code=410", hub.NotFound, "410", 1},
		"forbidden":                 {"", "status", "code=401", hub.Forbidden, "401", 1},
		"failing":                   {"", "status", "code=500", hub.Server, "HTTP 500 Internal Server Error), 3 times in a row", 3},
		"busy for an hour":          {"", "status", "code=429&after=3600", hub.Busy, "asks to be left alone for 3600 s", 1},
		"busy without an end":       {"", "status", "code=503", hub.Busy, "3 times in a row", 3},
		"a web page":                {"", "page", "", hub.WebPage, "a web page", 1},
		"silent before it answers":  {"", "mute", "", hub.Silent, "nothing for 0.3 s", 1},
		"silent without a length":   {"", "hush", "at=1000", hub.Silent, "nothing for 0.3 s", 1},
		"another origin":            {elsewhere, "ranges", "size=1000", hub.CORS, "CORS", 3},
		"pieces of a hidden length": {elsewhere, "pieces", "size=3000&at=1000", hub.Server, "does not let the page know how long it is", 2},
		"refused":                   {"http://localhost:1", "", "", hub.Unreachable, "refuses connections", -1},
		"no host":                   {"http://no-such-host.invalid", "", "", hub.Unreachable, "no such host", -1},
		"another scheme":            {"ftp://localhost", "", "", hub.BadAddress, "ftp:", -1},
		"a page about a file":       {elsewhere + "/org/repo/blob/main", "ranges", "", hub.CORS, "CORS", -1},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == hub.Silent { // others may take their time on a busy machine
				host.Set("idleLimit", 300)
				defer host.Set("idleLimit", 30000)
			}
			url, requests := sourceURL(t, c.kind, c.query)
			_, err := OpenURL(context.Background(), c.base+url)
			var e *hub.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.want, e.Kind)
			assert.Contains(t, e.Error(), c.says)
			assert.Contains(t, e.Error(), c.base+url)
			assert.NotRegexp(t, inside, e.Error())
			assert.NotEmpty(t, e.Advice())
			if c.requests >= 0 {
				assert.Equal(t, c.requests, requests())
			}
			if name == "a page about a file" {
				assert.Contains(t, e.Advice(), "/org/repo/resolve/main/")
			}
		})
	}
}

// A server that falls silent in the middle is asked once for the rest.
func TestSourceOfASilentServer(t *testing.T) {
	d := open(t)
	host := js.Global().Get("quireGPU")
	host.Set("idleLimit", 3000) // a server that is not silent may be busy for a second
	t.Cleanup(func() { host.Set("idleLimit", 30000) })
	b := buffer(t, d, "target", 4<<20, Storage)
	url, requests := sourceURL(t, "stuck", "size=2000000&at=1000001")
	s := openURL(t, url)
	require.NoError(t, s.Upload(context.Background(), b, 0, 0, 2000000), "each answer brings a part")
	require.Equal(t, 2, requests())

	url, requests = sourceURL(t, "stuck", "size=3000000&at=1000001&times=1")
	s = openURL(t, url)
	err := s.Upload(context.Background(), b, 0, 0, 3000000)
	var e *hub.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, hub.Silent, e.Kind)
	require.Equal(t, 2, requests())
}

func TestSourceWaitsForABusyServer(t *testing.T) {
	open(t)
	var told []string
	waiting := js.FuncOf(func(_ js.Value, args []js.Value) any {
		told = append(told, fmt.Sprint(args[0].String(), " ", args[1].Int() > 900))
		return nil
	})
	defer waiting.Release()
	host := js.Global().Get("quireGPU")
	host.Set("waiting", waiting)
	defer host.Set("waiting", js.Null())
	for _, query := range []string{"after=1&times=1&size=1000", "after=5&date=1&times=1&size=1000"} {
		told = nil
		start := time.Now()
		url, requests := sourceURL(t, "busy", query)
		require.EqualValues(t, 1000, openURL(t, url).Size())
		require.Equal(t, 2, requests())
		require.GreaterOrEqual(t, time.Since(start), 900*time.Millisecond)
		require.Equal(t, []string{"the server is busy (HTTP 429) true"}, told)
	}
}

// Pages of other origins do not see that a file is compressed on the way, and are told the wrong length.
func TestSourceOfACompressedFile(t *testing.T) {
	open(t)
	url, _ := sourceURL(t, "gzip", "size=1000000")
	s := openURL(t, url)
	require.EqualValues(t, 1000000, s.Size(), "of the same origin it is unpacked")

	s = openURL(t, "http://localhost:"+js.Global().Get("location").Get("port").String()+url)
	require.Less(t, s.Size(), int64(1000000))
	err := s.(Verifier).Verify(context.Background())
	var e *hub.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, hub.Encoded, e.Kind)

	for _, kind := range []string{"ranges", "plain", "endless"} {
		url, _ := sourceURL(t, kind, "size=1000000")
		require.NoError(t, openURL(t, url).(Verifier).Verify(context.Background()), kind)
	}
}

func TestSourceOfAModelThatIsCalledAPage(t *testing.T) {
	d := open(t)
	url, _ := sourceURL(t, "called", "size=10000")
	s := openURL(t, url)
	require.EqualValues(t, 10004, s.Size())
	require.Equal(t, append([]byte("GGUF"), pattern(10000)...), readBack(t, d, s, 0, 10004))
}
