//go:build !js

package cli

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/testdata"
)

// generated is what run --json prints for a prompt.
type generated struct {
	PromptIDs    []int32 `json:"promptIds"`
	IDs          []int32 `json:"ids"`
	Text         string  `json:"text"`
	FinishReason string  `json:"reason"`
	Limit        string  `json:"limit"`
	Error        string  `json:"error"`
	Logprobs     []struct {
		ID             int32
		Logit, Logprob float64
		Top            []struct {
			ID             int32
			Logit, Logprob float64
		}
	} `json:"logprobs"`
	Figures map[string]any `json:"figures"`
}

func objects(t *testing.T, r result) []generated {
	t.Helper()
	var all []generated
	for line := range strings.Lines(r.stdout) {
		var g generated
		require.NoError(t, json.Unmarshal([]byte(line), &g), line)
		all = append(all, g)
	}
	return all
}

// golden is a file of known right tokens.
type golden struct {
	Text      string  `json:"text"`
	PromptIDs []int32 `json:"prompt_ids"`
	GreedyIDs []int32 `json:"greedy_ids"`
}

func TestRunTellsTheGoldenStory(t *testing.T) {
	var want golden
	require.NoError(t, json.Unmarshal(testdata.Bytes(t, "golden/quire-tales/once.json"), &want))
	r := quire(t, "run", "--raw", "--temperature", "0", "--max-tokens", "8", "--kv-type", "f32", "--ignore-eos", "--json", "--logprobs", "3", want.Text).ok(t)
	all := objects(t, r)
	require.Len(t, all, 1)
	g := all[0]
	assert.Equal(t, want.PromptIDs, g.PromptIDs)
	assert.Equal(t, want.GreedyIDs[:8], g.IDs)
	assert.Equal(t, "length", g.FinishReason)
	assert.Equal(t, "maxTokens", g.Limit)
	require.Len(t, g.Logprobs, 8)
	for i, token := range g.Logprobs {
		assert.Equal(t, g.IDs[i], token.ID)
		require.Len(t, token.Top, 3)
		assert.Equal(t, token.ID, token.Top[0].ID, "greedy takes the best")
		assert.Equal(t, token.Logit, token.Top[0].Logit)
		assert.GreaterOrEqual(t, token.Top[1].Logit, token.Top[2].Logit)
		assert.Less(t, token.Logprob, 1e-6)
	}
	for _, key := range []string{"adapter", "loadTime", "seed", "promptTokens", "cachedTokens", "generatedTokens", "timeToFirst", "promptPerSecond", "decodePerSecond", "blocks"} {
		assert.Contains(t, g.Figures, key)
	}
	assert.EqualValues(t, 8, g.Figures["generatedTokens"])

	plain := quire(t, "run", want.Text, "--raw", "--temperature", "0", "--max-tokens", "8", "--kv-type", "f32").ok(t)
	assert.Equal(t, g.Text+"\n", plain.stdout, "the text and a last newline are on stdout, nothing else")
	assert.Contains(t, plain.stderr, "\nthe text stopped at the limit of 8 tokens (--max-tokens)\n")
	assert.Regexp(t, `\| prompt \d+ tokens, [\d.]+ tokens/s \| first token after [\d.]+ s \| 8 tokens, [\d.]+ tokens/s \| \d+ of 512 blocks, 64\.1 MiB\n$`, plain.stderr)
	assert.NotContains(t, plain.stderr, "\r", "no bar where there is no terminal")
}

func TestRunOfNothingButBOS(t *testing.T) {
	g := objects(t, quire(t, "run", "--raw", "--temperature", "0", "--max-tokens", "2", "--json", "--ignore-eos", "").ok(t))[0]
	assert.Equal(t, []int32{0}, g.PromptIDs)
	assert.Len(t, g.IDs, 2)
}

func TestRunAppliesTheChatTemplate(t *testing.T) {
	r := quire(t, "run", "Hi.", "--max-tokens", "1", "--json").ok(t)
	ids := objects(t, r)[0].PromptIDs
	text := quireWith(t, strings.Trim(strings.ReplaceAll(jsonIDs(t, ids), ",", " "), "[]"), "detokenize", "--special").ok(t).stdout
	assert.Equal(t, "<|endoftext|><|user|>Hi.<|end|><|assistant|>", text)
}

func jsonIDs(t *testing.T, ids []int32) string {
	b, err := json.Marshal(ids)
	require.NoError(t, err)
	return string(b)
}

func TestRunStopsAtAText(t *testing.T) {
	args := []string{"run", "--raw", "--temperature", "0", "--max-tokens", "12", "--json", "Once upon a time"}
	whole := objects(t, quire(t, args...).ok(t))[0]
	words := strings.Fields(whole.Text)
	require.Greater(t, len(words), 4)
	stop := words[3]
	g := objects(t, quire(t, append(args, "--stop", stop)...).ok(t))[0]
	assert.Equal(t, "stop", g.FinishReason)
	before, _, _ := strings.Cut(whole.Text, stop)
	assert.Equal(t, before, g.Text)
}

// Tokens that are banned do not come, and requests with penalties and without share a batch.
func TestRunPenalizes(t *testing.T) {
	args := []string{"run", "--raw", "--temperature", "0", "--max-tokens", "12", "--json", "--ignore-eos"}
	plain := objects(t, quire(t, append(args, "Once upon a time")...).ok(t))[0]
	ban := strconv.Itoa(int(plain.IDs[3]))
	banned := objects(t, quire(t, append(args, "--logit-bias", ban+"=-100", "Once upon a time")...).ok(t))[0]
	assert.Equal(t, plain.IDs[:3], banned.IDs[:3])
	assert.NotContains(t, banned.IDs, plain.IDs[3])
	lines := `{"prompt":"Once upon a time"}
{"prompt":"Once upon a time","logit_bias":{"` + ban + `":-100}}
{"prompt":"Once upon a time","repetition_penalty":0.4,"dry_multiplier":0.1}
`
	all := objects(t, quireWith(t, lines, append(args, "--prompts", "-")...).ok(t))
	require.Len(t, all, 3)
	assert.Equal(t, plain.IDs, all[0].IDs)
	assert.Equal(t, banned.IDs, all[1].IDs)
	assert.NotEqual(t, plain.IDs, all[2].IDs)
}

func TestRunBatchesPrompts(t *testing.T) {
	lines := `{"prompt":"Once upon a time","seed":5,"max_tokens":4}
{"prompt":"The fox","temperature":0,"max_tokens":2}

{"prompt":"Once upon a time","seed":5,"max_tokens":4}
`
	args := []string{"run", "--raw", "--json", "--temperature", "1", "--max-tokens", "9", "--deterministic", "--prompts"}
	r := quireWith(t, lines, append(args, "-")...).ok(t)
	all := objects(t, r)
	require.Len(t, all, 3)
	assert.Equal(t, all[0].IDs, all[2].IDs, "the same seed gives the same text")
	assert.Len(t, all[0].IDs, 4)
	assert.Len(t, all[1].IDs, 2)
	assert.EqualValues(t, 5, all[0].Figures["seed"])

	alone := objects(t, quire(t, "run", "--raw", "--json", "--max-tokens", "2", "--temperature", "0", "--deterministic", "The fox").ok(t))
	assert.Equal(t, alone[0].IDs, all[1].IDs)
	assert.Equal(t, alone[0].PromptIDs, all[1].PromptIDs)

	plain := file(t, "prompts.txt", []byte("Once upon a time\r\n\nThe fox\n"))
	text := quire(t, "run", "--raw", "--temperature", "0", "--max-tokens", "2", "--prompts", plain).ok(t)
	first, second, found := strings.Cut(text.stdout, "\n\n==> prompt 2 <==\n")
	require.True(t, found, text.stdout)
	assert.True(t, strings.HasPrefix(first, "==> prompt 1 <==\n"), first)
	assert.Equal(t, all[1].Text+"\n", second)
	assert.Contains(t, text.stderr, "\nprompt 2: the text stopped at the limit of 2 tokens (--max-tokens)\n")
	assert.Equal(t, 2, strings.Count(text.stderr, "first token after"), "figures for each")
}

// A line of JSON takes what the tab takes: conversations, content in parts, one stop text.
func TestRunConversations(t *testing.T) {
	r := quireWith(t, `{"prompt":"Tell me a story."}
{"messages":[{"role":"user","content":"Tell me a story."}],"stop":null}
{"messages":[{"content":[{"type":"text","text":"Tell me a story."}],"role":"user"}]}
{"messages":[{"role":"user","content":"Hello."},{"role":"assistant","content":"Hi!"},{"role":"user","content":"Tell me a story."}],"stop":"."}
{"messages":[{"role":"user","content":"Tell me a story."}],"stop":"."}
{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}]}
`, "run", "--json", "--temperature", "0", "--max-tokens", "24", "--deterministic", "--prompts", "-")
	assert.Equal(t, 1, r.code)
	all := objects(t, r)
	require.Len(t, all, 6)
	for _, same := range all[1:3] {
		assert.Equal(t, all[0].PromptIDs, same.PromptIDs)
		assert.Equal(t, all[0].IDs, same.IDs)
	}
	assert.Greater(t, len(all[3].PromptIDs), len(all[0].PromptIDs))
	before, _, found := strings.Cut(all[0].Text, ".")
	require.True(t, found, all[0].Text)
	assert.Equal(t, before, all[4].Text)
	assert.Equal(t, "stop", all[4].FinishReason)
	assert.Contains(t, all[5].Error, `message 0: content part 0 is of type "image_url"`)
}

func TestRunRefusesPrompts(t *testing.T) {
	tests := []struct{ name, lines, says string }{
		{"nothing", "\n\n", "holds no prompts"},
		{"unknown field", "{\"prompt\":\"a\"}\n{\"prompt\":\"b\",\"temprature\":1}\n", `line 2: unknown field "temprature"`},
		{"no prompt", `{"seed":1}`, `line 1: no "prompt", no "ids" and no "messages"`},
		{"prompt and ids", `{"prompt":"a","ids":[1]}`, `line 1: of "prompt", "ids" and "messages" only one goes into a line`},
		{"prompt and messages", `{"prompt":"a","messages":[{"role":"user","content":"a"}]}`, "only one goes into a line"},
		{"messages of none", `{"messages":[]}`, `line 1: "messages" is empty`},
		{"messages that are text", `{"messages":"a"}`, `line 1: field "messages" is text`},
		{"a message without a role", `{"messages":[{"role":"user","content":"a"},{"content":"b"}]}`, "line 1: message 1 has no role"},
		{"stop is a number", `{"prompt":"a","stop":5}`, "line 1: stop must be a text or a list of texts"},
		{"ids of none", `{"ids":[]}`, `line 1: "ids" is empty`},
		{"ids that are text", `{"ids":["a"]}`, `line 1: field "ids" is text, it must be a whole number`},
		{"a wrong type", "{\"prompt\":\"a\"}\n{\"prompt\":\"b\",\"seed\":-1}", `line 2: field "seed" is -1, it must be a whole number from 0 on`},
		{"text in JSON Lines", "{\"prompt\":\"a\"}\nOnce upon a time\n", "line 2: this is not valid JSON"},
		{"two values", `{"prompt":"a"} {"prompt":"b"}`, "more than one JSON value"},
		{"out of range", `{"prompt":"a","top_p":7}`, "top_p is 7"},
		{"broken", `{"prompt":`, "line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := quireWith(t, tt.lines, "run", "--prompts", "-")
			assert.Equal(t, 1, r.code)
			assert.Empty(t, r.stdout)
			assert.Equal(t, 1, strings.Count(r.stderr, tt.says), r.stderr)
		})
	}
}

func TestRunPromptOverTheContext(t *testing.T) {
	long := strings.Repeat("fox ", 40)
	r := quire(t, "run", "--raw", "--ctx", "16", long)
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.stdout)
	assert.Contains(t, r.stderr, "the context 16")
	assert.Contains(t, r.stderr, "raise --ctx")

	lines := file(t, "prompts.txt", []byte(long+"\nThe fox\n"))
	batch := quire(t, "run", "--raw", "--json", "--temperature", "0", "--max-tokens", "2", "--ctx", "16", "--prompts", lines)
	assert.Equal(t, 1, batch.code)
	all := objects(t, batch)
	require.Len(t, all, 2)
	assert.Equal(t, "error", all[0].FinishReason)
	assert.Contains(t, all[0].Error, "the context 16")
	assert.Len(t, all[1].IDs, 2, "the other prompt is unharmed")
	assert.Contains(t, batch.stderr, "1 of 2 prompts failed")
	assert.NotContains(t, batch.stderr, "the context 16", "the JSON says it already")
}

func TestRunWithTooLittleMemory(t *testing.T) {
	r := quire(t, "run", "--kv-memory", "1K", "hi")
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.stdout)
	assert.Contains(t, r.stderr, "--kv-memory")
}

func TestRunOnAnUnknownAdapter(t *testing.T) {
	r := quire(t, "run", "--adapter", "no such card", "hi")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, `"no such card"`)
	assert.Contains(t, r.stderr, "quire adapters")
}

func TestRunReadsThePromptFromStdin(t *testing.T) {
	args := []string{"run", "--raw", "--json", "--temperature", "0", "--max-tokens", "1"}
	want := objects(t, quire(t, append(args, "The fox")...).ok(t))[0].PromptIDs
	assert.Equal(t, want, objects(t, quireWith(t, "The fox\n", args...).ok(t))[0].PromptIDs)
	assert.Equal(t, want, objects(t, quireWith(t, "The fox\n", append(args, "-")...).ok(t))[0].PromptIDs)
}

func TestAdapters(t *testing.T) {
	text := quire(t, "adapters").ok(t)
	assert.True(t, strings.HasPrefix(text.stdout, "0  "))
	first, _, _ := strings.Cut(quire(t, "adapters", "--json").ok(t).stdout, "\n")
	var adapter struct {
		Index    int
		Name     string
		Features []string
		Limits   map[string]uint64
	}
	require.NoError(t, json.Unmarshal([]byte(first), &adapter))
	assert.Contains(t, text.stdout, adapter.Name)
	assert.GreaterOrEqual(t, adapter.Limits["maxStorageBuffersPerShaderStage"], uint64(8))
}

func TestBench(t *testing.T) {
	var report struct {
		Adapter   string
		Bandwidth float64 `json:"bandwidth_gb_per_second"`
		Shape     string
		Type      string
		Variant   string
		Command   string
		Backend   string
		KVType    string `json:"kv_type"`
		Features  []string
		Load      struct {
			Seconds, Bytes, Kernels float64
			Weights                 float64 `json:"weight_seconds"`
			Rate                    float64 `json:"gb_per_second"`
			Compiling               float64 `json:"kernel_seconds"`
			Host                    float64 `json:"peak_host_bytes"`
		}
		Results []struct {
			Kind                      string
			Prompt, Gen, Batch, Depth int
			Rate                      float64 `json:"tokens_per_second"`
			Share                     float64 `json:"bandwidth_share"`
			Dispatches                int     `json:"dispatches_per_step"`
			Test                      string
			Deviation                 float64
			Samples                   []float64
			First                     *float64 `json:"first_token_ms"`
		}
	}
	r := quire(t, "bench", "--pp", "16", "--tg", "4", "--batch", "1,2", "-d", "0,32", "-r", "2", "--without", "subgroups", "--json").ok(t)
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &report))
	assert.NotEmpty(t, report.Adapter)
	assert.Positive(t, report.Bandwidth)
	assert.Equal(t, "quire-tales.gguf", report.Shape)
	assert.Equal(t, "q8_0", report.Type)
	assert.NotEmpty(t, report.Variant)
	assert.Equal(t, "f16", report.KVType)
	assert.NotContains(t, report.Features, "subgroups")
	load := report.Load
	assert.Positive(t, load.Kernels)
	assert.Positive(t, load.Compiling)
	assert.Greater(t, load.Weights, 0.0)
	assert.Greater(t, load.Seconds, load.Weights)
	assert.InDelta(t, load.Bytes/load.Weights/1e9, load.Rate, 1e-6*load.Rate)
	assert.Greater(t, load.Bytes, 1e6)
	assert.Greater(t, load.Host, 1e7)
	require.Len(t, report.Results, 8)
	for i, m := range report.Results {
		assert.Equal(t, []string{"prefill", "decode"}[i%2], m.Kind)
		assert.Equal(t, []int{1, 1, 2, 2}[i%4], m.Batch)
		assert.Equal(t, []int{0, 32}[i/4], m.Depth)
		assert.Equal(t, []int{16, 0}[i%2], m.Prompt)
		assert.Equal(t, []int{0, 4}[i%2], m.Gen)
		assert.Positive(t, m.Rate)
		assert.Positive(t, m.Share)
		assert.Positive(t, m.Dispatches)
		assert.Equal(t, []string{"pp16", "tg4", "pp16", "tg4", "pp16 @ d32", "tg4 @ d32", "pp16 @ d32", "tg4 @ d32"}[i], m.Test)
		if m.Kind == "prefill" { // of one sequence the rate says the same
			require.NotNil(t, m.First)
			assert.Positive(t, *m.First)
			assert.LessOrEqual(t, *m.First, 1000*16*float64(m.Batch)/slices.Min(m.Samples))
		} else {
			assert.Nil(t, m.First)
		}
		require.Len(t, m.Samples, 2)
		assert.InDelta(t, (m.Samples[0]+m.Samples[1])/2, m.Rate, 1e-6*m.Rate)
		assert.InDelta(t, math.Abs(m.Samples[0]-m.Samples[1])/math.Sqrt2, m.Deviation, 1e-6*m.Rate)
	}
	assert.Equal(t, "quire bench --pp 16 --tg 4 --batch 1,2 -d 0,32 -r 2 --without subgroups --json", report.Command)
	assert.Equal(t, "vulkan", report.Backend)
	unknown := quire(t, "bench", "--without", "rays")
	assert.Equal(t, 2, unknown.code)
	assert.Contains(t, unknown.stderr, `--without: there is no feature "rays"`)
	over := quire(t, "bench", "--prompt", "16", "--depth", "2000")
	assert.Equal(t, 1, over.code)
	assert.Contains(t, over.stderr, "of context")
}

func TestBenchWritesAModelThatRuns(t *testing.T) {
	path := file(t, "random.gguf", nil)
	r := quire(t, "bench", "--shape", "qwen-0.5b", "--type", "q4_0", "--write-gguf", path).ok(t)
	assert.Empty(t, r.stdout)
	info, err := os.Stat(path)
	require.NoError(t, err)
	got := inspect(t, path)
	assert.Equal(t, info.Size(), got.Bytes)
	assert.Empty(t, got.Problems)
	assert.InDelta(t, 494e6, got.Memory.Parameters, 1e6)
}
