package openai_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/openai"
	"quire/engine/openai/openaitest"
)

// A stream goes on over another engine at the very byte where it stood, whatever its events are made of.
func TestJournal(t *testing.T) {
	for name, c := range map[string]struct{ path, body, say string }{
		"a chat":  {"/v1/chat/completions", `{"messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true}}`, "Hello to you."},
		"choices": {"/v1/chat/completions", `{"messages":[{"role":"user","content":"Hi"}],"stream":true,"n":2,"logprobs":true,"top_logprobs":2}`, "Hello"},
		"reasoning and a call": {"/v1/chat/completions", `{"messages":[{"role":"user","content":"Hi"}],"stream":true,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]}`,
			"<think>Hm.</think><tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}}</tool_call>"},
		"a text":     {"/v1/completions", `{"prompt":"Once","stream":true,"max_tokens":9,"stop":["st"]}`, "upon a test"},
		"a response": {"/v1/responses", `{"input":"Hi","stream":true}`, "Hello."},
	} {
		t.Run(name, func(t *testing.T) {
			// run gives the events of a journal's stream, each with the chunks that were told before it.
			run := func(j *openai.Journal, body string) (events []string, had []int, all []generation.Chunk) {
				d := newDoor(t, openaitest.ChatML, says(c.say))
				d.Now = nil
				var mutex sync.Mutex // a stream tells on its own goroutine
				j.Tell = func(c generation.Chunk) {
					mutex.Lock()
					defer mutex.Unlock()
					all = append(all, c)
				}
				a := j.Handle(context.Background(), d.API, openai.Call{Method: "POST", Path: c.path, Body: []byte(body)})
				require.Equal(t, 200, a.Status, "%s", a.Body)
				for e := range a.Events {
					mutex.Lock()
					events, had = append(events, string(e)), append(had, len(all))
					mutex.Unlock()
				}
				mutex.Lock()
				defer mutex.Unlock()
				return events, had, all
			}
			whole, had, all := run(&openai.Journal{Seed: 5, Asked: time.Unix(1e9, 0)}, c.body)
			text := strings.Join(whole, "")
			require.Greater(t, len(whole), 4)
			bytes := 0
			for i, event := range whole {
				for _, cut := range []int{bytes, bytes + len(event)/2} {
					rest, _, later := run(&openai.Journal{Seed: 5, Asked: time.Unix(1e9, 0), Had: all[:had[i]], Bytes: cut}, c.body)
					require.Equal(t, text[cut:], strings.Join(rest, ""), "cut at %d", cut)
					assert.Equal(t, all[had[i]:], append([]generation.Chunk{}, later...), "what is told is new")
				}
				bytes += len(event)
			}
		})
	}
}

// What one call's journal makes is not what another's does.
func TestJournalsDiffer(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("Hello"))
	var seeds []uint64
	d.models.Ask = func(r generation.Request) { seeds = append(seeds, r.Sample.Seed) }
	call := openai.Call{Method: "POST", Path: "/v1/chat/completions", Body: []byte(`{"messages":[{"role":"user","content":"Hi"}]}`)}
	ids := map[any]bool{}
	for _, seed := range []uint64{1, 2, 1} {
		a := (&openai.Journal{Seed: seed, Asked: time.Unix(1e9, 0), Tell: func(generation.Chunk) {}}).Handle(context.Background(), d.API, call)
		ids[parse(t, a.Body)["id"]] = true
	}
	assert.Len(t, ids, 2)
	assert.Equal(t, seeds[0], seeds[2])
	assert.NotEqual(t, seeds[0], seeds[1])
}

// Nobody knows in which order the tokens of several prompts came.
func TestJournalOfSeveralPrompts(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("Hello"))
	j := &openai.Journal{Had: []generation.Chunk{{Text: "H"}}, Tell: func(generation.Chunk) {}}
	a := j.Handle(context.Background(), d.API, openai.Call{Method: "POST", Path: "/v1/completions", Body: []byte(`{"prompt":["A","B"],"stream":true}`)})
	assert.Equal(t, 500, a.Status)
	assert.Contains(t, string(a.Body), "one with several prompts cannot go on")
}
