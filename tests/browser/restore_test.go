//go:build !js

package browser

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A long conversation that the browser keeps comes back many times faster than it is computed. QUIRE_RESTORE says of which model that is
// measured: "tales" is the built-in one, anything else a file, such as "quire bench --shape llama-1b --write-gguf" makes;
// QUIRE_RESTORE_TOKENS how long it is, 4096 unless set.
func TestRestoreSpeed(t *testing.T) {
	file, tokens := os.Getenv("QUIRE_RESTORE"), os.Getenv("QUIRE_RESTORE_TOKENS")
	if file == "" {
		t.Skip("measures: set QUIRE_RESTORE")
	}
	if tokens == "" {
		tokens = "4096"
	}
	mux := http.NewServeMux()
	mux.Handle("/", proxy(t, serve(t)))
	model := "/quire-tales.gguf"
	if file != "tales" {
		model = "/model.gguf"
		mux.HandleFunc(model, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	}
	p := newTab(t, host(t, mux).URL+"/empty.html", "")
	type measured struct {
		Adapter                          string
		Computed, Saved, Restored, After float64 // seconds
		Bytes, Tokens, Cached            int
		Same                             bool
	}
	m, err := chromedp.Run(p.ctx, chromedp.Evaluate[measured](fmt.Sprintf(`import('/quire.js').then(async ({Quire}) => {
		const tokens = %s, path = %q;
		const open = () => Quire.open({model: new URL(path, location.href).href, keep: false, context: tokens + 64, kvMemory: 1 << 30, maxSeqs: 4});
		const seconds = async (call) => {
			const start = performance.now();
			const value = await call();
			return [(performance.now() - start) / 1000, value];
		};
		let quire = await open();
		const ids = Array.from({length: tokens}, (_, i) => 3 + i * 7919 %% 250);
		await quire.generate({ids: ids.slice(0, 48).reverse(), maxTokens: 1, temperature: 0}).result; // kernels are warm
		const session = await quire.keptSession('long');
		const [computed] = await seconds(() => session.generate({ids, maxTokens: 1, temperature: 0, ignoreEnd: true}).result);
		const [saved] = await seconds(() => session.keep());
		const next = (s) => s.generate({ids: [5], maxTokens: 4, temperature: 0, ignoreEnd: true}).result;
		const other = quire.session();
		await other.generate({ids, maxTokens: 1, temperature: 0, ignoreEnd: true}).result;
		const want = (await next(other)).ids.join();
		const [{bytes}] = await Quire.sessions.list();
		await quire.close();
		quire = await open();
		await quire.generate({ids: ids.slice(0, 48).reverse(), maxTokens: 1, temperature: 0}).result;
		const [restored, again] = await seconds(() => quire.keptSession('long'));
		const [after, result] = await seconds(() => next(again));
		await Quire.sessions.remove('long');
		return {
			adapter: quire.info.adapter.name, computed, saved, restored, after, bytes, tokens,
			cached: result.figures.cachedTokens, same: result.ids.join() === want,
		};
	})`, tokens, model), chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	t.Logf("%s: %d tokens computed in %.2f s; %.1f MB saved in %.2f s (%.0f MB/s), restored in %.3f s (%.0f MB/s): %.1f times faster; four more tokens in %.2f s",
		m.Adapter, m.Tokens, m.Computed, float64(m.Bytes)/1e6, m.Saved, float64(m.Bytes)/1e6/m.Saved, m.Restored, float64(m.Bytes)/1e6/m.Restored,
		m.Computed/m.Restored, m.After)
	assert.Equal(t, m.Tokens/16*16, m.Cached, "nothing is computed again")
	assert.True(t, m.Same, "the same goes on")
	p.quiet()
}
