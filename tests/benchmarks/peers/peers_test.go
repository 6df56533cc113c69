//go:build !js

package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/bench"
)

func TestTable(t *testing.T) {
	run := table{Shape: "llama-1b", Prompts: []int{512}, Lanes: []int{1, 8}, Gen: 128, Peers: []peer{
		{Name: "quire", Version: "f32", Adapter: "NVIDIA H200", Open: 3400, First: 11, Rates: map[string]float64{"pp512": 9000, "tg128 x 1": 880, "tg128 x 8": 2540}},
		{Name: "transformers.js", Version: "4.3.2", Adapter: "NVIDIA H200", Rates: map[string]float64{"pp512": 10000, "tg128 x 1": 80}, Errors: map[string]string{"tg128 x 8": "out of memory"}},
		{Name: "wllama", Version: "3.13.0", Refused: "it is on the CPU", Rates: map[string]float64{"pp512": 5}},
		{Name: "quire-native", Adapter: "NVIDIA H200", Rates: map[string]float64{"pp512": 10350, "tg128 x 1": 925}},
		{Name: "llama.cpp", Adapter: "NVIDIA H200", Rates: map[string]float64{"pp512": 9000, "tg128 x 1": 7.25}},
	}}
	out := filepath.Join(t.TempDir(), "result")
	require.NoError(t, run.write(out))
	text, err := os.ReadFile(out + ".md")
	require.NoError(t, err)
	assert.Equal(t, `llama-1b in 4 bits, tokens/s (×: Quire's of the same host over it)

| | quire | transformers.js | wllama | quire-native | llama.cpp |
|---|---:|---:|---:|---:|---:|
| pp512 | 9000 | 10000 (0.90×) | – | 10350 | 9000 (1.15×) |
| tg128 x 1 | 880 | 80.0 (11.00×) | – | 925 | 7.2 (127.59×) |
| tg128 x 8 | 2540 | – | – | – | – |
| open, ms | 3400 | – | – | – | – |
| first token after it, ms | 11 | – | – | – | – |

quire f32: NVIDIA H200
transformers.js 4.3.2: NVIDIA H200
  tg128 x 8: out of memory
wllama 3.13.0: refused: it is on the CPU
quire-native: NVIDIA H200
llama.cpp: NVIDIA H200
`, string(text))
	var read table
	data, err := os.ReadFile(out + ".json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &read))
	assert.Equal(t, []ratio{{"pp512", "transformers.js", 0.9}, {"pp512", "llama.cpp", 1.15}, {"tg128 x 1", "transformers.js", 11}, {"tg128 x 1", "llama.cpp", 925 / 7.25}}, read.Ratios)
}

func TestParse(t *testing.T) {
	s, err := parse(nil)
	require.NoError(t, err)
	assert.Equal(t, []int{128, 512, 2048}, s.prompts)
	assert.Equal(t, []int{1, 8, 32, 64}, s.lanes)
	assert.Equal(t, names, s.peers)
	assert.True(t, s.half)
	assert.Equal(t, "batch=0&dtype=q4f16&gen=128&lanes=1%2C8%2C32%2C64&prompts=128%2C512%2C2048&repeat=3&vocabulary=128256", s.parameters())
	for _, bad := range [][]string{{"-peers", "webllm"}, {"-lanes", "1,x"}, {"-precision", "f8"}, {"-shape", "gpt-9"}, {"more"}} {
		_, err := parse(bad)
		assert.Error(t, err, bad)
	}
	require.ErrorContains(t, run(context.Background(), []string{"-kit", t.TempDir()}, io.Discard), "make bench-peers")
}

// Pages see no subgroup matrices unless they may, nor does Quire's worker; and what they report arrives.
func TestSite(t *testing.T) {
	kit := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(kit, "site", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	write("hide.js", "use(HIDE);\n")
	write("quire/worker.js", "work();\n")
	write("transformers/a.mjs", "")
	for matrices, want := range map[bool]string{false: "{\nconst HIDE = [\"chromium-experimental-subgroup-matrix\"];\nuse(HIDE);\n}\n", true: "{\nconst HIDE = [];\nuse(HIDE);\n}\n"} {
		results := make(chan peer, 1)
		server := httptest.NewServer((&settings{kit: kit, matrices: matrices}).handler(results))
		get := func(path string) (string, http.Header) {
			r, err := http.Get(server.URL + path)
			require.NoError(t, err)
			defer r.Body.Close()
			text, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			return string(text), r.Header
		}
		text, header := get("/hide.js")
		assert.Equal(t, want, text)
		assert.Equal(t, "require-corp", header.Get("Cross-Origin-Embedder-Policy"))
		text, _ = get("/quire/worker.js")
		assert.Equal(t, "import '/hide.js';\nwork();\n", text)
		_, header = get("/transformers/a.mjs")
		assert.Equal(t, "text/javascript", header.Get("Content-Type"))
		_, err := http.Post(server.URL+"/result", "", strings.NewReader(`{"peer": "Quire", "rates": {"pp16": 7}, "refused": "no"}`))
		require.NoError(t, err)
		assert.Equal(t, peer{Rates: map[string]float64{"pp16": 7}, Refused: "no"}, <-results)
		server.Close()
	}
}

// The model for transformers.js has a place for every tensor, none over another, and only shapes that it can have are written.
func TestONNX(t *testing.T) {
	dir := t.TempDir()
	shape := tiny
	shape.Context = 128
	require.NoError(t, writeONNX(dir, shape, true))
	data, err := os.Stat(filepath.Join(dir, "onnx", "model_q4f16.onnx_data"))
	require.NoError(t, err)
	weights := tiny.Vocabulary*tiny.Width + tiny.Layers*(2*tiny.Width*tiny.Heads*tiny.HeadDim+2*tiny.Width*tiny.KVHeads*tiny.HeadDim+3*tiny.Width*tiny.FFN)
	assert.InDelta(t, float64(weights)*(0.5+2.0/32), float64(data.Size()), 0.2*float64(data.Size()))
	graph, err := os.ReadFile(filepath.Join(dir, "onnx", "model_q4f16.onnx"))
	require.NoError(t, err)
	assert.Equal(t, 1+7*tiny.Layers, strings.Count(string(graph), "MatMulNBits"))
	var config struct {
		Layers int `json:"num_hidden_layers"`
		JS     struct {
			External map[string]int `json:"use_external_data_format"`
		} `json:"transformers.js_config"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &config))
	assert.Equal(t, tiny.Layers, config.Layers)
	assert.Equal(t, map[string]int{"model_q4f16.onnx": 1}, config.JS.External)
	qwen, err := bench.FindShape("qwen-0.5b")
	require.NoError(t, err)
	require.ErrorContains(t, writeONNX(dir, qwen, true), "qwen-0.5b is not written")
}
