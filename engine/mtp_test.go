package engine

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/sample"
)

// guessing are models with blocks that predict further tokens.
func guessing() map[string]hybrid {
	qwen35 := hybrid{arch: "qwen35", width: 64, ffn: 96, vocabulary: 70, heads: 4, kvHeads: 2, headDim: 16, rotary: 8, taps: 4, key: 16, keyHeads: 2, stateHeads: 4, value: 16,
		recurrent: []bool{true, true, true, false}, residual: 1, embedding: 1, logits: 1, drafting: 1, guesses: true, keys: map[string]any{"nextn_predict_layers": uint32(1)}}
	next := qwen35
	next.arch, next.experts, next.used, next.expertFFN, next.sharedFFN = "qwen3next", 5, 2, 40, 24
	next.drafting, next.keys = 2, map[string]any{"nextn_predict_layers": uint32(2)}
	return map[string]hybrid{"qwen35": qwen35, "qwen3next with a vocabulary of its own": next}
}

func (m *hybrid) open(t testing.TB, o Options) *Engine {
	file := m.file(t)
	o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
	e, err := Open(context.Background(), gpu.ReaderSource(file, file.Size()), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e
}

// What a model guesses behind each of its tokens is what the float64 model guesses, whatever drafts it verified.
func TestGuesses(t *testing.T) {
	models := guessing()
	if os.Getenv("QUIRE_ALL") == "" {
		repeats(t)
		delete(models, "qwen3next with a vocabulary of its own")
	}
	for name, m := range models {
		t.Run(name, func(t *testing.T) {
			e := m.open(t, Options{KVType: "f32", Context: 128, MaxSeqs: 2, TokenBudget: 12, Speculation: "mtp"})
			var requests []Request
			for _, p := range testPrompts(3)[1:] {
				for i := range p {
					p[i] %= 70
				}
				requests = append(requests, Request{Prompt: p, MaxTokens: 24, IgnoreEnd: true, DraftMax: -1})
			}
			var texts [][]int32
			for _, r := range say(t, e, requests, true) {
				texts = append(texts, r.IDs)
			}
			require.NoError(t, e.loop.Call(func() {
				before := e.scheduler.Stats()
				said, guesses := drafted(t, e, requests, texts)
				assert.Equal(t, texts, said)
				assert.Greater(t, e.scheduler.Stats().Accepted, before.Accepted)
				for i, text := range texts {
					all := slices.Concat(requests[i].Prompt, text)
					_, hidden := m.forward(all)
					logits := m.guess(all, hidden)
					for j, guess := range guesses[i] {
						row := logits[(len(requests[i].Prompt)+j-1)*m.vocabulary:][:m.vocabulary]
						assert.InDelta(t, slices.Max(row), row[guess], 1e-3, "behind token %d of text %d", j, i)
					}
				}
			}))
		})
	}
}

// predictable makes a model of a width whose next token depends on the last one alone, as its block for multi-token prediction knows.
func predictable(width int) func(name string, weights []float32) {
	return func(name string, weights []float32) {
		if strings.HasSuffix(name, "norm.weight") {
			for i := range weights {
				weights[i] = 1
			}
		}
		switch name[strings.LastIndexByte(strings.TrimSuffix(name, ".weight"), '.')+1:] {
		case "output.weight":
			for i := range weights {
				weights[i] *= 6
			}
		case "ssm_out.weight", "attn_output.weight", "ffn_down.weight":
			clear(weights)
		case "eh_proj.weight":
			clear(weights)
			for i := range width {
				weights[i*2*width+i] = 1
			}
		}
	}
}

// A model that is right about what it says next gives the same text in fewer steps; one that is never right soon says what it did.
func TestMTP(t *testing.T) {
	repeats(t)
	m := guessing()["qwen35"]
	m.tune = predictable(m.width)
	o := Options{Deterministic: true, Context: 128, MaxSeqs: 3, Speculation: "mtp"}
	deep := o
	deep.Deterministic, deep.Depth = false, 4
	for name, e := range map[string]*Engine{"right": m.open(t, o), "right, behind others": m.open(t, deep), "wrong": openFamily(t, "qwen35-mtp", o)} {
		t.Run(name, func(t *testing.T) {
			var requests []Request
			for i, p := range testPrompts(4)[1:] {
				for j := range p {
					p[j] %= 70
				}
				requests = append(requests, Request{Prompt: p, MaxTokens: 40, IgnoreEnd: true, Sample: sample.Params{Temperature: []float64{0, 0.02, 0.7}[i], Seed: 3}})
			}
			under := requests[1]
			under.Grammar = &Grammar{Kind: Regex, Source: "(?s:.{1,200})"}
			requests = append(requests, under)
			plain := slices.Clone(requests)
			for i := range plain {
				plain[i].DraftMax = -1
			}
			before := e.Stats()
			want := say(t, e, plain, true)
			between := e.Stats()
			got := say(t, e, requests, true)
			s := e.Stats()
			for i := range want {
				assert.Equal(t, want[i].Choices, got[i].Choices, "request %d", i)
			}
			accepted, drafted := s.AcceptedTokens-between.AcceptedTokens, s.DraftedTokens-between.DraftedTokens
			t.Logf("%d steps, %d without drafts; %d of %d drafted were right", s.Steps-between.Steps, between.Steps-before.Steps, accepted, drafted)
			assert.Zero(t, between.DraftedTokens-before.DraftedTokens)
			if name != "wrong" {
				assert.Greater(t, accepted, uint64(40))
				assert.Less(t, s.Steps-between.Steps, between.Steps-before.Steps)
			} else {
				assert.Positive(t, drafted)
				assert.Less(t, drafted, uint64(50))
			}
		})
	}
}

// Blocks that are not there are missed by name.
func TestMTPIsChecked(t *testing.T) {
	_, err := Open(t.Context(), modelSource(t, "tiny-tales"), Options{Speculation: "mtp", GPU: gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}})
	require.ErrorIs(t, err, ErrBadRequest)
	assert.ErrorContains(t, err, "has no blocks that predict further tokens")
	m := guessing()["qwen35"]
	m.guesses = false
	file := m.file(t)
	_, err = Open(t.Context(), gpu.ReaderSource(file, file.Size()), Options{Speculation: "mtp", GPU: gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}})
	assert.ErrorContains(t, err, "no tensor blk.4.nextn.enorm.weight")
}
