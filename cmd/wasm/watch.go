//go:build js

package main

import (
	"time"

	"quire/engine"
)

// watchEvery is the least time between two pictures of the blocks.
const watchEvery = 100 * time.Millisecond

// mostTold is how many events go with one picture: the last ones.
const mostTold = 256

// A block takes two 16-bit numbers, little-endian: its owner in sequences plus 1, and its references with a bit for being
// cached.
const cachedBit = 1 << 15

type holder struct {
	Stream  int    `json:"stream"`  // the id of its request's call
	Request uint64 `json:"request"` // counts all requests of the engine
	Index   int    `json:"index"`
	Blocks  int    `json:"blocks"` // 0 while it waits
}

type blockEvent struct {
	engine.Event
	Stream int `json:"stream,omitempty"` // the id of its request's call
}

// picture is what watchers see beside the blocks.
type picture struct {
	Sequences []holder     `json:"sequences"`
	Shared    int          `json:"shared"`
	Events    []blockEvent `json:"events"`
	Stats     engine.Stats `json:"stats"`
}

// watcher sends the KV cache's blocks whenever they have changed.
type watcher struct {
	bridge   *bridge
	snapshot engine.Snapshot
	packed   []byte
	streams  map[uint64]int // calls, by the ids of sequences
	stop     chan struct{}
}

// watch starts or stops pictures of the blocks.
func (b *bridge) watch(on bool) {
	if b.watching != nil {
		close(b.watching.stop)
		b.watching = nil
	}
	if on {
		b.watching = &watcher{bridge: b, streams: map[uint64]int{}, stop: make(chan struct{})}
		go b.watching.run(b.engine)
	}
}

func (w *watcher) run(e *engine.Engine) {
	events := e.Events()
	w.drain(events) // what happened before belongs to no picture
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var last engine.Stats
	for first := true; ; first = false {
		now := e.Stats()
		if first || now != last {
			last = now
			if e.Blocks(&w.snapshot) != nil {
				return
			}
			w.send(e, w.drain(events))
		}
		select {
		case <-tick.C:
		case <-w.stop:
			return
		}
	}
}

// drain takes the events that wait, but for stored ones, which the blocks show themselves.
func (w *watcher) drain(events <-chan engine.Event) []engine.Event {
	var list []engine.Event
	for {
		select {
		case event, open := <-events:
			if !open {
				return list
			}
			if event.Kind != engine.EventStored {
				list = append(list, event)
			}
		default:
			return list[max(0, len(list)-mostTold):]
		}
	}
}

func (w *watcher) send(e *engine.Engine, events []engine.Event) {
	calls := make(map[uint64]int, len(w.bridge.streams))
	for id, s := range w.bridge.streams {
		calls[s.ID()] = id
	}
	s := &w.snapshot
	p := picture{Sequences: make([]holder, len(s.Sequences)), Shared: s.Shared, Events: make([]blockEvent, len(events)), Stats: e.Stats()}
	for i, h := range s.Sequences {
		p.Sequences[i] = holder{calls[h.Stream], h.Stream, h.Index, h.Blocks}
		w.streams[h.Sequence] = calls[h.Stream]
	}
	for i, event := range events {
		p.Events[i] = blockEvent{event, w.streams[event.Sequence]}
	}
	if len(s.Sequences) == 0 {
		clear(w.streams)
	}
	w.packed = pack(w.packed[:0], s.Blocks)
	w.bridge.Answer("blocks", 0, p, bytesOf(w.packed))
}

// pack writes blocks in order.
func pack(to []byte, blocks []engine.BlockState) []byte {
	for _, b := range blocks {
		owner, references := uint16(b.Owner+1), uint16(min(b.References, cachedBit-1))
		if b.Cached {
			references |= cachedBit
		}
		to = append(to, byte(owner), byte(owner>>8), byte(references), byte(references>>8))
	}
	return to
}
