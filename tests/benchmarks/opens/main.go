//go:build !js

// Command opens measures, in one browser, how long a page takes to open a model from a local server and to give its first token, with
// quire-llm and with wllama, in turns:
//
//	opens -dist web/dist -wllama node_modules/@wllama/wllama/esm -model model.gguf -chromium chromium -runs 3
//
// Each run has a fresh profile, keeps nothing, and prints a line of JSON; a second token of each engine shows what the first costs once
// everything is compiled. Quire is measured from the files it kept, too, after a reload. CGO_ENABLED=0 builds it for machines without Go.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// Both ask the same of the same prompt: 16 tokens of it or so, one token of an answer, greedy, and then another answer.
const pages = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module">
const {searchParams} = new URL(location.href);
const model = new URL('/model.gguf', location.href).href, prompt = 'Once upon a time there was a fox who had a kite, and a friend';
const gpu = await navigator.gpu?.requestAdapter();
const out = {engine: searchParams.get('engine'), adapter: [gpu?.info.vendor, gpu?.info.architecture].join(' '), f16: gpu?.features.has('shader-f16') ?? false};
const clock = () => Math.round(performance.now() - start);
let start = performance.now();
async function quire(keep) {
  const {Quire} = await import('/quire/quire.js');
  const stages = {};
  const engine = await Quire.open({model, keep, context: 4096, onProgress: ({stage, from}) => { stages[stage] = clock(); if (from) out.from = from; }});
  return {open: clock(), stages, compiling: engine.info.kernels, first: () => engine.generate({prompt, maxTokens: 1, temperature: 0, ignoreEnd: true}).result, kept: engine.kept};
}
async function wllama() {
  const {Wllama} = await import('/wllama/index.js');
  const engine = new Wllama({default: new URL('/wllama/wasm/wllama.wasm', location.href).href}, {suppressNativeLog: true});
  engine.setCompat(null);
  await engine.loadModelFromUrl({url: model}, {useCache: false, n_ctx: 4096, n_gpu_layers: 999, flash_attn: true, n_threads: 1});
  return {open: clock(), first: () => engine.createCompletion({prompt, max_tokens: 1, temperature: 0, ignore_eos: true, cache_prompt: false})};
}
// A conversation that the browser keeps: computed, kept, and restored by an engine that has not seen it, each in milliseconds.
async function restore() {
  const {Quire} = await import('/quire/quire.js');
  const tokens = Number(searchParams.get('tokens')), ids = Array.from({length: tokens}, (_, i) => 3 + i * 7919 % 250);
  const open = () => Quire.open({model, keep: false, context: tokens + 64, kvMemory: 1 << 30, maxSeqs: 4});
  const timed = async (call) => {
    start = performance.now();
    const value = await call();
    return [Math.round(10 * (performance.now() - start)) / 10, value];
  };
  const answer = (session, ids, maxTokens) => session.generate({ids, maxTokens, temperature: 0, ignoreEnd: true}).result;
  let engine = await open();
  await answer(engine, [...ids.slice(0, 48)].reverse(), 1); // its kernels are there
  const session = await engine.keptSession('long');
  [out.computed] = await timed(() => answer(session, ids, 1));
  [out.saved] = await timed(() => session.keep());
  const other = engine.session();
  await answer(other, ids, 1);
  const want = (await answer(other, [5], 4)).ids.join();
  [{bytes: out.bytes}] = await Quire.sessions.list();
  await engine.close();
  engine = await open();
  await answer(engine, [...ids.slice(0, 48)].reverse(), 1);
  let again;
  [out.restored, again] = await timed(() => engine.keptSession('long'));
  const next = await answer(again, [5], 4);
  Object.assign(out, {cached: next.figures.cachedTokens, same: next.ids.join() === want});
  [out.computedAgain] = await timed(() => answer(engine, [...ids].reverse(), 1));
  out.gigabytesPerSecond = Math.round(out.bytes / out.restored / 1e4) / 100;
  await engine.close();
  await Quire.sessions.remove('long');
  window.result = out;
}
const run = {quire: () => quire(false), kept: () => quire(true), wllama}[out.engine] ?? (() => new Promise((_, failed) => restore().catch(failed)));
run().then(async ({open, stages, compiling, first, kept}) => {
  Object.assign(out, {open, stages, compiling});
  await first();
  out.firstToken = clock();
  start = performance.now();
  await first();
  out.nextFirstToken = clock();
  if (kept) out.kept = (await kept).kept;
  window.result = out;
}).catch((e) => { window.result = {...out, error: String(e?.message ?? e)}; });
</script>`

func main() {
	dist := flag.String("dist", "web/dist", "`FOLDER` that \"make build\" made")
	wllama := flag.String("wllama", "", "`FOLDER` esm of the npm package @wllama/wllama; without it only Quire is measured")
	model := flag.String("model", "", "`FILE` in GGUF")
	chromium := flag.String("chromium", "chromium", "`PROGRAM` to measure in")
	flags := flag.String("flags", "--enable-unsafe-webgpu --enable-features=Vulkan --ignore-gpu-blocklist", "more of the browser's `FLAGS`")
	runs := flag.Int("runs", 3, "how `MANY` of each")
	restore := flag.Int("restore", 0, "measure how a conversation of so many `TOKENS` is kept and restored, and nothing else")
	limit := flag.Duration("limit", 5*time.Minute, "`TIME` for one of them")
	flag.Parse()
	if *model == "" {
		fmt.Fprintln(os.Stderr, "opens: -model names no file")
		os.Exit(2)
	}
	if err := measure(*dist, *wllama, *model, *chromium, *flags, *runs, *restore, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "opens:", err)
		os.Exit(1)
	}
}

func measure(dist, wllama, model, chromium, flags string, runs, restore int, limit time.Duration) error {
	if _, err := os.Stat(model); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/quire/", http.StripPrefix("/quire", http.FileServer(http.Dir(dist))))
	mux.HandleFunc("/model.gguf", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, model) })
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(pages))
	})
	if wllama != "" {
		mux.Handle("/wllama/", http.StripPrefix("/wllama", http.FileServer(http.Dir(wllama))))
	}
	s := httptest.NewServer(mux)
	defer s.Close()
	for range runs {
		if restore > 0 {
			if err := visit(chromium, flags, limit, fmt.Sprintf("%s/?engine=restore&tokens=%d", s.URL, restore)); err != nil {
				return err
			}
			continue
		}
		if err := visit(chromium, flags, limit, s.URL+"/?engine=quire"); err != nil {
			return err
		}
		if wllama != "" {
			if err := visit(chromium, flags, limit, s.URL+"/?engine=wllama"); err != nil {
				return err
			}
		}
		if err := visit(chromium, flags, limit, s.URL+"/?engine=kept", s.URL+"/?engine=kept"); err != nil {
			return err
		}
	}
	return nil
}

// visit opens pages, one after another, in a browser with a fresh profile, and prints what each says.
func visit(chromium, flags string, limit time.Duration, urls ...string) error {
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(chromium), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck}
	for _, f := range strings.Fields("--headless --no-sandbox --disable-dev-shm-usage --disable-background-networking " + flags) {
		name, value, has := strings.Cut(strings.TrimLeft(f, "-"), "=")
		if has {
			options = append(options, chromedp.Flag(name, value))
		} else {
			options = append(options, chromedp.Flag(name, true))
		}
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		return err
	}
	for _, url := range urls {
		within, cancel := context.WithTimeout(ctx, limit)
		err := chromedp.Do(within, chromedp.Navigate(url))
		if err == nil {
			_, err = chromedp.Run(within, chromedp.Poll[bool]("Boolean(window.result)", chromedp.WithPollingTimeout(limit)))
		}
		var result map[string]any
		if err == nil {
			result, err = chromedp.Run(within, chromedp.Evaluate[map[string]any]("window.result"))
		}
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", url, err)
		}
		line, err := json.Marshal(result)
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	return nil
}
