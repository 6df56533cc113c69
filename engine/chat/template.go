package chat

import (
	"errors"
	"fmt"
	"time"
)

// ErrTemplate is wrapped by every error about a chat template.
var ErrTemplate = errors.New("chat template")

// Error says where a template is wrong, fails, or refuses its messages with raise_exception.
type Error struct {
	Line   int // of the template, from 1; 0 where none is to blame
	Reason string
	Raised bool // the template itself refused, with Reason as its words
}

// Error gives line and reason.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%v: %s", ErrTemplate, e.Reason)
	}
	return fmt.Sprintf("%v: line %d: %s", ErrTemplate, e.Line, e.Reason)
}

// Unwrap gives ErrTemplate.
func (e *Error) Unwrap() error { return ErrTemplate }

// Template is a parsed chat template. It may be rendered from several goroutines at once.
type Template struct {
	body     []node
	bos, eos string
	limits   limits
}

// Options say how messages are rendered.
type Options struct {
	AddGenerationPrompt bool           // end with the start of the assistant's turn
	Tools               any            // functions that the model may call, as JSON describes them; nil for none
	Now                 time.Time      // the clock of strftime_now; the zero time is the present
	Extra               map[string]any // further variables, which go before the standard ones
}

// New parses a template. bos and eos are the texts of the tokens that it may write as bos_token and
// eos_token. Its errors are *Error.
func New(template string, bos, eos string) (*Template, error) {
	return newTemplate(template, bos, eos, usualLimits)
}

func newTemplate(template string, bos, eos string, l limits) (t *Template, err error) {
	defer recoverError(&err)
	if len(template) > l.template {
		fail(0, "the template has %d bytes, more than %d", len(template), l.template)
	}
	p := &parser{tokens: lex(template), limits: l}
	return &Template{body: p.template(), bos: bos, eos: eos, limits: l}, nil
}

// Render gives the text of a conversation. Special tokens are written out in it, and it must be
// encoded with these parsed. Values may be anything that encoding/json can write; keys of objects
// keep their order in json.RawMessage and are sorted in Go maps. Its errors are *Error.
func (t *Template) Render(messages []Message, options Options) (text string, err error) {
	defer recoverError(&err)
	turns := make([]any, len(messages))
	for i, m := range messages {
		turns[i] = m.value()
	}
	vars := map[string]any{
		"messages":              &list{items: turns},
		"bos_token":             t.bos,
		"eos_token":             t.eos,
		"add_generation_prompt": options.AddGenerationPrompt,
		"tools":                 toValue(options.Tools),
		"documents":             nil,
	}
	for name, value := range options.Extra {
		vars[name] = toValue(value)
	}
	if options.Now.IsZero() {
		options.Now = time.Now()
	}
	return t.render(vars, options.Now), nil
}

// render panics with an *Error where the template fails.
func (t *Template) render(vars map[string]any, now time.Time) string {
	e := &evaluator{limits: t.limits, now: now}
	e.run(t.body, (&scope{vars: vars}).inner())
	return e.out.String()
}

// fail ends parsing or rendering; recoverError makes it an error at the package's boundary.
func fail(line int, format string, args ...any) {
	panic(&Error{Line: line, Reason: fmt.Sprintf(format, args...)})
}

func recoverError(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	default:
		*err = &Error{Reason: fmt.Sprint(r)}
	}
}
