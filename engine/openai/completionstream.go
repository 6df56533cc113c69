package openai

import (
	"context"
	"iter"

	"quire/engine/generation"
	"quire/engine/sample"
)

// CompletionStream is a completion as it comes.
type CompletionStream struct {
	job   *completionJob
	feed  *feed
	ended []int // of each prompt, choices that events have told the end of
}

// StreamCompletion goes on with texts piece by piece. All must be called, or ctx cancelled.
func (a *API) StreamCompletion(ctx context.Context, q *CompletionRequest) (*CompletionStream, error) {
	j, err := a.completionJob(ctx, q)
	if err != nil {
		return nil, err
	}
	f, failed := j.open(ctx, j.requests, a.patience())
	if failed != nil {
		return nil, q.asError(failed, "prompt")
	}
	return &CompletionStream{job: j, feed: f, ended: make([]int, len(j.requests))}, nil
}

func (a *API) handleCompletion(ctx context.Context, c Call) (*Answer, *Error) {
	q, err := ReadCompletionRequest(c.Body)
	if err != nil {
		return nil, asError(err, "")
	}
	q.Tenant = c.Tenant
	if !q.Stream {
		return whole(a.Completion(ctx, q))
	}
	s, err := a.StreamCompletion(ctx, q)
	if err != nil {
		return nil, asError(err, "")
	}
	return &Answer{Status: 200, Header: notes(streamHeader(), q.Prefix(), q.reader.warnings), Events: dataEvents(s.All())}, nil
}

func (c *Completion) notes() (string, []string) { return c.prefix, c.Warnings }

// textState is one choice as it comes.
type textState struct {
	begun   bool
	ended   bool
	scores  *logprobWriter // nil where none are asked for
	pending []sample.Token // of tokens that no event has told of
}

// All gives the events; an error is the last value. Breaking off cancels the request.
func (s *CompletionStream) All() iter.Seq2[*Completion, error] {
	return func(yield func(*Completion, error) bool) {
		j := s.job
		states := map[int]*textState{}
		results := make([]generation.Result, len(j.requests))
		open := len(results)
		s.feed.each(func(e event) bool {
			if e.result == nil {
				return s.push(states, e.request, &e.chunk, yield)
			}
			results[e.request] = *e.result
			if err := failure(e.result); err != nil {
				yield(nil, j.query.asError(err, j.param(e.request)))
				return false
			}
			open--
			return s.end(states, e.request, results, open == 0, yield)
		})
	}
}

// push tells what a token brought.
func (s *CompletionStream) push(states map[int]*textState, request int, chunk *generation.Chunk, yield func(*Completion, error) bool) bool {
	j := s.job
	state := s.state(states, request, chunk.Index)
	if !s.echo(state, request, chunk.Index, yield) {
		return false
	}
	if j.query.silent() {
		return true
	}
	if j.query.IgnoreEnd || !j.engine.Tokenizer().IsEnd(chunk.Token.ID) {
		state.pending = append(state.pending, chunk.Token)
	}
	if chunk.Text != "" && !yield(s.event(state, request, chunk.Index, chunk.Text), nil) {
		return false
	}
	if chunk.Reason == "" || s.ended[request]+1 >= j.query.N {
		return true // the last one's end comes with the result's warnings
	}
	return s.finish(state, request, chunk.Index, chunk.Reason, nil, yield)
}

// finish tells how a choice ended.
func (s *CompletionStream) finish(state *textState, request, index int, reason generation.FinishReason, warnings []string, yield func(*Completion, error) bool) bool {
	state.ended = true
	s.ended[request]++
	told := s.event(state, request, index, "")
	finished := s.job.finishReason(reason)
	told.Choices[0].FinishReason, told.Warnings = &finished, warnings
	return yield(told, nil)
}

func (s *CompletionStream) state(states map[int]*textState, request, index int) *textState {
	at := s.index(request, index)
	if states[at] == nil {
		states[at] = &textState{scores: s.job.scores(request)}
	}
	return states[at]
}

func (s *CompletionStream) index(request, index int) int {
	return request*max(s.job.query.N, 1) + index
}

// echo tells a choice's prompt, before anything else of it.
func (s *CompletionStream) echo(state *textState, request, index int, yield func(*Completion, error) bool) bool {
	if state.begun || !s.job.query.Echo {
		return true
	}
	state.begun = true
	return yield(s.event(state, request, index, s.job.promptText(request)), nil)
}

// event tells a text, with the log-probabilities of tokens that were not told yet.
func (s *CompletionStream) event(state *textState, request, index int, text string) *Completion {
	told := CompletionChoice{Text: text, Index: s.index(request, index)}
	if w := state.scores; w != nil {
		for i := range state.pending {
			w.token(&state.pending[i])
		}
		if out := w.take(); len(out.Tokens) > 0 {
			told.Logprobs = &out
		}
	}
	state.pending = nil
	answer := s.job.answer()
	answer.Choices, answer.later = append(answer.Choices, told), s.job.query.Usage
	return answer
}

// end tells how those of a prompt's choices ended of which no event has told it, and with the last what all took.
func (s *CompletionStream) end(states map[int]*textState, request int, results []generation.Result, last bool, yield func(*Completion, error) bool) bool {
	q := s.job.query
	choices := results[request].Choices
	for i := range choices {
		state := s.state(states, request, choices[i].Index)
		if state.ended {
			continue
		}
		var warnings []string
		if last && s.ended[request] == len(choices)-1 && !q.Usage {
			warnings = ending(q.reader.warnings, results...)
		}
		if !s.echo(state, request, choices[i].Index, yield) || !s.finish(state, request, choices[i].Index, choices[i].Reason, warnings, yield) {
			return false
		}
	}
	if !last || !q.Usage {
		return true
	}
	told := s.job.answer()
	told.Usage, told.Warnings = s.job.usage(results), ending(q.reader.warnings, results...)
	return yield(told, nil)
}
