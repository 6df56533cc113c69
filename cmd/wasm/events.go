//go:build js

package main

// part is what one answer of the API has among the bytes of all: so many of them, and perhaps its end.
type part struct {
	ID   int  `json:"id"`
	Size int  `json:"size"`
	End  bool `json:"end,omitempty"`

	Told []told `json:"told,omitempty"` // with a journal: what the bytes are made of, and perhaps more; of the first, perhaps ahead of the head
}

// eventbox gathers the events of all answers and sends those of a landed step at once, as the outbox does chunks.
type eventbox struct {
	send  func(parts []part, bytes []byte)
	parts []part
	bytes []byte
	wake  chan struct{}
}

func newEventbox(send func([]part, []byte)) *eventbox {
	return &eventbox{send: send, wake: make(chan struct{}, 1)}
}

// run sends, without end.
func (e *eventbox) run() {
	for range e.wake {
		if len(e.parts) == 0 {
			continue
		}
		parts := e.parts
		e.parts = nil
		e.send(parts, e.bytes)
		e.bytes = e.bytes[:0]
	}
}

// add takes one more event of an answer. Those that follow one another are one part.
func (e *eventbox) add(id int, event []byte) { e.put(part{ID: id, Size: len(event)}, event) }

// tell takes what the next events of an answer are made of.
func (e *eventbox) tell(id int, t told) { e.put(part{ID: id, Told: []told{t}}, nil) }

// end takes the end of an answer.
func (e *eventbox) end(id int) { e.put(part{ID: id, End: true}, nil) }

func (e *eventbox) put(p part, event []byte) {
	e.bytes = append(e.bytes, event...)
	if last := len(e.parts) - 1; last >= 0 && e.parts[last].ID == p.ID {
		e.parts[last].Size += p.Size
		e.parts[last].End = p.End
		e.parts[last].Told = append(e.parts[last].Told, p.Told...)
	} else {
		e.parts = append(e.parts, p)
	}
	select {
	case e.wake <- struct{}{}:
	default:
	}
}
