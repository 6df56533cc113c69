//go:build !js

package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const (
	loaded = `document.querySelector('#stage').textContent.includes('Loaded in')`
	first  = `document.querySelectorAll('.output')[0].textContent`
	second = `document.querySelectorAll('.output')[1].textContent`
)

func TestStory(t *testing.T) {
	p := newTab(t, serve(t), "")
	p.do(chromedp.Click(chromedp.CSS("#load")))
	p.wait(loaded)
	p.do(chromedp.Click(chromedp.CSS(".prompt:nth-child(1) .run")))
	p.wait(first + `.length > 20`)
	p.picture("thin")
	t.Log(get[string](p, first))
	p.quiet()
	require.NotEmpty(t, get[string](p, first))
}
