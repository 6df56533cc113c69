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
	p := newTab(t, site+engineView, "")
	done := func() int { return get[int](p, `parseInt(document.querySelector('#stage').textContent.match(/\d+/))`) }
	// compiling says what a kernel takes as busy as the machine is.
	compiling := func() (each time.Duration) {
		p.do(chromedp.Click(css("#load")))
		p.wait(`/^Compiling kernels, \d/.test(document.querySelector('#stage').textContent)`)
		start, before := time.Now(), done()
		p.wait(`/^Compiling kernels, [4-9]/.test(document.querySelector('#stage').textContent)`)
		return time.Since(start) / time.Duration(max(1, done()-before))
	}
	// Much less than all kernels take, more than 40: some ten seconds in software. A machine that is busier all of a sudden has other turns.
	soon := func(what string, each time.Duration, step chromedp.Action[chromedp.Void]) {
		t.Helper()
		for turn := 1; ; turn++ {
			start := time.Now()
			p.do(step)
			took, most := time.Since(start), max(8*time.Second, 30*each)
			t.Logf("%s after %.1f s, of kernels that take %.2f s each", what, took.Seconds(), each.Seconds())
			if took < most || turn == 3 {
				assert.Less(t, took, most, what)
				return
			}
			p.do(chromedp.Navigate(site + engineView))
			each = compiling()
		}
	}
	each := compiling()
	together := get[int](p, `new Promise((resolve) => {
		const channel = new BroadcastChannel('test');
		channel.onmessage = ({data}) => { if (data.together) resolve(data.together); };
		channel.postMessage('compilers');
	})`)
	assert.Greater(t, together, 1)
	assert.LessOrEqual(t, together, 8, "kernels that compile at once")
	soon("reloaded", each, chromedp.Reload())
	each = compiling()
	soon("left", each, chromedp.Navigate(site+"/empty.html"))
	p.quiet()
}
