package engine

import (
	"sync"

	"quire/engine/schedule"
	"quire/engine/step"
	"quire/paging"
)

// EventKind says what happened to a block or a request.
type EventKind string

// The kinds of events.
const (
	EventStored     EventKind = "stored"      // Block can be found in the prefix cache
	EventRemoved    EventKind = "removed"     // Block can no longer be found there
	EventCleared    EventKind = "cleared"     // the prefix cache is empty
	EventForked     EventKind = "forked"      // Sequence shares its blocks with a new one
	EventCopied     EventKind = "copied"      // Block to the block To, before Sequence writes it
	EventSwappedOut EventKind = "swapped out" // Block to the host block To
	EventSwappedIn  EventKind = "swapped in"  // Block from the host block To
	EventPreempted  EventKind = "preempted"   // Sequence's request waits again; Preemption says how
)

// Event is one change of the cache, for pages and dashboards.
type Event struct {
	Kind     EventKind `json:"kind"`
	Sequence uint64    `json:"sequence,omitempty"` // 0 where none is meant; a request's first sequence has the id of its stream
	Group    int       `json:"group,omitempty"`    // KV group
	Block    int32     `json:"block,omitempty"`
	To       int32     `json:"to,omitempty"`

	Preemption *Preemption `json:"preemption,omitempty"` // of EventPreempted
}

// Preemption says why a request was preempted by swap or by recompute: what either was thought to cost.
type Preemption struct {
	Sequences     int    `json:"sequences"`
	Tokens        int    `json:"tokens"` // to compute again
	Blocks        int    `json:"blocks"` // to move to host memory and back
	RecomputeCost uint64 `json:"recomputeCost"`
	SwapCost      uint64 `json:"swapCost"` // in the same unit: nanoseconds of a middling GPU
	Swapped       bool   `json:"swapped"`
}

// eventRoom is how many events wait for their reader before more are dropped.
const eventRoom = 4096

// events is the channel of Events, once anybody asked for it.
type events struct {
	mu      sync.Mutex
	channel chan Event
	closed  bool
	dropped uint64
}

// Events returns the channel of events from now on; there is one, and Close closes it. It never holds the engine up: when
// 4,096 events wait for their reader, more are dropped and counted in Stats.
func (e *Engine) Events() <-chan Event {
	v := &e.events
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.channel == nil {
		v.channel = make(chan Event, eventRoom)
		if v.closed {
			close(v.channel)
		}
	}
	return v.channel
}

func (v *events) tell(event Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.channel == nil || v.closed {
		return
	}
	select {
	case v.channel <- event:
	default:
		v.dropped++
	}
}

func (v *events) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	if v.channel != nil {
		close(v.channel)
	}
}

func (v *events) lost() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.dropped
}

var blockKinds = map[paging.EventKind]EventKind{
	paging.Stored: EventStored, paging.Removed: EventRemoved, paging.Cleared: EventCleared, paging.Forked: EventForked,
	paging.Copied: EventCopied, paging.SwappedOut: EventSwappedOut, paging.SwappedIn: EventSwappedIn,
}

func (v *events) block(b paging.Event) {
	v.tell(Event{Kind: blockKinds[b.Kind], Sequence: b.Sequence, Group: int(b.Group), Block: b.Block, To: b.To})
}

// scheduled notes a step that is about to be submitted, and tells who had to go for it.
func (e *Engine) scheduled(d schedule.Decision, s *step.Step) {
	e.batch = batch{tokens: len(s.Tokens), sequences: len(s.Rows)}
	for _, p := range d.Weighed {
		e.events.tell(Event{Kind: EventPreempted, Sequence: p.Sequence, Preemption: &Preemption{
			Sequences: p.Sequences, Tokens: p.Tokens, Blocks: p.Blocks, RecomputeCost: p.Recompute, SwapCost: p.Swap, Swapped: p.Swapped,
		}})
	}
	if len(e.sightings) > 0 {
		e.sighted(s)
	}
	if e.trace != nil {
		e.trace(s)
	}
}
