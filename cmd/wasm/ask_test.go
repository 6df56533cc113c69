//go:build js

package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What one landed step gives to many answers goes out as one message, and each finds its own events in it.
func TestEventboxSendsAStepAtOnce(t *testing.T) {
	const answers, steps = 5, 3
	type message struct {
		parts []part
		bytes string
	}
	sent := make(chan message, answers*steps)
	e := newEventbox(func(parts []part, bytes []byte) { sent <- message{parts, string(bytes)} })
	go e.run()
	var ready [answers]chan string
	for id := range ready {
		ready[id] = make(chan string, 1)
		go func() {
			for event := range ready[id] {
				e.add(id, []byte(event))
			}
		}()
	}
	for range steps {
		for id, r := range ready {
			r <- string("abcde"[:id+1])
		}
		m := <-sent
		require.Len(t, m.parts, answers)
		at := 0
		for _, p := range m.parts {
			assert.Equal(t, "abcde"[:p.ID+1], m.bytes[at:at+p.Size])
			assert.False(t, p.End)
			at += p.Size
		}
		assert.Len(t, m.bytes, at)
	}
	assert.Empty(t, sent)
}

// An answer's last event and its end travel together.
func TestEventboxEnd(t *testing.T) {
	e := newEventbox(nil)
	e.add(1, []byte("ab"))
	e.add(1, []byte("c"))
	e.add(2, []byte("xy"))
	e.end(2)
	e.end(1)
	assert.Equal(t, []part{{ID: 1, Size: 3}, {ID: 2, Size: 2, End: true}, {ID: 1, End: true}}, e.parts)
	assert.Equal(t, "abcxy", string(e.bytes))
}

// A reader that has enough holds its own events back until it wants more, or leaves.
func TestExchangeHolds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	x := &exchange{ctx: ctx, cancel: cancel, wake: make(chan struct{}, 1)}
	assert.True(t, x.flows())
	x.hold(true)
	flowed := make(chan bool)
	go func() { flowed <- x.flows() }()
	x.hold(true)
	x.hold(false)
	assert.True(t, <-flowed)
	x.hold(true)
	go func() { flowed <- x.flows() }()
	x.cancel()
	assert.False(t, <-flowed)
}
