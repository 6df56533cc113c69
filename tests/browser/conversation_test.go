//go:build !js

package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// conversation goes on from an answer, with the model that is loaded again for a small context, stays across a reload, and loses its
// oldest turns where the context is full.
func conversation(t *testing.T, p *tab) {
	p.do(chromedp.Click(css("#model details summary")))
	p.fill("#context", "64")
	get[bool](p, `Boolean(document.querySelector('#stage').textContent = 'Not yet')`)
	p.do(chromedp.Click(css("#load")))
	p.wait(loaded)
	p.do(chromedp.Click(css("#settings summary")))
	p.fill("#max-tokens", "8")
	p.fill("#temperature", "0")
	assert.True(t, get[bool](p, `document.querySelector('.reply').hidden`), "there is no answer yet")
	turns := `[...document.querySelectorAll('.prompt:nth-child(1) .turns .said')].map((e) => e.textContent).join('|')`
	for i := range 4 {
		p.fill(".prompt:nth-child(1) textarea", fmt.Sprintf("Tell me story %d of a fox.", i))
		p.do(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
		p.wait(status(1) + `.startsWith('Done')`)
		require.NotEmpty(t, get[string](p, output(1)))
		if i < 3 {
			p.do(chromedp.Click(css(".prompt:nth-child(1) .reply")))
			require.Empty(t, get[string](p, output(1)))
			require.Equal(t, "prompt-1", get[string](p, `document.activeElement.id`))
		}
	}
	assert.Equal(t, "Tell me story 0 of a fox.|Tell me story 1 of a fox.|Tell me story 2 of a fox.", get[string](p, turns))
	assert.Regexp(t, `^The context is full: the model no longer sees the \d messages above\.$`, get[string](p, `document.querySelector('.turns .note').textContent`))
	assert.Positive(t, get[int](p, `document.querySelectorAll('.turns .unseen').length`))
	assert.True(t, get[bool](p, `((e) => e.scrollTop + e.clientHeight >= e.scrollHeight - 1)(document.querySelector('.turns'))`), "the last turn is seen")
	p.narrow("a conversation")
	p.picture("conversation")
	p.do(chromedp.Reload())
	assert.Equal(t, "Tell me story 0 of a fox.|Tell me story 1 of a fox.|Tell me story 2 of a fox.", get[string](p, turns))
	assert.False(t, get[bool](p, `document.querySelector('.reply').hidden`), "the last answer may be replied to")
	assert.Positive(t, get[int](p, `document.querySelectorAll('.turns .unseen').length`))
	p.quiet()
}
