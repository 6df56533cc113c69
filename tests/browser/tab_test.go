//go:build !js

package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	browserFlags = "--headless --no-sandbox --disable-background-networking --disable-component-update --disable-sync " +
		"--disable-quic --no-first-run --no-default-browser-check --disable-background-timer-throttling " +
		"--disable-renderer-backgrounding --disable-dev-shm-usage --mute-audio"
	softwareFlags = "--enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --enable-features=Vulkan"
)

// patience is how long anything on the page may take; a software GPU on a busy machine is slow.
const patience = 5 * time.Minute

// start runs one Chromium for all tests.
var start = sync.OnceValues(func() (context.Context, error) {
	gpuFlags, ok := os.LookupEnv("QUIRE_CHROMIUM_FLAGS")
	if !ok {
		gpuFlags = softwareFlags
	}
	var options []chromedp.ExecAllocatorOption
	for _, f := range strings.Fields(browserFlags + " " + gpuFlags) {
		if name, value, ok := strings.Cut(strings.TrimLeft(f, "-"), "="); ok {
			options = append(options, chromedp.Flag(name, value))
		} else {
			options = append(options, chromedp.Flag(name, true))
		}
	}
	if path := os.Getenv("QUIRE_CHROMIUM"); path != "" {
		options = append(options, chromedp.ExecPath(path))
	}
	options = append(options, chromedp.WSURLReadTimeout(patience))
	for turn := 1; ; turn++ {
		ctx, cancelBrowser := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, cancelTab := chromedp.NewContext(ctx)
		stop = func() {
			cancelTab()
			cancelBrowser()
		}
		err := chromedp.Do(ctx, chromedp.Navigate("about:blank"))
		if err == nil || turn == 3 {
			return ctx, err
		}
		fmt.Fprintln(os.Stderr, "Chromium did not start, and is tried again:", err)
		stop()
	}
})

var stop = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	stop()
	os.Exit(code)
}

// tab is a tab that a person sits at.
type tab struct {
	testing.TB
	ctx context.Context

	mu      sync.Mutex
	console []string
}

// newTab opens a tab at url; before runs in the page ahead of its own scripts.
func newTab(t testing.TB, url, before string) *tab {
	t.Helper()
	parent, err := start()
	require.NoError(t, err, "starting Chromium")
	p := &tab{TB: t}
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	p.ctx = ctx
	require.NoError(t, chromedp.Do(ctx)) // the tab lives as long as the context of its first call
	p.do(chromedp.EmulateViewport(1280, 900), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: before})
		return err
	}))
	messages := chromedp.Console(p.ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			p.mu.Lock()
			p.console = append(p.console, fmt.Sprintf("%s: %s", m.Type, m.Text))
			p.mu.Unlock()
		}
	}()
	p.do(chromedp.Navigate(url))
	return p
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.explain(err)
	}
}

// wait waits until a JavaScript expression is true, or a promise of that. One that is rejected ends it.
func (p *tab) wait(expression string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := until(ctx, expression); err != nil {
		p.explain(fmt.Errorf("waiting for %s: %w", expression, err))
	}
}

// until has the page say what was thrown: chromedp waits on for a promise that is rejected behind the first look at it.
func until(ctx context.Context, expression string) error {
	said, err := chromedp.Run(ctx, chromedp.Poll[string](`(async () => {
		try {
			return await (`+expression+`) ? 'true' : '';
		} catch (e) {
			return 'rejected: ' + (e?.stack ?? e);
		}
	})()`, chromedp.WithPollingTimeout(patience), chromedp.WithPollingInterval(50*time.Millisecond)))
	if err == nil && said != "true" {
		err = errors.New(said)
	}
	return err
}

// explain fails with what the page shows.
func (p *tab) explain(err error) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body?.innerText ?? ''`))
	p.mu.Lock()
	defer p.mu.Unlock()
	require.NoError(p, err, "console:\n%s\n\npage:\n%s", strings.Join(p.console, "\n"), text)
}

// get evaluates an expression, awaiting a promise.
func get[T any](p *tab, expression string) T {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.explain(err)
	}
	return value
}

func (p *tab) workers() int {
	p.Helper()
	return get[int](p, workers)
}

// idle reports whether the site's workers end soon.
func (p *tab) idle() bool {
	p.Helper()
	return soon(func() bool { return p.workers() == 0 })
}

// quiet asserts that nothing went wrong that only the console tells.
func (p *tab) quiet() {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.console {
		require.NotRegexp(p, `^(error|exception)`, line)
	}
}

// picture leaves a screenshot of the whole page, for people to look at.
func (p *tab) picture(name string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(p, err)
	require.NoError(p, os.MkdirAll("screenshots", 0o755))
	require.NoError(p, os.WriteFile(filepath.Join("screenshots", name+".png"), png, 0o644))
}

// narrow asserts that nothing has to be scrolled sideways, and the header's words stay whole, down to 320 pixels, with scroll bars that take room and without.
func (p *tab) narrow(name string) {
	p.Helper()
	for _, width := range []int64{320, 360, 768} {
		for _, options := range [][]chromedp.EmulateViewportOption{nil, {chromedp.EmulateMobile}} {
			p.do(chromedp.EmulateViewport(width, 900, options...))
			assert.Empty(p, get[string](p, `(() => {
				const {clientWidth, scrollWidth} = document.documentElement;
				const out = (e) => e.getBoundingClientRect().right > clientWidth + 0.5 && !['fixed'].includes(getComputedStyle(e).position);
				const inside = (e) => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === 'auto';
				const all = [...document.body.querySelectorAll('*')];
				const broken = (e) => ((r) => (r.selectNodeContents(e), r.getClientRects().length > 1))(document.createRange());
				const guilty = [...(scrollWidth > clientWidth ? all.filter(out) : []), ...all.filter(inside), ...[...document.querySelectorAll('.top h1, .views a')].filter(broken)];
				return guilty.map((e) => e.tagName + ' ' + (e.id || e.className)).join(', ') || (scrollWidth > clientWidth ? 'the page' : '');
			})()`), "%s scrolls sideways at %d pixels", name, width)
		}
	}
	p.do(chromedp.EmulateViewport(1280, 900))
}

// scheme shows the page light or dark.
func (p *tab) scheme(value string) {
	p.Helper()
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
		})
		return err
	}))
}
