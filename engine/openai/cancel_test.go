package openai_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/openai"
	"quire/engine/openai/openaitest"
)

// endless is a model that goes on until it is cancelled or the context is full.
func endless(t *testing.T) *door {
	d := newDoor(t, openaitest.ChatML, says("on and "))
	d.models.Endless, d.models.Pace = true, time.Millisecond
	return d
}

// idle checks that soon nothing is held any more: where nobody reads on, a token later.
func (d *door) idle(t *testing.T, after time.Duration) {
	t.Helper()
	time.Sleep(after + 2*d.models.Pace)
	assert.Zero(t, d.models.Running.Load(), "a request goes on")
	assert.Zero(t, d.models.Taken.Load(), "a model is held")
}

// TestBreakOff: whoever stops reading a stream cancels its request.
func TestBreakOff(t *testing.T) {
	for path, body := range map[string]string{
		"/v1/chat/completions": `{"messages": [{"role": "user", "content": "?"}], "stream": true, "n": 2}`,
		"/v1/completions":      `{"prompt": ["?", "!"], "stream": true, "max_tokens": 4000}`,
		"/v1/responses":        `{"input": "?", "stream": true}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			d := endless(t)
			a := d.call(t, "POST", path, body)
			require.Equal(t, 200, a.Status, "%s", a.Body)
			n := 0
			for range a.Events {
				if n++; n == 5 {
					break
				}
			}
			d.idle(t, 0)
		})
	}
}

// TestGone: a client that goes away cancels its request, whether it is read or not.
func TestGone(t *testing.T) {
	for _, body := range []string{
		`{"messages": [{"role": "user", "content": "?"}]}`,
		`{"messages": [{"role": "user", "content": "?"}], "stream": true}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			d := endless(t)
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(80*time.Millisecond, cancel)
			a := d.Handle(ctx, openai.Call{Method: "POST", Path: "/v1/chat/completions", Body: []byte(body)})
			if a.Events == nil {
				assert.Equal(t, 499, a.Status)
			}
			<-ctx.Done()
			d.idle(t, time.Second) // for which events wait for their reader
		})
	}
}

// TestDeadline: what there was by a deadline is the answer.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := endless(t)
		d.Now = nil
		o := d.post(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "deadline": 0.3}`)
		assert.Equal(t, "length", at(o, "choices.0.finish_reason"))
		assert.Contains(t, at(o, "choices.0.message.content"), "on")
		assert.Contains(t, o["warnings"].([]any)[0], "deadline")
		events := d.events(t, "/v1/completions", `{"prompt": "?", "deadline": 0.3, "stream": true, "max_tokens": 4000}`)
		last := events[len(events)-1]
		assert.Equal(t, "length", at(last, "choices.0.finish_reason"))
		assert.Contains(t, last["warnings"].([]any)[0], "deadline")
	})
}

// TestNoTime: clients would ask again for what had no time, and again.
func TestNoTime(t *testing.T) {
	d := endless(t)
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	a := d.Handle(ctx, openai.Call{Method: "POST", Path: "/v1/completions", Body: []byte(`{"prompt": "?"}`)})
	assert.Equal(t, []any{408, []string{"false"}}, []any{a.Status, header(a, "X-Should-Retry")}, "%s", a.Body)
}

// TestTimedOut: the door's own time is a deadline too, and a stream tells how it ended.
func TestTimedOut(t *testing.T) {
	for path, body := range map[string]string{
		"/v1/chat/completions": `{"messages": [{"role": "user", "content": "?"}], "stream": true}`,
		"/v1/completions":      `{"prompt": ["?", "!"], "stream": true, "max_tokens": 4000}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
			defer cancel()
			a := endless(t).Handle(ctx, openai.Call{Method: "POST", Path: path, Body: []byte(body)})
			require.Equal(t, 200, a.Status, "%s", a.Body)
			var events []string
			for e := range a.Events {
				events = append(events, string(e))
			}
			assert.Equal(t, "data: [DONE]\n\n", events[len(events)-1])
			assert.Contains(t, events[len(events)-2], `"finish_reason":"length"`)
			assert.Contains(t, events[len(events)-2], "the deadline has passed")
		})
	}
}

// TestFailsAmidStream: an error after the status was told is an event.
func TestFailsAmidStream(t *testing.T) {
	for path, body := range map[string]string{
		"/v1/chat/completions": `{"messages": [{"role": "user", "content": "?"}], "stream": true}`,
		"/v1/completions":      `{"prompt": "?", "stream": true}`,
		"/v1/responses":        `{"input": "?", "stream": true}`,
	} {
		d := newDoor(t, openaitest.ChatML, says("on and on"))
		d.models.FailAfter, d.models.Err = 3, errors.New("the device is gone")
		events := d.events(t, path, body)
		last := events[len(events)-1]
		if path == "/v1/responses" {
			assert.Equal(t, "response.failed", last["type"])
			assert.Equal(t, "the device is gone", at(last, "response.error.message"))
			continue
		}
		assert.Equal(t, object{"message": "the device is gone", "type": "server_error", "param": nil, "code": nil}, last["error"])
	}
}

// TestManyAtOnce: answers of calls that run beside each other do not mix.
func TestManyAtOnce(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, func(prompt string, _ int) string {
		_, text, _ := strings.Cut(prompt, "user\n")
		text, _, _ = strings.Cut(text, "<")
		return text + text
	})
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			word := string(rune('A'+i%26)) + strings.Repeat("x", i)
			body := `{"messages": [{"role": "user", "content": "` + word + `"}]}`
			assert.Equal(t, word+word, at(d.post(t, "/v1/chat/completions", body), "choices.0.message.content"))
			body = strings.TrimSuffix(body, "}") + `, "stream": true}`
			assert.Equal(t, word+word, at(joined(d.events(t, "/v1/chat/completions", body)), "choices.0.message.content"))
		})
	}
	all.Wait()
}
