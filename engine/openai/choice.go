package openai

import (
	"strings"

	"quire/engine/generation"
	"quire/engine/openai/toolcall"
)

// choice is one answer as it comes.
type choice struct {
	job       *chatJob
	parser    *toolcall.Parser
	content   strings.Builder
	reasoning strings.Builder
	calls     []ToolCall
	begun     bool
	ended     bool
	pending   []TokenLogprob // of tokens that no chunk has told of
}

func (j *chatJob) newChoice() *choice {
	c := &choice{job: j, parser: j.format.Parser(j.tools)}
	if j.random != nil {
		c.parser.Random = j.random.IntN
	}
	c.parser.Prompt(j.prompt)
	return c
}

// take notes what the parser gave, and gives what of it is told.
func (c *choice) take(deltas []toolcall.Delta) (told []toolcall.Delta) {
	q := c.job.query
	for _, d := range deltas {
		if d.Reasoning != "" && q.ReasoningFormat == "none" {
			d = toolcall.Delta{Content: d.Reasoning}
		}
		switch {
		case d.Call != nil:
			if d.Call.Index > 0 && q.ParallelToolCalls != nil && !*q.ParallelToolCalls {
				continue
			}
			for len(c.calls) <= d.Call.Index {
				c.calls = append(c.calls, ToolCall{Type: "function"})
			}
			call := &c.calls[d.Call.Index]
			call.ID += d.Call.ID
			call.Function.Name += d.Call.Name
			call.Function.Arguments += d.Call.Arguments
		case d.Reasoning != "":
			c.reasoning.WriteString(d.Reasoning)
		default:
			c.content.WriteString(d.Content)
		}
		told = append(told, d)
	}
	return told
}

// message is the whole answer.
func (c *choice) message() AnswerMessage {
	m := AnswerMessage{Role: "assistant", ReasoningContent: c.reasoning.String(), ToolCalls: c.calls}
	if content := c.content.String(); content != "" || len(c.calls) == 0 {
		m.Content = &content
	}
	return m
}

// finish is why the answer ended, as the reference API says it.
func (c *choice) finish(reason generation.FinishReason) string {
	if reason == generation.FinishStop && len(c.calls) > 0 {
		return "tool_calls"
	}
	return finishReason(reason)
}

// finishReason is why a text ended; what a deadline cut off ended at a limit.
func finishReason(reason generation.FinishReason) string {
	if reason == generation.FinishStop {
		return "stop"
	}
	return "length"
}
