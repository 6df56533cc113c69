//go:build !js

package browser

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/firefox"
)

// newFirefox starts Firefox for one test.
func newFirefox(t *testing.T, changed map[string]any) (*firefox.Browser, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	t.Cleanup(cancel)
	b, err := firefox.Start(ctx, changed)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, b.Close()) })
	return b, ctx
}

// Without WebGPU, Firefox's people are told of its preferences, by the page and by quire.js.
func TestFirefoxWithoutWebGPU(t *testing.T) {
	site := serve(t)
	for off, c := range map[string]struct{ title, message string }{
		firefox.IgnoreBlocklist: {"No GPU could be used", "Firefox offers no GPU"},
		firefox.WebGPU:          {"This browser has no WebGPU", "this Firefox has no WebGPU turned on"},
	} {
		if off != firefox.WebGPU && os.Getenv("QUIRE_ALL") == "" {
			continue
		}
		b, ctx := newFirefox(t, map[string]any{off: false})
		var page, library string
		require.NoError(t, b.Navigate(ctx, site))
		require.NoError(t, b.Evaluate(ctx, `(async () => {
			const platform = document.querySelector('#platform');
			while (platform.textContent === '') await new Promise((resolve) => setTimeout(resolve, 20));
			return platform.textContent;
		})()`, &page))
		require.NoError(t, b.Evaluate(ctx, `import('/quire.js').then(({Quire}) => Quire.open({model: '/quire-tales.gguf'})).catch(({name, message}) => name + ': ' + message)`, &library))
		assert.Contains(t, page, c.title)
		assert.Contains(t, library, "ErrNoAdapter: ")
		assert.Contains(t, library, c.message)
		for _, word := range []string{"about:config", firefox.WebGPU, firefox.IgnoreBlocklist} {
			assert.Contains(t, page, word)
			assert.Contains(t, library, word)
		}
		assert.NotContains(t, page+library, "chrome://")
	}
}
