//go:build !js

package browser

import (
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// axe-core finds nothing wrong in either view, in both themes, at both widths, and every one of them leaves a picture.
func TestAxe(t *testing.T) {
	axe, err := os.ReadFile(tool(t, "axe-core/axe.min.js"))
	require.NoError(t, err)
	p := newTab(t, serveParrot(t), "")
	get[bool](p, string(axe)+`; true`)
	show := map[string]func(){
		"welcome": func() {},
		"conversation": func() {
			p.ask("hold Two answers.")
			p.wait(told + `[0] === 'Two'`)
			get[bool](p, `(holding.splice(0).forEach((go) => go()), true)`)
			p.wait(idle)
			p.press("Answer again", 0)
			p.wait(told + `[0] === 'Two'`)
			get[bool](p, `(holding.splice(0).forEach((go) => go()), true)`)
			p.wait(idle)
			p.ask("think one and two: # Three\n\nA *list*, `code` and a [link](https://example.org/):\n\n- four\n- five\n\n> six\n\n```go\nx := 7\n```\n\n| a | b |\n|---|---|\n| 8 | 9 |")
			p.wait(idle + ` && document.querySelector('.thoughts')`)
			p.ask(`call weather {"city":"Aarhus"}`)
			p.wait(idle + ` && document.querySelector('.call')`)
			p.ask("fail Ten.")
			p.wait(idle)
			get[bool](p, `(document.querySelector('.thoughts').open = true, document.querySelector('#message').value = '', document.querySelector('#thread').scrollTop = 0, true)`)
		},
		"beside":     func() { p.press("Side by side", 0) },
		"models":     func() { p.press("Parrot", 0) },
		"parameters": func() { p.press("Close", 0); p.press("System prompt and parameters", 0) },
		"engine": func() {
			p.press("Close", 0)
			p.do(chromedp.Click(css(`.views a[href="#engine"]`)))
			p.wait(`document.querySelectorAll('#history canvas').length === 3`)
			p.do(chromedp.Click(css("#lesson-begin")))
			p.wait(`!document.querySelector('#lesson-stage').hidden`)
			get[bool](p, `((at) => { at.value = 6; at.oninput(); document.querySelector('#lesson-drawing details').open = true; return true; })(document.querySelector('#lesson-at'))`)
			p.do(chromedp.Click(css("#bench-run")))
			p.wait(`document.querySelector('#bench-status').textContent === 'Done.'`)
			assert.Regexp(t, `^Quire in the browser: Parrot, 1.0 million parameters, on none. Prompt of 512 tokens: 5120 tokens/s. One answer: 64 tokens/s. 8 answers at once: \d+ tokens/s.$`,
				get[string](p, `document.querySelector('#bench-card').getAttribute('aria-label')`))
		},
	}
	for _, name := range []string{"welcome", "conversation", "beside", "models", "parameters", "engine"} {
		show[name]()
		for _, scheme := range []string{"light", "dark"} {
			p.scheme(scheme)
			for _, width := range []int64{320, 1280} {
				if os.Getenv("QUIRE_ALL") == "" && (name == "models" || name == "parameters") && (scheme == "light") == (width == 320) {
					continue // each theme and each width once
				}
				p.do(chromedp.EmulateViewport(width, 900))
				assert.Empty(t, get[[]string](p, `axe.run().then(({violations}) => violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.html.slice(0, 200) + ' ' + n.failureSummary)))`),
					"%s, %s, %d pixels", name, scheme, width)
				p.picture(fmt.Sprintf("%s-%s-%d", name, scheme, width))
			}
		}
		p.scheme("light")
	}
}
