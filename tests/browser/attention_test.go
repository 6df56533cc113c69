//go:build !js

package browser

import (
	"encoding/json"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/bench/attend"
)

// A person measures attention at tiny lengths, reads tables and charts, takes the JSON, stops a second run, and errs.
func TestAttentionPage(t *testing.T) {
	p := newTab(t, serve(t)+"/attention.html", "")
	require.True(t, get[bool](p, `document.querySelector('#download').hidden`))
	p.fill("#lengths", "32, 64")
	p.fill("#contexts", "64")
	p.fill("#head-dims", "32")
	p.fill("#heads", "2/1")
	p.fill("#batches", "1")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.wait(`document.querySelector('#run').textContent === 'Stop'`)
	p.wait(`document.querySelector('#table tbody').rows.length > 0`)
	p.wait(`document.querySelector('#stage').textContent === 'Done.'`)
	assert.Equal(t, "The measurement is done.", get[string](p, `document.querySelector('#status').textContent`))
	assert.Equal(t, []any{"forward flash 32", "forward standard 32", "forward flash 64", "forward standard 64", "decode flash 64"},
		get[[]any](p, `[...document.querySelectorAll('#table tbody tr')].map((r) => [0, 1, 3].map((i) => r.cells[i].textContent).join(' '))`))
	assert.Equal(t, 2, get[int](p, `document.querySelectorAll('#memory tbody tr').length`))
	assert.Equal(t, 3, get[int](p, `document.querySelectorAll('#charts svg').length`), "forward, decode and memory")
	assert.NotContains(t, get[string](p, `document.querySelector('.figures').textContent`), "–")
	var report attend.Report
	require.NoError(t, json.Unmarshal([]byte(get[string](p, `fetch(document.querySelector('#download').href).then((r) => r.text())`)), &report))
	require.Len(t, report.Results, 5)
	for _, r := range report.Results {
		assert.Empty(t, r.Skipped)
		assert.Positive(t, r.TFLOPs)
	}
	assert.True(t, p.idle(), "the worker ends with the run")
	p.quiet()
	p.narrow("a report")
	p.pictures("attention-")

	p.do(chromedp.Click(css("#run")))
	p.wait(`document.querySelector('#table tbody').rows.length > 0`)
	p.do(chromedp.Focus(css("#heads")), chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "Stop", get[string](p, `document.querySelector('#run').textContent`), "Enter in a field does not stop a run")
	p.do(chromedp.Click(css("#run")))
	p.wait(`document.querySelector('#stage').textContent === 'Stopped. What was measured stays.'`)
	assert.Equal(t, "Stopped.", get[string](p, `document.querySelector('#status').textContent`))
	assert.Equal(t, "Run", get[string](p, `document.querySelector('#run').textContent`), "and no other begins")
	assert.Positive(t, get[int](p, `document.querySelectorAll('#table tbody tr').length`), "what was measured stays")
	assert.True(t, p.idle())

	for _, wrong := range []struct{ field, value, says string }{
		{"#lengths", "32, many", "“many” is no whole number"},
		{"#lengths", "99999999", "a length of 99999999"},
		{"#heads", "3/2", "3 query heads"},
		{"#heads", "0", "give a count above 0"},
		{"#variant", "warp", "no variant \"warp\""},
	} {
		was := get[string](p, `document.querySelector('`+wrong.field+`').value`)
		p.fill(wrong.field, wrong.value)
		p.do(chromedp.KeyEvent(kb.Enter))
		p.wait(`document.querySelector('#error').textContent !== ''`)
		assert.Contains(t, get[string](p, `document.querySelector('#error').textContent`), wrong.says)
		p.fill(wrong.field, was)
	}
	assert.Equal(t, "Failed. Nothing was measured.", get[string](p, `document.querySelector('#stage').textContent`))
}

// Without an adapter there is nothing to press.
func TestAttentionPageWithoutAdapter(t *testing.T) {
	p := newTab(t, serve(t)+"/attention.html", `GPU.prototype.requestAdapter = async () => null`)
	p.wait(`document.querySelector('#platform').textContent.includes('No GPU could be used')`)
	p.wait(`document.querySelector('#run').disabled`)
}

func TestAttentionPageAccessibility(t *testing.T) {
	p := newTab(t, serve(t)+"/attention.html", "")
	named(t, p, 12)
}
