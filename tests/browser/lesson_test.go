//go:build !js

package browser

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stepTitle is the lesson's step that is shown, and says what it tells.
const (
	stepTitle = `document.querySelector('#lesson-title').textContent`
	says      = `document.querySelector('#lesson-says').textContent`
)

// The lesson steps through the blocks and scores of the model that is loaded; at the end, what it has added up tile by tile is what
// plain softmax gives, and what the GPU has computed. A conversation follows on the same page.
func TestLesson(t *testing.T) {
	p := newTab(t, serve(t)+engineView, "")
	assert.True(t, get[bool](p, `document.querySelector('#lesson-begin').disabled`), "there is nothing to look at yet")
	p.do(chromedp.Click(css("#load")))
	p.wait(loaded)

	if os.Getenv("QUIRE_ALL") != "" { // the chat's blocks have a colour, too
		p.do(chromedp.Click(css(`.views a[href="#chat"]`)))
		p.ask("Tell me a story about a fox and a kite.")
		p.wait(told + `[0]?.length > 0`)
		p.do(chromedp.Click(css(`.views a[href="#engine"]`)))
		p.wait(`(({width, height}, c) => width && c.getImageData(0, 0, width, height).data.some((_, i, d) => i % 4 === 0 && Math.max(d[i], d[i + 1], d[i + 2]) - Math.min(d[i], d[i + 1], d[i + 2]) > 90))(
			document.querySelector('#cache-blocks'), document.querySelector('#cache-blocks').getContext('2d'))`)
		p.do(chromedp.Click(css(`.views a[href="#chat"]`)), chromedp.KeyEvent(kb.Escape), chromedp.Click(css(`.views a[href="#engine"]`)))
	}

	assert.Equal(t, 2000, get[int](p, `document.querySelector('#lesson-text').maxLength`), "a long text would keep the page busy")
	p.do(chromedp.Click(css("#lesson-begin")))
	p.wait(`!document.querySelector('#lesson-stage').hidden`)
	assert.Equal(t, "Text becomes tokens", get[string](p, stepTitle))
	steps := get[int](p, `Number(document.querySelector('#lesson-at').max)`)
	require.Greater(t, steps, 7, "four that lead there, three tiles, the end")
	p.narrow("the lesson's tokens")

	p.do(chromedp.Click(css("#lesson-next")))
	ids := get[[]string](p, `[...document.querySelectorAll('.lesson-table b')].map((b) => b.textContent)`)
	assert.Contains(t, get[string](p, says), "block table: "+ids[0]+", "+ids[1])
	p.do(chromedp.Click(css("#lesson-next")))
	assert.Equal(t, ids[:2], get[[]string](p, `[...document.querySelectorAll('.lesson-table:first-of-type .shared b')].map((b) => b.textContent).slice(0, 2)`), "both answers have the prompt's blocks")
	p.picture("lesson-fork")
	p.do(chromedp.Click(css("#lesson-next")), chromedp.Focus(css("#lesson-next")), chromedp.KeyEvent(kb.ArrowRight))
	assert.Equal(t, "Tile 1 of "+strconv.Itoa(steps-5)+", block "+ids[0], get[string](p, stepTitle))
	assert.Equal(t, 16, get[int](p, `document.querySelectorAll('.lesson-scores li').length`))
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	p.narrow("a tile")
	p.picture("lesson-tile")

	// Every head, at another layer and for another token: the largest differences that the last step tells.
	last := func() {
		t.Helper()
		for _, told := range get[[]string](p, `(() => {
			const at = document.querySelector('#lesson-at'), head = document.querySelector('#lesson-head');
			at.value = at.max;
			at.oninput();
			return [...head.options].map((option) => {
				head.value = option.value;
				head.onchange();
				return document.querySelector('#lesson-says').textContent;
			});
		})()`) {
			apart := regexp.MustCompile(`differs by at most (\S+), and what the GPU has computed by (\S+)\.`).FindStringSubmatch(told)
			require.Len(t, apart, 3, told)
			for i, most := range []float64{1e-12, 1e-4} {
				far, err := strconv.ParseFloat(apart[i+1], 64)
				require.NoError(t, err)
				assert.Less(t, far, most, told)
			}
		}
	}
	last()
	get[bool](p, `((s) => { s.value = '0'; s.onchange(); return true; })(document.querySelector('#lesson-layer'))`)
	p.wait(`document.querySelector('#lesson').getAttribute('aria-busy') === 'false'`)
	p.fill("#lesson-query", "20")
	get[bool](p, `document.querySelector('#lesson-query').onchange(), true`)
	p.wait(`document.querySelector('#lesson-at').max === '7'`)
	last()
	assert.Equal(t, 20, get[int](p, `document.querySelectorAll('.lesson-token').length`), "what comes after it is not seen")
	p.picture("lesson-end")
	p.quiet()
	conversation(t, p)
}
