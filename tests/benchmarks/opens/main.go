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
const run = {quire: () => quire(false), kept: () => quire(true), wllama}[out.engine];
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
	limit := flag.Duration("limit", 5*time.Minute, "`TIME` for one of them")
	flag.Parse()
	if *model == "" {
		fmt.Fprintln(os.Stderr, "opens: -model names no file")
		os.Exit(2)
	}
	if err := measure(*dist, *wllama, *model, *chromium, *flags, *runs, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "opens:", err)
		os.Exit(1)
	}
}

func measure(dist, wllama, model, chromium, flags string, runs int, limit time.Duration) error {
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
