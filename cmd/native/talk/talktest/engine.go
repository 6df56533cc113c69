// Package talktest stands in for a model in tests of a chat: a token is a byte, and answers are known.
package talktest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"quire/cmd/native/talk"
	"quire/engine"
	"quire/engine/chat"
	"quire/engine/openai/toolcall"
	"quire/engine/sample"
)

// Engine answers with Answers, one after another.
type Engine struct {
	Context    int
	Name       string // "": Test 1B
	NoTemplate bool
	Template   string // whose marks answers have
	Answers    []string
	Gate       chan struct{} // where not nil, each token waits for one
	Fail       error         // of the next answer, after its text

	Requests []engine.Request // that were made
	Rendered chat.Options     // what the last prompt was rendered with
}

// Info implements talk.Engine.
func (e *Engine) Info() engine.Info {
	return engine.Info{Name: cmp.Or(e.Name, "Test 1B"), Context: e.Context, Blocks: 512, Defaults: sample.Params{Temperature: 0.5, TopP: 1}}
}

// Stats implements talk.Engine.
func (e *Engine) Stats() engine.Stats {
	return engine.Stats{Blocks: engine.BlockStats{Total: 512, Active: 3, Cached: 40}}
}

// HasTemplate implements talk.Engine.
func (e *Engine) HasTemplate() bool { return !e.NoTemplate }

// FitChatPrompt implements talk.Engine.
func (e *Engine) FitChatPrompt(messages []chat.Message, o chat.Options, answer int) ([]int32, int, error) {
	e.Rendered = o
	return chat.Fit(messages, e.Context, answer, func(messages []chat.Message) ([]int32, error) {
		text := ""
		for _, m := range messages {
			if m.Content == "refuse this" {
				return nil, errors.New("the template refuses this")
			}
			text += fmt.Sprintf("<%s>%s", m.Role, talk.Text(m))
		}
		return e.Encode(text + "<assistant>"), nil
	})
}

// TextPrompt implements talk.Engine.
func (e *Engine) TextPrompt(text string) ([]int32, error) { return e.Encode(text), nil }

// Encode implements talk.Engine.
func (e *Engine) Encode(text string) (ids []int32) {
	for _, b := range []byte(text) {
		ids = append(ids, int32(b))
	}
	return ids
}

// Read implements talk.Engine.
func (e *Engine) Read([]int32) (*toolcall.Parser, bool) {
	return toolcall.Detect(e.Template).Parser(nil), e.Template != ""
}

// EndText implements talk.Engine: a dollar ends answers.
func (e *Engine) EndText(id int32) string {
	if id == '$' {
		return "$"
	}
	return ""
}

// Prompt is the text of a request's prompt.
func (e *Engine) Prompt(i int) string {
	var b bytes.Buffer
	for _, id := range e.Requests[i].Prompt {
		b.WriteByte(byte(id))
	}
	return b.String()
}

// Submit implements talk.Engine.
func (e *Engine) Submit(_ context.Context, r engine.Request) (talk.Stream, error) {
	if len(r.Prompt) >= e.Context {
		return nil, fmt.Errorf("%w: it has %d tokens, the context %d", engine.ErrContextTooLong, len(r.Prompt), e.Context)
	}
	answer := "I see."
	if len(e.Answers) > 0 {
		answer, e.Answers = e.Answers[0], e.Answers[1:]
	}
	e.Requests = append(e.Requests, r)
	s := &stream{gate: e.Gate, left: []rune(answer), room: e.Context - len(r.Prompt), cancel: make(chan struct{}), fail: e.Fail}
	s.result.Reason = engine.FinishStop
	if r.MaxTokens > 0 && r.MaxTokens < s.room {
		s.room = r.MaxTokens
		s.result.Limit = engine.LimitTokens
	} else {
		s.result.Limit = engine.LimitContext
	}
	e.Fail = nil
	return s, nil
}

// Save implements talk.Engine.
func (e *Engine) Save(w io.Writer, tokens []int32, note []byte) error {
	_, err := fmt.Fprintf(w, "QuireKV\n%d\n%s", len(tokens), note)
	return err
}

// Restore implements talk.Engine.
func (e *Engine) Restore(r io.ReadSeeker) ([]byte, error) {
	data, err := io.ReadAll(r)
	parts := bytes.SplitN(data, []byte("\n"), 3)
	if err != nil || len(parts[2]) == 0 {
		return nil, err
	}
	return parts[2], nil
}

type stream struct {
	gate   chan struct{}
	left   []rune
	room   int
	cancel chan struct{}
	once   sync.Once
	fail   error
	ended  bool
	result engine.Result
}

// Next implements talk.Stream: a token a rune.
func (s *stream) Next() (c engine.Chunk, more bool) {
	if s.ended {
		return c, false
	}
	defer func() { s.ended = !more }()
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-s.cancel:
		}
	}
	select {
	case <-s.cancel:
		s.result.Reason, s.result.Limit = engine.FinishCancelled, ""
		return engine.Chunk{}, false
	default:
	}
	if len(s.left) == 0 {
		s.result.Limit = ""
		if s.fail != nil {
			s.result.Reason, s.result.Err = engine.FinishError, s.fail
		}
		return engine.Chunk{}, false
	}
	if s.room == 0 {
		s.result.Reason = engine.FinishLength
		return engine.Chunk{}, false
	}
	text := string(s.left[0])
	s.left, s.room = s.left[1:], s.room-1
	s.result.Text += text
	s.result.IDs = append(s.result.IDs, int32(text[0]))
	s.result.Figures = engine.Figures{GeneratedTokens: len(s.result.IDs), DecodePerSecond: 80, TimeToFirst: engine.Duration{Duration: time.Second}}
	return engine.Chunk{Text: text, Token: sample.Token{Candidate: sample.Candidate{ID: int32(text[0])}}}, true
}

// Cancel implements talk.Stream.
func (s *stream) Cancel() { s.once.Do(func() { close(s.cancel) }) }

// Result implements talk.Stream.
func (s *stream) Result() engine.Result {
	for _, more := s.Next(); more; _, more = s.Next() {
	}
	return s.result
}
