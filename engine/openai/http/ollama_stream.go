package http

import (
	"bytes"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"time"

	"quire/engine/openai"
)

// piece is a line of an answer of ollama's.
type piece struct {
	Model    string    `json:"model"`
	Created  time.Time `json:"created_at"`
	Message  *message  `json:"message,omitempty"`  // of chat
	Response *string   `json:"response,omitempty"` // of generate
	Thinking string    `json:"thinking,omitempty"` // of generate
	Done     bool      `json:"done"`
	Reason   string    `json:"done_reason,omitempty"`

	Total      time.Duration `json:"total_duration,omitempty"` // in nanoseconds, as are the others
	Load       time.Duration `json:"load_duration,omitempty"`
	Prompt     int           `json:"prompt_eval_count,omitempty"`
	PromptTime time.Duration `json:"prompt_eval_duration,omitempty"`
	Answer     int           `json:"eval_count,omitempty"`
	AnswerTime time.Duration `json:"eval_duration,omitempty"`
}

type message struct {
	Role     string     `json:"role"`
	Content  string     `json:"content"`
	Thinking string     `json:"thinking,omitempty"`
	Calls    []toolCall `json:"tool_calls,omitempty"`
}

type toolCall struct {
	ID       string `json:"id,omitempty"`
	Function struct {
		Index     int             `json:"index"`
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

// said is what an answer, or a part of it, says.
type said struct {
	text, thinking string
	calls          []toolCall
}

// say puts what was said where the route has it.
func (p *piece) say(generate bool, s said) {
	if generate {
		p.Response, p.Thinking = &s.text, s.thinking
		return
	}
	p.Message = &message{Role: "assistant", Content: s.text, Thinking: s.thinking, Calls: s.calls}
}

// telling turns the core's events into what ollama tells.
type telling struct {
	model    string
	generate bool
	start    time.Time
	first    time.Time // something came
	calls    []*openCall
	reason   string
	usage    struct {
		Prompt int `json:"prompt_tokens"`
		Answer int `json:"completion_tokens"`
	}
	failed string
}

// openCall is a tool call whose arguments may still come.
type openCall struct {
	id, name  string
	arguments strings.Builder
}

// event is one of the core's.
type event struct {
	Choices []struct {
		Text  string `json:"text"`
		Delta struct {
			Content          string `json:"content"`
			Reasoning        string `json:"reasoning"`
			ReasoningContent string `json:"reasoning_content"`
			Calls            []struct {
				Index    int    `json:"index"`
				ID       string `json:"id"`
				Function struct {
					Name      string `json:"name"`
					Arguments string `json:"arguments"`
				} `json:"function"`
			} `json:"tool_calls"`
		} `json:"delta"`
		Reason string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		Prompt int `json:"prompt_tokens"`
		Answer int `json:"completion_tokens"`
	} `json:"usage"`
	Error *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// take reads an event, and gives the text that is new. Tool calls are whole at the end.
func (t *telling) take(raw []byte) (s said) {
	for line := range bytes.Lines(raw) {
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if data = bytes.TrimSpace(data); !ok || string(data) == "[DONE]" {
			continue
		}
		var e event
		if json.Unmarshal(data, &e) != nil {
			continue
		}
		if e.Error != nil {
			t.failed = e.Error.Message
		}
		if e.Usage != nil {
			t.usage.Prompt, t.usage.Answer = e.Usage.Prompt, e.Usage.Answer
		}
		for _, c := range e.Choices {
			s.text += c.Text + c.Delta.Content
			if s.thinking += c.Delta.ReasoningContent; c.Delta.ReasoningContent == "" {
				s.thinking += c.Delta.Reasoning
			}
			for _, call := range c.Delta.Calls {
				for len(t.calls) <= call.Index {
					t.calls = append(t.calls, &openCall{})
				}
				open := t.calls[call.Index]
				open.id += call.ID
				open.name += call.Function.Name
				open.arguments.WriteString(call.Function.Arguments)
			}
			if c.Reason != "" {
				t.reason = c.Reason
			}
		}
	}
	if t.first.IsZero() && (s.text != "" || s.thinking != "" || len(t.calls) > 0) {
		t.first = time.Now()
	}
	return s
}

// called gives the tool calls, whose arguments ollama has as objects.
func (t *telling) called() (all []toolCall) {
	for i, open := range t.calls {
		var c toolCall
		c.ID, c.Function.Index, c.Function.Name, c.Function.Arguments = open.id, i, open.name, json.RawMessage(open.arguments.String())
		if !json.Valid(c.Function.Arguments) { // the answer was cut
			c.Function.Arguments = json.RawMessage("{}")
		}
		all = append(all, c)
	}
	t.calls = nil
	return all
}

func (t *telling) piece(s said) piece {
	p := piece{Model: t.model, Created: time.Now().UTC()}
	p.say(t.generate, s)
	return p
}

// last is the line that ends an answer.
func (t *telling) last(s said) piece {
	p := t.piece(s)
	now := time.Now()
	if t.first.IsZero() {
		t.first = now
	}
	p.Done, p.Reason, p.Total, p.PromptTime, p.AnswerTime = true, ollamaReason(t.reason), now.Sub(t.start), t.first.Sub(t.start), now.Sub(t.first)
	p.Prompt, p.Answer = t.usage.Prompt, t.usage.Answer
	return p
}

// lines gives an answer as lines of JSON.
func (t *telling) lines(events iter.Seq[[]byte]) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		write := func(v any) bool {
			line, err := json.Marshal(v)
			return err == nil && yield(append(line, '\n'))
		}
		for raw := range events {
			s := t.take(raw)
			if s.text == "" && s.thinking == "" {
				continue
			}
			if !write(t.piece(s)) {
				return
			}
		}
		if t.failed != "" {
			write(map[string]string{"error": t.failed})
			return
		}
		if calls := t.called(); len(calls) > 0 && !write(t.piece(said{calls: calls})) {
			return
		}
		write(t.last(said{}))
	}
}

// whole gives an answer as one object.
func (t *telling) whole(events iter.Seq[[]byte]) (*openai.Answer, *openai.Error) {
	var all said
	for raw := range events {
		s := t.take(raw)
		all.text += s.text
		all.thinking += s.thinking
	}
	if t.failed != "" {
		return nil, &openai.Error{Status: http.StatusInternalServerError, Message: t.failed}
	}
	all.calls = t.called()
	return ollamaJSON(t.last(all))
}
