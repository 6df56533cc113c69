//go:build !js

package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The page fits a phone, in both schemes, and leaves pictures.
func TestLooks(t *testing.T) {
	p := newTab(t, serve(t)+engineView, "")
	get[bool](p, `import('/page/advice.js').then((m) => Boolean(globalThis.advice = m))`)
	p.narrow("the page")
	p.do(chromedp.Click(css("details summary")), chromedp.Click(css("#settings summary")))
	for _, from := range []string{"builtin", "file", "url"} {
		p.do(chromedp.Click(css(`input[value="` + from + `"]`)))
		p.narrow("a model from " + from)
	}
	p.pictures("")

	// Names and errors may be long, and without a place to break them.
	get[bool](p, `(() => {
		const long = 'a_long_name_without_an_end_'.repeat(20);
		const {show} = globalThis.advice;
		for (const id of ['stage', 'figure-adapter', 'figure-features', 'figure-kv', 'figure-largest', 'figure-blocks', 'cache-text']) document.getElementById(id).textContent = long;
		for (const status of document.querySelectorAll('.status, .output, h3')) status.textContent = long;
		document.querySelector('#warnings').hidden = false;
		document.querySelector('#warnings ul').append(Object.assign(document.createElement('li'), {textContent: long}));
		document.querySelector('#adapter').add(new Option(long, long, true, true));
		for (const alert of document.querySelectorAll('[role="alert"]')) show(alert, {title: long, message: long, advice: long});
		return true;
	})()`)
	p.narrow("a page of long names")
	p.pictures("long-")
}

// pictures leaves pictures of the page at three widths, light and dark.
func (p *tab) pictures(name string) {
	p.Helper()
	for _, scheme := range []string{"light", "dark"} {
		p.scheme(scheme)
		for _, width := range []int64{320, 768, 1280} {
			p.do(chromedp.EmulateViewport(width, 900))
			p.picture(fmt.Sprintf("%s%s-%d", name, scheme, width))
		}
	}
}

// Everything that takes the focus has a name and shows that it has the focus.
func TestAccessibility(t *testing.T) {
	p := newTab(t, serve(t)+engineView, "")
	get[bool](p, `[...document.querySelectorAll('details')].every((d) => d.open = true)`)
	named(t, p, 20)

	seen := map[string]bool{}
	for range 40 {
		p.do(chromedp.KeyEvent(kb.Tab))
		at := get[string](p, `document.activeElement.tagName + ' ' + (document.activeElement.id || document.activeElement.className || document.activeElement.value || '')`)
		if strings.HasPrefix(at, "BODY ") {
			break
		}
		seen[at] = true
		assert.True(t, get[bool](p, `(() => {
			const lit = (e) => e && getComputedStyle(e).outlineStyle !== 'none' && parseFloat(getComputedStyle(e).outlineWidth) >= 2;
			return Boolean(lit(document.activeElement) || lit(document.activeElement.nextElementSibling));
		})()`), "%s shows no focus", at)
	}
	for _, stop := range []string{"INPUT builtin", "INPUT temperature", "TEXTAREA prompt-1", "DIV output", "BUTTON add"} {
		assert.Contains(t, seen, stop)
	}
}

// named asserts that more than so many elements take the focus, each with a name.
func named(t *testing.T, p *tab, least int) {
	t.Helper()
	tree, err := chromedp.Run(p.ctx, func(ctx context.Context, _ *chromedp.Target) ([]*accessibility.Node, error) {
		r, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		return r.Nodes, err
	})
	require.NoError(t, err)
	focusable := 0
	for _, node := range tree {
		for _, property := range node.Properties {
			if property.Name == "focusable" && string(node.Role.Value) != `"RootWebArea"` {
				focusable++
				require.NotNil(t, node.Name)
				assert.NotEmpty(t, string(node.Name.Value), "role %s", node.Role.Value)
				assert.NotEqual(t, `""`, string(node.Name.Value), "role %s", node.Role.Value)
			}
		}
	}
	assert.Greater(t, focusable, least)
}
