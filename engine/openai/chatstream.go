package openai

import (
	"context"
	"iter"

	"quire/engine/generation"
	"quire/engine/openai/toolcall"
)

// ChatStream is an answer as it comes.
type ChatStream struct {
	job   *chatJob
	feed  *feed
	ended int // choices that chunks have told the end of
}

// StreamChatCompletion answers a conversation piece by piece. All must be called, or ctx cancelled.
func (a *API) StreamChatCompletion(ctx context.Context, q *ChatRequest) (*ChatStream, error) {
	j, err := a.chatJob(ctx, q)
	if err != nil {
		return nil, err
	}
	f, failed := j.open(ctx, []generation.Request{j.request}, a.patience())
	if failed != nil {
		return nil, j.asError(failed)
	}
	return &ChatStream{job: j, feed: f}, nil
}

// All gives the chunks; an error is the last value. Breaking off cancels the request.
func (s *ChatStream) All() iter.Seq2[*ChatChunk, error] {
	return func(yield func(*ChatChunk, error) bool) {
		choices := map[int]*choice{}
		s.feed.each(func(e event) bool {
			if e.result != nil {
				return s.end(choices, e.result, yield)
			}
			c := s.choice(choices, e.chunk.Index)
			return s.push(c, &e.chunk, yield)
		})
	}
}

func (s *ChatStream) choice(choices map[int]*choice, index int) *choice {
	if choices[index] == nil {
		choices[index] = s.job.newChoice()
	}
	return choices[index]
}

// push tells what a token brought.
func (s *ChatStream) push(c *choice, chunk *generation.Chunk, yield func(*ChatChunk, error) bool) bool {
	j := s.job
	text, ends := chunk.Text, j.ends(chunk.Token.ID)
	if ends {
		text = j.shown(text, []int32{chunk.Token.ID}, generation.FinishStop)
	} else if j.query.Logprobs {
		c.pending = append(c.pending, j.tokenLogprob(&chunk.Token))
	}
	if !c.begun {
		c.begun = true
		empty := ""
		if !yield(s.chunk(chunk.Index, Delta{Role: "assistant", Content: &empty}, nil), nil) {
			return false
		}
	}
	if !s.tell(c, chunk.Index, c.take(c.parser.Push(text)), yield) {
		return false
	}
	if chunk.Reason == "" || s.ended+1 >= j.query.N {
		return true // the last one's end comes with the result's warnings
	}
	return s.finish(c, chunk.Index, chunk.Reason, nil, yield)
}

// finish tells how a choice ended.
func (s *ChatStream) finish(c *choice, index int, reason generation.FinishReason, warnings []string, yield func(*ChatChunk, error) bool) bool {
	c.ended = true
	s.ended++
	if !s.tell(c, index, c.take(c.parser.Finish()), yield) {
		return false
	}
	last := s.chunk(index, Delta{}, c)
	told := c.finish(reason)
	last.Choices[0].FinishReason, last.Warnings = &told, warnings
	if s.ended == s.job.query.N && !s.job.query.Usage {
		last.Dropped = s.job.dropped
	}
	return yield(last, nil)
}

// tell gives a chunk a delta.
func (s *ChatStream) tell(c *choice, index int, deltas []toolcall.Delta, yield func(*ChatChunk, error) bool) bool {
	for _, d := range deltas {
		var told Delta
		switch {
		case d.Call != nil:
			call := ToolCallDelta{Index: d.Call.Index, ID: d.Call.ID, Function: FunctionDelta{d.Call.Name, d.Call.Arguments}}
			if d.Call.Name != "" {
				call.Type = "function"
			}
			told.ToolCalls = []ToolCallDelta{call}
		case d.Reasoning != "":
			told.ReasoningContent = &d.Reasoning
		case d.Content != "":
			told.Content = &d.Content
		default:
			continue
		}
		if !yield(s.chunk(index, told, c), nil) {
			return false
		}
	}
	return true
}

// end tells how the choices ended of which no chunk has told it, and what all took.
func (s *ChatStream) end(choices map[int]*choice, r *generation.Result, yield func(*ChatChunk, error) bool) bool {
	if err := failure(r); err != nil {
		return yield(nil, s.job.asError(err))
	}
	reasoning := 0
	for i := range r.Choices {
		ended := &r.Choices[i]
		c := s.choice(choices, ended.Index)
		if !c.ended {
			var warnings []string
			if s.ended == len(r.Choices)-1 && !s.job.query.Usage {
				warnings = s.job.ending(r)
			}
			if !s.finish(c, ended.Index, ended.Reason, warnings, yield) {
				return false
			}
		}
		reasoning += s.job.count(c.reasoning.String())
	}
	if !s.job.query.Usage {
		return true
	}
	usage := usageOf(*r)
	usage.Completion = &CompletionDetails{reasoning}
	last := s.chunk(0, Delta{}, nil)
	last.Choices, last.Usage, last.Dropped, last.Warnings, last.later = []DeltaChoice{}, &usage, s.job.dropped, s.job.ending(r), false
	return yield(last, nil)
}

// chunk makes a chunk, with the log-probabilities of a choice's tokens that were not told yet.
func (s *ChatStream) chunk(index int, d Delta, c *choice) *ChatChunk {
	j := s.job
	told := DeltaChoice{Index: index, Delta: d}
	if c != nil && len(c.pending) > 0 {
		told.Logprobs = &Logprobs{Content: c.pending}
		c.pending = nil
	}
	return &ChatChunk{ID: j.id, Object: "chat.completion.chunk", Created: j.created, Model: j.name, Choices: []DeltaChoice{told}, later: j.query.Usage}
}
