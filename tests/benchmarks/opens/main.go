//go:build !js

// Command opens measures, in one browser, how long a page takes to open a model from a local server and to give its first token, with
// quire-llm and with wllama, in turns:
//
//	opens -dist web/dist -wllama node_modules/@wllama/wllama/esm -model model.gguf -chromium chromium -runs 3
//
// Each run has a fresh profile, keeps nothing, and prints a line of JSON; a second token of each engine shows what the first costs once
// everything is compiled, and "again" what Quire takes to open once more on the page. Quire is measured from the files it kept, too, after a
// reload. CGO_ENABLED=0 builds it for machines without Go.
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
  const open = (onProgress) => Quire.open({model, keep, context: 4096, onProgress});
  const engine = await open(({stage, from}) => { stages[stage] = clock(); if (from) out.from = from; });
  const first = (engine) => engine.generate({prompt, maxTokens: 1, temperature: 0, ignoreEnd: true}).result;
  return {
    open: clock(), stages, compiling: engine.info.kernels, first: () => first(engine), kept: engine.kept,
    again: keep ? null : async () => { // with the worker and the kernels that this page has, once all have compiled
      await engine.generate({prompt, maxTokens: 1, temperature: 1}).result;
      await engine.close();
      start = performance.now();
      const next = await open();
      const again = {open: clock(), compiling: next.info.kernels};
      await first(next);
      return {...again, firstToken: clock()};
    },
  };
}
async function wllama() {
  const {Wllama} = await import('/wllama/index.js');
  const engine = new Wllama({default: new URL('/wllama/wasm/wllama.wasm', location.href).href}, {suppressNativeLog: true});
  engine.setCompat(null);
  await engine.loadModelFromUrl({url: model}, {useCache: false, n_ctx: 4096, n_gpu_layers: 999, flash_attn: true, n_threads: 1});
  return {open: clock(), first: () => engine.createCompletion({prompt, max_tokens: 1, temperature: 0, ignore_eos: true, cache_prompt: false})};
}
// Conversations that the browser keeps, each computed, kept, and restored by an engine that has not seen it, in milliseconds.
async function restore() {
  const {Quire} = await import('/quire/quire.js');
  const tokens = Number(searchParams.get('tokens')), numbers = Array.from({length: Number(searchParams.get('runs'))}, (_, i) => i);
  const idsOf = (number) => Array.from({length: tokens}, (_, i) => 3 + (number + i * 7919) % 250);
  const open = async () => {
    const engine = await Quire.open({model, keep: false, context: tokens + 64, kvMemory: 1 << 30, maxSeqs: 4});
    await answer(engine, idsOf(numbers.length).slice(0, 48), 1); // its kernels are there
    return engine;
  };
  const timed = async (call) => {
    start = performance.now();
    const value = await call();
    return [Math.round(10 * (performance.now() - start)) / 10, value];
  };
  const answer = (session, ids, maxTokens) => session.generate({ids, maxTokens, temperature: 0, ignoreEnd: true}).result;
  const all = numbers.map(() => ({}));
  let engine = await open();
  for (const [number, run] of all.entries()) {
    const session = await engine.keptSession(String(number)), other = engine.session();
    [run.computed] = await timed(() => answer(session, idsOf(number), 1));
    [run.kept] = await timed(() => session.keep());
    await answer(other, idsOf(number), 1);
    run.want = (await answer(other, [5], 4)).ids.join();
  }
  [{bytes: out.bytes}] = await Quire.sessions.list();
  await engine.close();
  engine = await open();
  for (const [number, run] of all.entries()) {
    let session;
    [run.restored, session] = await timed(() => engine.keptSession(String(number)));
    const next = await answer(session, [5], 4);
    Object.assign(run, {cached: next.figures.cachedTokens, same: next.ids.join() === run.want});
    delete run.want;
    await session.keep(); // or it is kept amid the next
  }
  for (const run of all) {
    run.ratio = Math.round(10 * run.computed / run.restored) / 10;
    run.gigabytesPerSecond = Math.round(out.bytes / run.restored / 1e4) / 100;
  }
  out.conversations = all;
  await engine.close();
  for (const number of numbers) await Quire.sessions.remove(String(number));
  window.result = out;
}
const run = {quire: () => quire(false), kept: () => quire(true), wllama}[out.engine] ?? (() => new Promise((_, failed) => restore().catch(failed)));
run().then(async ({open, stages, compiling, first, kept, again}) => {
  Object.assign(out, {open, stages, compiling});
  await first();
  out.firstToken = clock();
  start = performance.now();
  await first();
  out.nextFirstToken = clock();
  if (kept) out.kept = (await kept).kept;
  if (again) out.again = await again();
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
	restore := flag.Int("restore", 0, "measure how conversations of so many `TOKENS`, as many as -runs, are kept and restored, and nothing else")
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
	if restore > 0 {
		return visit(chromium, flags, limit, fmt.Sprintf("%s/?engine=restore&tokens=%d&runs=%d", s.URL, restore, runs))
	}
	for range runs {
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
