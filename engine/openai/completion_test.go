package openai_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
)

// counts says which prompt and which choice it is.
func counts(prompt string, choice int) string { return prompt + string(rune('0'+choice)) }

func TestCompletion(t *testing.T) {
	d := newDoor(t, "", counts)
	o := d.post(t, "/v1/completions", `{"prompt": ["a", "b"], "n": 2}`)
	assert.Equal(t, "text_completion", o["object"])
	stop := func(i float64, text string) object {
		return object{"index": i, "text": text, "logprobs": nil, "finish_reason": "stop"}
	}
	assert.Equal(t, []any{stop(0, "a0"), stop(1, "a1"), stop(2, "b0"), stop(3, "b1")}, o["choices"])
	assert.Equal(t, object{"prompt_tokens": 2.0, "completion_tokens": 12.0, "total_tokens": 14.0, "prompt_tokens_details": object{"cached_tokens": 0.0}}, o["usage"])

	for body, want := range map[string]string{
		`{"prompt": "xy"}`:                                "xy0",
		`{"prompt": [120, 121]}`:                          "xy0",
		`{"prompt": [[120, 121]]}`:                        "xy0",
		`{"prompt": "xy", "echo": true}`:                  "xyxy0",
		`{"prompt": [120, 121], "echo": true}`:            "xyxy0",
		`{"prompt": "xy", "max_tokens": 1}`:               "x",
		`{"prompt": "` + strings.Repeat("z", 20) + `"}`:   strings.Repeat("z", 16),
		`{"prompt": "xy", "echo": true, "max_tokens": 0}`: "xy",
		`{"prompt": "xy", "max_tokens": 0}`:               "",
		`{"prompt": "xy", "stop": "y"}`:                   "x",
		`{"prompt": "xy", "suffix": "", "best_of": 2}`:    "xy0",
	} {
		o := d.post(t, "/v1/completions", body)
		assert.Equal(t, want, at(o, "choices.0.text"), body)
		if strings.Contains(body, "best_of") {
			continue
		}
		text := ""
		for _, e := range d.events(t, "/v1/completions", strings.TrimSuffix(body, "}")+`, "stream": true}`) {
			text += at(e, "choices.0.text").(string)
		}
		assert.Equal(t, want, text, body)
	}
}

// Without a token to come a completion ends at its limit, and counts none.
func TestNoToken(t *testing.T) {
	d := newDoor(t, "", says("")) // which would end at once
	for fields, logprobs := range map[string]any{``: nil, `, "logprobs": 2`: object{"text_offset": []any{}, "token_logprobs": []any{}, "tokens": []any{}, "top_logprobs": []any{}}} {
		o := d.post(t, "/v1/completions", `{"prompt": "xy", "max_tokens": 0`+fields+`}`)
		assert.Equal(t, object{"index": 0.0, "text": "", "logprobs": logprobs, "finish_reason": "length"}, at(o, "choices.0"))
		assert.Equal(t, []any{2.0, 0.0, 2.0}, []any{at(o, "usage.prompt_tokens"), at(o, "usage.completion_tokens"), at(o, "usage.total_tokens")})
		events := d.events(t, "/v1/completions", `{"prompt": "xy", "max_tokens": 0, "stream": true`+fields+`}`)
		require.Len(t, events, 1)
		assert.Equal(t, "length", at(events[0], "choices.0.finish_reason"))
	}
}

func TestCompletionStream(t *testing.T) {
	d := newDoor(t, "", counts)
	events := d.events(t, "/v1/completions", `{"prompt": ["a", "b"], "n": 2, "stream": true, "stream_options": {"include_usage": true}, "mood": "glad"}`)
	texts, reasons := map[float64]string{}, map[float64]any{}
	for _, e := range events[:len(events)-1] {
		c := at(e, "choices.0").(object)
		assert.Contains(t, e, "usage", "what was asked for and comes later is null")
		assert.Nil(t, e["usage"])
		assert.Nil(t, reasons[c["index"].(float64)], "an event after the choice's end")
		texts[c["index"].(float64)] += c["text"].(string)
		reasons[c["index"].(float64)] = c["finish_reason"]
	}
	assert.Equal(t, map[float64]string{0: "a0", 1: "a1", 2: "b0", 3: "b1"}, texts)
	assert.Equal(t, map[float64]any{0: "stop", 1: "stop", 2: "stop", 3: "stop"}, reasons)
	last := events[len(events)-1]
	assert.Equal(t, 14.0, at(last, "usage.total_tokens"))
	assert.Equal(t, []any{`"mood" is not known and was ignored`}, last["warnings"])

	d.models.Say = func(_ string, choice int) string { return []string{"One.", "2"}[choice] }
	var ended []any
	events = d.events(t, "/v1/completions", `{"prompt": "a", "n": 2, "stream": true, "mood": "glad"}`)
	for i, e := range events {
		assert.NotContains(t, e, "usage", "nobody asked")
		if at(e, "choices.0.finish_reason") != nil {
			ended = append(ended, at(e, "choices.0.index"), i == len(events)-1, e["warnings"])
		}
	}
	assert.Equal(t, []any{1.0, false, nil, 0.0, true, []any{`"mood" is not known and was ignored`}}, ended, "a choice's end is told as it comes")
}

// TestSeeds: no two choices of a call share a seed, whatever prompt they are of.
func TestSeeds(t *testing.T) {
	d := newDoor(t, "", counts)
	var seeds []uint64
	d.models.Ask = func(r generation.Request) { seeds = append(seeds, r.Sample.Seed) }
	d.post(t, "/v1/completions", `{"prompt": ["a", "b", "c"], "n": 2, "seed": 5}`)
	assert.Equal(t, []uint64{5, 7, 9}, seeds)
}

func TestCompletionLogprobs(t *testing.T) {
	d := newDoor(t, "", says("é!"))
	body := `{"prompt": "?", "logprobs": 2`
	want := object{"tokens": []any{`bytes:\xc3`, `bytes:\xa9`, "!"}, "token_logprobs": []any{-0.5, -0.5, -0.5}, "text_offset": []any{0.0, 0.0, 1.0},
		"top_logprobs": []any{object{`bytes:\xc3`: -0.5, `bytes:\xc4`: -1.5}, object{`bytes:\xa9`: -0.5, `bytes:\xaa`: -1.5}, object{"!": -0.5, `"`: -1.5}}}
	assert.Equal(t, want, at(d.post(t, "/v1/completions", body+`}`), "choices.0.logprobs"))
	streamed := object{}
	for _, e := range d.events(t, "/v1/completions", body+`, "stream": true}`) {
		if l, ok := at(e, "choices.0.logprobs").(object); ok {
			for name, values := range l {
				streamed[name] = append(list(streamed[name]), values.([]any)...)
			}
		}
	}
	assert.Equal(t, want, streamed)
}

// TestEchoLogprobs: a prompt's own log-probabilities are those of the logits before each token, as lm-evaluation-harness asks for them.
func TestEchoLogprobs(t *testing.T) {
	d := newDoor(t, "", says("d"))
	vocabulary := float64(d.models.About().Vocabulary)
	for _, body := range []string{`{"prompt": "abx", "echo": true, "logprobs": 1, "max_tokens": 0}`, `{"prompt": "abx", "echo": true, "logprobs": 1, "max_tokens": 0, "stream": true}`} {
		var l any
		if strings.Contains(body, "stream") {
			l = at(d.events(t, "/v1/completions", body)[0], "choices.0.logprobs")
		} else {
			l = at(d.post(t, "/v1/completions", body), "choices.0.logprobs")
		}
		require.NotNil(t, l, body)
		assert.Equal(t, []any{"a", "b", "x"}, at(l, "tokens"))
		assert.Equal(t, []any{0.0, 1.0, 2.0}, at(l, "text_offset"))
		scores := at(l, "token_logprobs").([]any)
		assert.Nil(t, scores[0])
		const e10 = 22026.465794806718
		lse := math.Log(e10 + vocabulary - 1) // a row has one logit of 10, that of the next byte, and 0 elsewhere
		assert.InDelta(t, 10-lse, scores[1], 1e-5)
		assert.InDelta(t, -lse, scores[2], 1e-5)
		tops := at(l, "top_logprobs").([]any)
		assert.Nil(t, tops[0])
		assert.Equal(t, []string{"b"}, keys(tops[1]))
		assert.ElementsMatch(t, []string{"c", "x"}, keys(tops[2]), "the likeliest, and the token itself")
	}
}

// TestBeams: vLLM's name for a beam search is the same as ours.
func TestBeams(t *testing.T) {
	d := newDoor(t, "", counts)
	var got generation.Request
	d.models.Ask = func(r generation.Request) { got = r }
	for _, body := range []string{`"beams": 3, "n": 2, "length_penalty": 0.5, "early_stopping": true`, `"use_beam_search": true, "best_of": 3, "n": 2, "length_penalty": 0.5, "early_stopping": true`} {
		a := d.call(t, "POST", "/v1/completions", `{"prompt": "?", `+body+`, "temperature": 0}`)
		require.NotNil(t, got.Beams, "%s", a.Body)
		assert.Equal(t, generation.Beams{Width: 3, LengthPenalty: 0.5, EarlyStopping: generation.StopAtWidth}, *got.Beams)
		assert.Equal(t, []int{2, 0}, []int{got.N, got.BestOf})
	}
}

func keys(value any) []string { return slices.Sorted(maps.Keys(value.(object))) }
