//go:build !js

package browser

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
)

// A page that is left or reloaded while kernels compile is gone at once, and the next one loads: the browser finishes what
// compiles before it shows another page, so few kernels may do so at once.
func TestLeaveWhileKernelsCompile(t *testing.T) {
	site := serve(t)
	p := newTab(t, site, "")
	compiling := func() {
		p.do(chromedp.Click(css("#load")))
		p.wait(`/^Compiling kernels, [4-9]/.test(document.querySelector('#stage').textContent)`)
	}
	// Much less than all kernels take, which is some ten seconds in software.
	soon := func(what string, step chromedp.Action[chromedp.Void]) {
		t.Helper()
		start := time.Now()
		p.do(step)
		t.Logf("%s after %.1f s", what, time.Since(start).Seconds())
		assert.Less(t, time.Since(start), 8*time.Second, what)
	}
	compiling()
	together := get[int](p, `new Promise((resolve) => {
		const channel = new BroadcastChannel('test');
		channel.onmessage = ({data}) => { if (data.together) resolve(data.together); };
		channel.postMessage('compilers');
	})`)
	assert.Greater(t, together, 1)
	assert.LessOrEqual(t, together, 8, "kernels that compile at once")
	soon("reloaded", chromedp.Reload())
	compiling()
	soon("left", chromedp.Navigate(site+"/empty.html"))
	p.quiet()
}
