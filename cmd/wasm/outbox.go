//go:build js

package main

import "quire/engine"

// message is what is new of one stream: text and tokens of a choice, and its end.
type message struct {
	ID     int            `json:"id"`
	Index  int            `json:"index,omitempty"` // of the choice
	Text   string         `json:"text,omitempty"`
	IDs    []int32        `json:"ids,omitempty"`
	Tokens []engine.Token `json:"logprobs,omitempty"` // where log-probabilities are wanted
	Result *result        `json:"result,omitempty"`
}

// outbox gathers what all streams have to say and sends it as one message a landed step.
type outbox struct {
	send     func([]message)
	messages []message
	wake     chan struct{}
}

func newOutbox(send func([]message)) *outbox {
	return &outbox{send: send, wake: make(chan struct{}, 1)}
}

// run sends, without end. A landed step makes all its streams ready before the first of them wakes the outbox, and on
// this host goroutines run in the order in which they became ready: each has added its chunk by then.
func (o *outbox) run() {
	for range o.wake {
		messages := o.messages
		o.messages = nil
		if len(messages) > 0 {
			o.send(messages)
		}
	}
}

// of returns the message of a stream's choice that can still take more, and makes one where there is none.
func (o *outbox) of(id, index int) *message {
	for i := range o.messages {
		if m := &o.messages[i]; m.ID == id && m.Index == index && m.Result == nil {
			return m
		}
	}
	o.messages = append(o.messages, message{ID: id, Index: index})
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return &o.messages[len(o.messages)-1]
}

func (o *outbox) add(id int, c engine.Chunk, tokens bool) {
	m := o.of(id, c.Index)
	m.Text += c.Text
	m.IDs = append(m.IDs, c.Token.ID)
	if tokens {
		m.Tokens = append(m.Tokens, c.Token)
	}
}

// end puts a stream's end with the last that it says.
func (o *outbox) end(id int, r result) {
	for i := len(o.messages) - 1; i >= 0; i-- {
		if m := &o.messages[i]; m.ID == id {
			m.Result = &r
			return
		}
	}
	o.of(id, 0).Result = &r
}
