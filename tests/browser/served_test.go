//go:build !js

package browser

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// servedPage runs "quire serve" and gives its page's address.
func servedPage(t *testing.T, args ...string) string {
	t.Helper()
	binary := "../../bin/quire"
	require.FileExists(t, binary, `run "make build" first`)
	c := exec.Command(binary, append([]string{"serve", "--addr", "127.0.0.1:0", "--log-level", "warn"}, args...)...)
	said, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewScanner(said)
	require.True(t, lines.Scan())
	var heard sync.WaitGroup
	heard.Go(func() {
		for lines.Scan() {
			t.Log(lines.Text())
		}
	})
	t.Cleanup(func() {
		c.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
		defer kill.Stop()
		heard.Wait() // a test that is over must not be logged to
		assert.NoError(t, c.Wait(), "it ends well")
	})
	return regexp.MustCompile(`http://[\d.:]+`).FindString(lines.Text())
}

// The served page asks the server's models, once it has the key; the tab is the other choice.
func TestServedPage(t *testing.T) {
	p := newTab(t, servedPage(t, "--api-key", "secret-of-ann", "-m", "tales=../../cmd/native/model/quire-tales.gguf")+engineView, "")
	p.wait(`document.querySelector('#model-error').textContent.includes('The server asks for a key')`)
	require.Equal(t, "server-key", get[string](p, `document.activeElement.id`))
	p.narrow("a page that asks for a key")
	p.picture("served-key")
	p.fill("#server-key", "secret-of-ann")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.wait(`document.querySelector('#stage').textContent.startsWith('tales, which runs on the server')`)
	assert.Contains(t, get[string](p, `document.querySelector('#says').textContent`), "what you type goes there")
	assert.Contains(t, get[string](p, `document.querySelector('#lesson-note').textContent`), "it needs one in this tab")
	assert.True(t, get[bool](p, `document.querySelector('#lesson-begin').disabled`))
	p.do(chromedp.Click(css("#settings summary")))
	p.fill("#max-tokens", "8")
	p.fill("#temperature", "0")
	p.fill("#answers", "2")
	p.fill(".prompt:nth-child(1) textarea", "Tell me a story.")
	p.do(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.wait(status(1) + `.startsWith('Done, max tokens reached: 16 tokens')`)
	assert.Equal(t, 2, get[int](p, `[...document.querySelectorAll('.prompt:nth-child(1) .output p')].filter((e) => e.textContent).length`))
	p.fill("#max-tokens", "400")
	p.fill("#answers", "1")
	p.do(chromedp.Click(css(".prompt:nth-child(2) .run")))
	p.wait(output(2) + `.length > 10`)
	p.do(chromedp.Click(css(".prompt:nth-child(2) .run")))
	p.wait(status(2) + `.startsWith('Stopped: ')`)
	p.picture("served")
	p.do(chromedp.Reload())
	p.wait(`document.querySelector('#stage').textContent.startsWith('tales, which')`) // the key is known
	p.do(chromedp.Click(css(`input[value="builtin"]`)))
	assert.Contains(t, get[string](p, `document.querySelector('#says').textContent`), "What you type stays here")

	// The chat asks for the key, too.
	p.do(chromedp.Click(css(`.views a[href="#chat"]`)))
	get[bool](p, `sessionStorage.clear() ?? true`)
	p.do(chromedp.Reload())
	p.wait(`document.querySelector('#library').open && !document.querySelector('#library-key-form').hidden`)
	p.picture("served-chat-key")
	p.fill("#library-key", "secret-of-ann")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.wait(`!document.querySelector('#library').open`)
	assert.Equal(t, "tales", get[string](p, `document.querySelector('#chip').textContent`))
	p.do(chromedp.Click(css("#open-parameters")))
	p.fill("#chat-max-tokens", "8")
	p.do(chromedp.KeyEvent(kb.Escape))
	p.ask("Tell me a story.")
	p.wait(idle + ` && ` + noted + `[0]?.includes('8 tokens')`)
	assert.NotEmpty(t, get[[]string](p, told)[0])
	assert.Regexp(t, `^Cut off: the most tokens are reached · .* · tales$`, get[[]string](p, noted)[0])
}

// What a network does to answers, and what stands between the page and its server.
func TestServerModule(t *testing.T) {
	const event = `data: {"id":"1","choices":[{"index":0,"delta":{"content":"%s"}}]}` + "\n\n"
	const end = "data: [DONE]\n\n"
	pieces := map[string][]string{
		"whole":   {fmt.Sprintf(event, "Ünd") + fmt.Sprintf(event, "los") + end},
		"cut":     {fmt.Sprintf(event, "Ünd"), fmt.Sprintf(event, "los")},
		"waiting": {": waiting\n\n", fmt.Sprintf(event, "Ünd"), ": waiting\n\n", fmt.Sprintf(event, "los"), end},
		"error":   {fmt.Sprintf(event, "Ünd"), `data: {"error":{"message":"too late","type":"server_error","param":null,"code":"timeout"}}` + "\n\n", end},
		"bytes":   strings.Split(fmt.Sprintf(event, "Ünd")+fmt.Sprintf(event, "los")+end, ""),
	}
	whole := pieces["whole"][0]
	middle := strings.Index(whole, "Ü") + 1
	pieces["letter"] = []string{whole[:middle], whole[middle:]}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(dist)))
	mux.HandleFunc("/page/served.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, "export default true;")
	})
	mux.HandleFunc("/v1/models", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "Bearer right" {
			w.WriteHeader(401)
			fmt.Fprint(w, `{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`)
			return
		}
		fmt.Fprint(w, `{"object":"list","data":[{"id":"a"},{"id":"b"}]}`)
	})
	gone := make(chan bool, 1)
	mux.HandleFunc("/v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		name := regexp.MustCompile(`"model":"(\w+)"`).FindStringSubmatch(string(asked))[1]
		switch name {
		case "proxy":
			w.WriteHeader(502)
			fmt.Fprint(w, "<html>Bad gateway</html>")
			return
		case "long":
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		flush := http.NewResponseController(w)
		for _, piece := range pieces[name] {
			fmt.Fprint(w, piece)
			flush.Flush()
			time.Sleep(time.Millisecond)
		}
		switch name {
		case "endless":
			for r.Context().Err() == nil {
				fmt.Fprintf(w, event, "on")
				flush.Flush()
				time.Sleep(10 * time.Millisecond)
			}
			gone <- true
		case "torn":
			fmt.Fprintf(w, event, "Ünd")
			flush.Flush()
			panic(http.ErrAbortHandler)
		}
	})
	server := host(t, mux)
	p := newTab(t, server.URL+"/LICENSE", "")
	get[bool](p, `import('/page/server.js').then((m) => {
		globalThis.module = m;
		globalThis.read = async (model, abort) => {
			let text = '';
			try {
				for await (const {choices: [{delta}]} of module.server().chat({model, messages: []}, {signal: abort?.signal})) {
					text += delta.content;
					abort?.abort();
					if (!abort && text.length > 20) break;
				}
			} catch (e) {
				return text + ' ' + e.name;
			}
			return text;
		};
		return true;
	})`)
	assert.Equal(t, "ErrKey", get[string](p, `module.server().models().catch((e) => e.name)`))
	assert.Equal(t, "a b", get[string](p, `(async () => {
		module.server().key = ' right ';
		return (await module.server().models()).map((m) => m.id).join(' ');
	})()`), "another asks with the key that the tab keeps")
	for name, want := range map[string]string{
		"whole": "Ündlos", "bytes": "Ündlos", "letter": "Ündlos", "waiting": "Ündlos", "cut": "Ündlos ErrCut", "error": "Ünd Error",
		"proxy": " ErrServer", "long": " ErrContextTooLong", "endless": strings.Repeat("on", 11),
	} {
		assert.Equal(t, want, get[string](p, `read("`+name+`")`), name)
	}
	assert.Regexp(t, ` ErrCut$`, get[string](p, `read("torn")`)) // what came with the tear may be lost
	<-gone                                                       // a loop that is left ends the request
	assert.Regexp(t, `^(on)+ AbortError$`, get[string](p, `read('endless', new AbortController())`))
	<-gone
	server.CloseClientConnections()
	server.Close()
	assert.Equal(t, " ErrUnreachable", get[string](p, `read('whole')`))
}
