package openai

import (
	"context"
	"iter"
)

// ResponseStream is a response as it comes.
type ResponseStream struct {
	chat     *ChatStream
	response *Response
	newID    func(prefix string) string
}

// StreamResponse gives a response event by event. All must be called, or ctx cancelled.
func (a *API) StreamResponse(ctx context.Context, q *ResponseRequest) (*ResponseStream, error) {
	chat := q.chat()
	chat.Usage = true
	s, err := a.StreamChatCompletion(ctx, chat)
	if err != nil {
		return nil, err
	}
	return &ResponseStream{chat: s, response: q.newResponse(a.newID("resp_"), s.job), newID: a.newID}, nil
}

// Response gives a whole response.
func (a *API) Response(ctx context.Context, q *ResponseRequest) (*Response, error) {
	s, err := a.StreamResponse(ctx, q)
	if err != nil {
		return nil, err
	}
	w := responseWriter{stream: s, yield: func(*ResponseEvent, error) bool { return true }}
	if err := w.run(); err != nil {
		return nil, err
	}
	if s.response.Status == "in_progress" {
		return nil, asError(context.Canceled, "input")
	}
	return s.response, nil
}

func (a *API) handleResponse(ctx context.Context, c Call) (*Answer, *Error) {
	q, err := ReadResponseRequest(c.Body)
	if err != nil {
		return nil, asError(err, "")
	}
	q.Tenant = c.Tenant
	if !q.Stream {
		return whole(a.Response(ctx, q))
	}
	s, err := a.StreamResponse(ctx, q)
	if err != nil {
		return nil, asError(err, "")
	}
	return &Answer{Status: 200, Header: notes(streamHeader(), q.Prefix(), s.chat.job.warnings), Events: namedEvents(s.All())}, nil
}

// namedEvents writes events as server-sent ones, with their types as names.
func namedEvents(events iter.Seq2[*ResponseEvent, error]) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for e := range events {
			if !yield(append([]byte("event: "+e.Type+"\n"), dataEvent(e)...)) {
				return
			}
		}
	}
}

// All gives the events. A failure is one of them, with the error beside it. Breaking off cancels the request.
func (s *ResponseStream) All() iter.Seq2[*ResponseEvent, error] {
	return func(yield func(*ResponseEvent, error) bool) {
		w := responseWriter{stream: s, yield: yield}
		w.run()
	}
}

// responseWriter makes events, and the response, of what comes of a chat.
type responseWriter struct {
	stream *ResponseStream
	yield  func(*ResponseEvent, error) bool
	next   int  // event's number
	gone   bool // nobody listens any more
	open   bool // the last item is
	call   int  // the open call's number
}

// run goes through the chat; an error is told in an event, too.
func (w *responseWriter) run() error {
	r := w.stream.response
	w.emit(&ResponseEvent{Type: "response.created", Response: r.copy()}, nil)
	w.emit(&ResponseEvent{Type: "response.in_progress", Response: r.copy()}, nil)
	for chunk, err := range w.stream.chat.All() {
		if err != nil {
			told := asError(err, "input")
			code := told.Code
			if code == "" {
				code = "server_error"
			}
			r.Status, r.Error = "failed", &ResponseError{code, told.Message}
			w.emit(&ResponseEvent{Type: "response.failed", Response: r.copy()}, told)
			return told
		}
		if w.chunk(chunk); w.gone {
			return nil
		}
	}
	return nil
}

func (w *responseWriter) chunk(chunk *ChatChunk) {
	for i := range chunk.Choices {
		c := &chunk.Choices[i]
		if c.Delta.ReasoningContent != nil {
			w.text("reasoning", "reasoning_text", *c.Delta.ReasoningContent, nil)
		}
		if c.Delta.Content != nil && *c.Delta.Content != "" {
			w.text("message", "output_text", *c.Delta.Content, c.Logprobs)
		}
		for k := range c.Delta.ToolCalls {
			w.called(&c.Delta.ToolCalls[k])
		}
		if c.FinishReason != nil {
			w.finish(*c.FinishReason)
		}
	}
	if chunk.Usage != nil {
		w.end(chunk)
	}
}

// item is the last item, and its index.
func (w *responseWriter) item() (*OutputItem, *int) {
	index := len(w.stream.response.Output) - 1
	return &w.stream.response.Output[index], &index
}

// begin opens an item, and closes the one before.
func (w *responseWriter) begin(o OutputItem) {
	w.close("completed")
	o.Status = "in_progress"
	w.stream.response.Output = append(w.stream.response.Output, o)
	w.open = true
	_, index := w.item()
	w.emit(&ResponseEvent{Type: "response.output_item.added", OutputIndex: index, Item: &o}, nil)
}

var firstPart = new(int)

// text goes on with a message, or with reasoning.
func (w *responseWriter) text(kind, part, delta string, logprobs *Logprobs) {
	if o := w.last(); o == nil || o.Type != kind {
		prefix := "msg_"
		if kind == "reasoning" {
			prefix = "rs_"
		}
		w.begin(OutputItem{ID: w.stream.newID(prefix), Type: kind})
		o, index := w.item()
		o.Content = []OutputPart{{Type: part}}
		w.emit(&ResponseEvent{Type: "response.content_part.added", OutputIndex: index, ItemID: o.ID, ContentIndex: firstPart, Part: &OutputPart{Type: part}}, nil)
	}
	o, index := w.item()
	p := &o.Content[0]
	p.Text += delta
	e := &ResponseEvent{Type: "response." + part + ".delta", OutputIndex: index, ItemID: o.ID, ContentIndex: firstPart, Delta: &delta}
	if part == "output_text" {
		e.Logprobs = &[]TokenLogprob{}
		if logprobs != nil {
			p.Logprobs = append(p.Logprobs, logprobs.Content...)
			e.Logprobs = &logprobs.Content
		}
	}
	w.emit(e, nil)
}

// last is the item that is open, or nil.
func (w *responseWriter) last() *OutputItem {
	if !w.open {
		return nil
	}
	o, _ := w.item()
	return o
}

// called goes on with a call.
func (w *responseWriter) called(d *ToolCallDelta) {
	if o := w.last(); o == nil || o.Type != "function_call" || w.call != d.Index {
		w.call = d.Index
		w.begin(OutputItem{ID: w.stream.newID("fc_"), Type: "function_call", CallID: d.ID, Name: d.Function.Name})
	}
	o, index := w.item()
	if delta := d.Function.Arguments; delta != "" {
		o.Arguments += delta
		w.emit(&ResponseEvent{Type: "response.function_call_arguments.delta", OutputIndex: index, ItemID: o.ID, Delta: &delta}, nil)
	}
}

// close ends the open item, if there is one.
func (w *responseWriter) close(status string) {
	if !w.open {
		return
	}
	w.open = false
	o, index := w.item()
	o.Status = status
	if o.Type == "function_call" {
		w.emit(&ResponseEvent{Type: "response.function_call_arguments.done", OutputIndex: index, ItemID: o.ID, Name: o.Name, Arguments: &o.Arguments}, nil)
	} else {
		p := o.Content[0]
		e := &ResponseEvent{Type: "response." + p.Type + ".done", OutputIndex: index, ItemID: o.ID, ContentIndex: firstPart, Text: &p.Text}
		if p.Type == "output_text" {
			logprobs := append([]TokenLogprob{}, p.Logprobs...)
			e.Logprobs = &logprobs
		}
		w.emit(e, nil)
		w.emit(&ResponseEvent{Type: "response.content_part.done", OutputIndex: index, ItemID: o.ID, ContentIndex: firstPart, Part: &p}, nil)
	}
	done := *o
	w.emit(&ResponseEvent{Type: "response.output_item.done", OutputIndex: index, Item: &done}, nil)
}

// finish notes how the answer ended.
func (w *responseWriter) finish(reason string) {
	r := w.stream.response
	r.Status = "completed"
	if reason == "length" {
		r.Status, r.Incomplete = "incomplete", &IncompleteDetails{"max_output_tokens"}
	}
	if w.close(r.Status); len(r.Output) == 0 {
		w.text("message", "output_text", "", nil)
		w.close(r.Status)
	}
}

// end tells the whole response.
func (w *responseWriter) end(chunk *ChatChunk) {
	r, u := w.stream.response, chunk.Usage
	r.Usage = &ResponseUsage{u.PromptTokens, u.Prompt, u.CompletionTokens, *u.Completion, u.TotalTokens}
	r.Warnings = chunk.Warnings
	w.emit(&ResponseEvent{Type: "response." + r.Status, Response: r.copy()}, nil)
}

// emit tells an event.
func (w *responseWriter) emit(e *ResponseEvent, err error) {
	e.Sequence = w.next
	w.next++
	if !w.gone && !w.yield(e, err) {
		w.gone = true
	}
}

// copy is the response as it is now.
func (r *Response) copy() *Response {
	c := *r
	c.Output = append([]OutputItem{}, r.Output...)
	return &c
}
