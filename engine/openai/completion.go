package openai

import (
	"context"

	"quire/engine/generation"
	"quire/engine/tokenizer"
)

// Completion is what /v1/completions answers, and each event of a stream of it.
type Completion struct {
	ID       string             `json:"id"`
	Object   string             `json:"object"` // "text_completion"
	Created  int64              `json:"created"`
	Model    string             `json:"model"`
	Choices  []CompletionChoice `json:"choices"`
	Usage    *Usage             `json:"usage,omitempty"` // of a stream, in its last event, where it is asked for
	Warnings []string           `json:"warnings,omitempty"`

	prefix string
	later  bool // the usage was asked for, and comes in the stream's last event
}

// MarshalJSON writes null for a usage that comes later.
func (c Completion) MarshalJSON() ([]byte, error) {
	type plain Completion
	return marshalUsage(plain(c), c.later)
}

// CompletionChoice is one of the texts, or what is new of it. Choice j of n of prompt i has index i·n + j.
type CompletionChoice struct {
	Text         string              `json:"text"`
	Index        int                 `json:"index"`
	Logprobs     *CompletionLogprobs `json:"logprobs"`
	FinishReason *string             `json:"finish_reason"` // stop or length; of a stream, with the choice's end
}

// completionTokens is how many tokens a completion has at most, unless its request says.
const completionTokens = 16

// completionJob is a completion that a model is about to give.
type completionJob struct {
	*lease
	query    *CompletionRequest
	requests []generation.Request
	scored   []*promptScores // of the prompts, with echo and logprobs
	id       string
	created  int64
}

// Completion goes on with texts.
func (a *API) Completion(ctx context.Context, q *CompletionRequest) (*Completion, error) {
	j, err := a.completionJob(ctx, q)
	if err != nil {
		return nil, err
	}
	f, failed := j.start(ctx, j.requests)
	if failed != nil {
		return nil, q.asError(failed, "prompt")
	}
	results, failed := f.results()
	if failed != nil {
		return nil, q.asError(failed, "prompt")
	}
	answer := j.answer()
	answer.Warnings, answer.prefix = ending(q.reader.warnings, results...), q.Prefix()
	for i, r := range results {
		for k := range r.Choices {
			answer.Choices = append(answer.Choices, j.choice(i, &r.Choices[k]))
		}
	}
	answer.Usage = j.usage(results)
	return answer, nil
}

// completionJob checks a request and takes its model.
func (a *API) completionJob(ctx context.Context, q *CompletionRequest) (j *completionJob, err *Error) {
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
	j = &completionJob{lease: l, query: q, id: a.newID("cmpl-"), created: a.now().Unix()}
	base, err := q.Sampling.request(a, l)
	if err != nil {
		return nil, err
	}
	if q.MaxTokens == nil {
		base.MaxTokens = completionTokens
	}
	if q.silent() {
		base.MaxTokens = 1
	}
	if q.Logprobs != nil {
		base.Sample.Logprobs = max(1, *q.Logprobs)
	}
	seed := base.Sample.Seed
	for i, p := range q.Prompts {
		r := base
		r.Sample.Seed = seed + uint64(i*max(q.N, q.BestOf, 1))
		if r.Prompt, err = l.promptIDs(p, j.param(i)); err != nil {
			return nil, err
		}
		if q.Echo && q.Logprobs != nil {
			s := newPromptScores(r.Prompt, *q.Logprobs)
			j.scored = append(j.scored, s)
			r.Logits = s.take
		}
		j.requests = append(j.requests, r)
	}
	return j, nil
}

// param is the path of a prompt.
func (j *completionJob) param(i int) string {
	if len(j.query.Prompts) == 1 {
		return "prompt"
	}
	return item("prompt", i)
}

// promptIDs gives a prompt's tokens.
func (l *lease) promptIDs(p Prompt, param string) ([]int32, *Error) {
	if p.IDs == nil {
		return l.encode(p.Text, param)
	}
	return l.known(p.IDs, param)
}

// known refuses ids that the vocabulary lacks.
func (l *lease) known(ids []int32, param string) ([]int32, *Error) {
	if len(ids) == 0 {
		return nil, invalid(param, "empty_array", "%q is empty.", param)
	}
	for i, id := range ids {
		if id < 0 || int(id) >= l.about.Vocabulary {
			return nil, invalid(item(param, i), "invalid_value", "%q is %d, the vocabulary has %d tokens.", item(param, i), id, l.about.Vocabulary)
		}
	}
	return ids, nil
}

// promptText is a prompt as echo tells it.
func (j *completionJob) promptText(i int) string {
	if p := j.query.Prompts[i]; p.IDs == nil {
		return p.Text
	}
	return string(j.engine.Tokenizer().Decode(j.requests[i].Prompt, tokenizer.DecodeOptions{Special: true}))
}

func (j *completionJob) answer() *Completion {
	return &Completion{ID: j.id, Object: "text_completion", Created: j.created, Model: j.name, Choices: []CompletionChoice{}}
}

// finishReason tells how a choice ended. Of a token that nobody asked for it tells nothing.
func (j *completionJob) finishReason(reason generation.FinishReason) string {
	if j.query.silent() {
		return finishReason(generation.FinishLength)
	}
	return finishReason(reason)
}

// choice is a whole text.
func (j *completionJob) choice(request int, c *generation.Choice) CompletionChoice {
	q, reason := j.query, j.finishReason(c.Reason)
	told := CompletionChoice{Text: c.Text, Index: request*max(q.N, 1) + c.Index, FinishReason: &reason}
	tokens := c.Tokens
	if n := len(tokens); n > 0 && c.Reason == generation.FinishStop && !q.IgnoreEnd && j.engine.Tokenizer().IsEnd(tokens[n-1].ID) {
		tokens = tokens[:n-1]
	}
	if q.silent() {
		told.Text, tokens = "", nil
	}
	if q.Echo {
		told.Text = j.promptText(request) + told.Text
	}
	if w := j.scores(request); w != nil {
		for i := range tokens {
			w.token(&tokens[i])
		}
		told.Logprobs = &w.out
	}
	return told
}

// usage adds up what all prompts took.
func (j *completionJob) usage(results []generation.Result) *Usage {
	u := usageOf(results...)
	if j.query.silent() {
		u.TotalTokens, u.CompletionTokens = u.PromptTokens, 0
	}
	return &u
}
