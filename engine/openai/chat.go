package openai

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"quire/engine/generation"
	"quire/engine/grammar"
	"quire/engine/json"
	"quire/engine/openai/toolcall"
	"quire/engine/tokenizer"
)

// chatJob is a chat request that a model is about to answer.
type chatJob struct {
	*lease
	query    *ChatRequest
	request  generation.Request
	format   toolcall.Format
	tools    []toolcall.Tool
	held     func(*grammar.Error) *Error // tells what of the request's grammar is wrong
	prompt   string
	id       string
	created  int64
	warnings []string
	dropped  int        // messages that the context had no room for
	random   *rand.Rand // of a Journal, or nil
}

// ChatCompletion answers a conversation.
func (a *API) ChatCompletion(ctx context.Context, q *ChatRequest) (*ChatCompletion, error) {
	j, err := a.chatJob(ctx, q)
	if err != nil {
		return nil, err
	}
	f, failed := j.start(ctx, []generation.Request{j.request})
	if failed != nil {
		return nil, j.asError(failed)
	}
	results, failed := f.results()
	if failed != nil {
		return nil, j.asError(failed)
	}
	r := &results[0]
	answer := &ChatCompletion{ID: j.id, Object: "chat.completion", Created: j.created, Model: j.name, Choices: []ChatChoice{}, Dropped: j.dropped, Warnings: j.ending(r), prefix: q.Prefix()}
	reasoning := 0
	for i := range r.Choices {
		c := &r.Choices[i]
		choice := j.newChoice()
		text := j.shown(c.Text, c.IDs, c.Reason)
		choice.take(choice.parser.Push(text))
		choice.take(choice.parser.Finish())
		reasoning += j.count(choice.reasoning.String())
		answer.Choices = append(answer.Choices, ChatChoice{Index: c.Index, Message: choice.message(), Logprobs: j.logprobs(c), FinishReason: choice.finish(c.Reason)})
	}
	answer.Usage = usageOf(results...)
	answer.Usage.Completion = &CompletionDetails{reasoning}
	return answer, nil
}

func (a *API) handleChat(ctx context.Context, c Call) (*Answer, *Error) {
	q, err := ReadChatRequest(c.Body)
	if err != nil {
		return nil, asError(err, "")
	}
	q.Tenant = c.Tenant
	if !q.Stream {
		return whole(a.ChatCompletion(ctx, q))
	}
	s, err := a.StreamChatCompletion(ctx, q)
	if err != nil {
		return nil, asError(err, "")
	}
	return &Answer{Status: 200, Header: notes(streamHeader(), q.Prefix(), s.job.warnings), Events: dataEvents(s.All())}, nil
}

// whole tells a whole answer.
func whole[T noted](value T, err error) (*Answer, *Error) {
	if err != nil {
		return nil, asError(err, "")
	}
	answer, failed := jsonAnswer(value)
	if failed == nil {
		prefix, warnings := value.notes()
		answer.Header = notes(answer.Header, prefix, warnings)
	}
	return answer, failed
}

// noted is an answer with something to say in headers.
type noted interface {
	notes() (prefix string, warnings []string)
}

func (c *ChatCompletion) notes() (string, []string) { return c.prefix, c.Warnings }

// chatJob checks a request and takes its model.
func (a *API) chatJob(ctx context.Context, q *ChatRequest) (j *chatJob, err *Error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	l, err := a.take(ctx, q.Model)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	j = &chatJob{lease: l, query: q, id: a.newID("chatcmpl-"), created: a.now().Unix(), warnings: l.warnings(q), random: a.random}
	if j.request, err = q.Sampling.request(a, l); err != nil {
		return nil, err
	}
	if j.prompt, j.request.Prompt, j.dropped, err = l.chatPrompt(q); err != nil {
		return nil, err
	}
	if j.dropped > 0 {
		j.warnings = append(j.warnings, fmt.Sprintf("\"truncation\": the conversation is longer than the context, its oldest messages (%d) were left out", j.dropped))
	}
	if q.Logprobs {
		j.request.Sample.Logprobs = max(1, q.TopLogprobs)
	}
	return j, j.choose()
}

// choose finds how the model writes calls and reasoning.
func (j *chatJob) choose() *Error {
	q := j.query
	j.format = toolcall.Detect(j.about.Template)
	if q.ToolFormat != "" {
		format, err := toolcall.Named(q.ToolFormat)
		if err != nil {
			return invalid("tool_format", "invalid_value", "%s", err)
		}
		j.format = format.As(j.about.Template)
	}
	if q.ToolChoice != ToolsNone {
		for i := range q.Tools {
			tool := toolcall.Tool{Name: q.Tools[i].Name}
			if q.Tools[i].Parameters != nil {
				tool.Parameters, _ = json.Marshal(q.Tools[i].Parameters)
			}
			j.tools = append(j.tools, tool)
		}
	}
	if len(j.tools) > 0 && !j.format.Calls() {
		j.warnings = append(j.warnings, `"tools": how the model writes calls is not known, they stay part of the answer; "tool_format" may name it`)
	}
	f, err := q.Sampling.form(q.ResponseFormat.form(q.formatField()))
	if err != nil {
		return err
	}
	plain := len(j.tools) == 0 && q.ReasoningFormat == "none" && (f == nil || !j.format.Begins(j.prompt))
	if plain || q.IgnoreEnd {
		j.format = toolcall.Format{}
	}
	if err := j.hold(f); err != nil {
		return err
	}
	t := j.engine.Tokenizer()
	for _, mark := range j.format.Marks() {
		ids := t.Encode(mark, tokenizer.EncodeOptions{Special: true})
		j.request.Special = j.request.Special || len(ids) == 1 && t.Hidden(ids[0]) != ""
	}
	return nil
}

// encode gives a prompt's tokens; what cannot fit by its length is not tried.
func (l *lease) encode(text, param string) ([]int32, *Error) {
	if l.about.NoText {
		return nil, unsupported("model", "The model %q gives embeddings or scores, and no text.", l.name)
	}
	if l.tooLong(text) {
		return nil, invalid(param, "context_length_exceeded", "The prompt has %d bytes, more than the context of %d tokens can hold.", len(text), l.about.Context)
	}
	ids, err := l.engine.TextPrompt(text)
	if err != nil {
		return nil, asError(err, param)
	}
	return ids, nil
}

// tooLong reports whether a text has more bytes than the context can hold.
func (l *lease) tooLong(text string) bool {
	most := l.about.Context * l.about.TokenBytes
	return most > 0 && len(text) > most
}

// shown is an answer's text without the token that ended it, where special tokens are written out.
func (j *chatJob) shown(text string, ids []int32, reason generation.FinishReason) string {
	t := j.engine.Tokenizer()
	if n := len(ids); j.request.Special && !j.query.Special && n > 0 && reason == generation.FinishStop && t.IsEnd(ids[n-1]) {
		return strings.TrimSuffix(text, t.Token(ids[n-1]).Text)
	}
	return text
}

// ending gives the warnings of an answer, with what a deadline cut off.
func (j *chatJob) ending(r *generation.Result) []string { return ending(j.warnings, *r) }

func ending(warnings []string, results ...generation.Result) []string {
	for _, r := range results {
		if errors.Is(r.Err, generation.ErrDeadline) {
			return append(warnings[:len(warnings):len(warnings)], "the deadline has passed: the answer is what there was by then")
		}
	}
	return warnings
}

// count gives a text's tokens.
func (l *lease) count(text string) int {
	return len(l.engine.Tokenizer().Encode(text, tokenizer.EncodeOptions{}))
}

// usageOf adds up what requests took.
func usageOf(results ...generation.Result) (u Usage) {
	for _, r := range results {
		u.PromptTokens += r.Figures.PromptTokens
		u.CompletionTokens += r.Figures.GeneratedTokens
		u.Prompt.CachedTokens += r.Figures.CachedTokens
	}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}
