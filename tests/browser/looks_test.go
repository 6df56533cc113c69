//go:build !js

package browser

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The page fits a phone, in both schemes, and leaves pictures.
func TestLooks(t *testing.T) {
	p := newTab(t, serve(t), "")
	p.do(chromedp.Click(css("details summary")), chromedp.Click(css("#settings summary")), chromedp.Click(css(`input[value="url"]`)))
	for _, scheme := range []string{"light", "dark"} {
		p.scheme(scheme)
		for _, size := range []struct {
			name          string
			width, height int64
		}{{"desk", 1280, 900}, {"phone", 360, 740}} {
			p.do(chromedp.EmulateViewport(size.width, size.height))
			assert.LessOrEqual(t, get[int](p, `document.documentElement.scrollWidth`), int(size.width), "%s scrolls sideways", size.name)
			p.picture(scheme + "-" + size.name)
		}
	}
}

// Everything that takes the focus has a name and shows that it has the focus.
func TestAccessibility(t *testing.T) {
	p := newTab(t, serve(t), "")
	get[bool](p, `[...document.querySelectorAll('details')].every((d) => d.open = true)`)
	named(t, p, 20)

	seen := map[string]bool{}
	for range 40 {
		p.do(chromedp.KeyEvent(kb.Tab))
		at := get[string](p, `document.activeElement.tagName + ' ' + (document.activeElement.id || document.activeElement.className || document.activeElement.value || '')`)
		if at == "BODY " {
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
