package breath

import (
	"sync"
	"syscall/js"
	"time"
)

// atOnce is how long what the browser has to say may wait.
const atOnce = 4 * time.Millisecond

// Breath is somebody's long work.
type Breath struct{ last time.Time }

// Take lets JavaScript have the thread, where it has had none for a while.
func (b *Breath) Take() {
	now := time.Now()
	if b.last.IsZero() {
		b.last = now
	}
	if now.Sub(b.last) > atOnce {
		<-turn()
		b.last = time.Now()
	}
}

// turn's channel is closed behind what the browser has to say by now. A message does that; a timer may take some milliseconds.
func turn() <-chan struct{} {
	taken := make(chan struct{})
	w := theLine()
	w.waiting = append(w.waiting, taken)
	w.to.Call("postMessage", 0)
	return taken
}

// line are those that wait for their turns.
type line struct {
	to      js.Value
	waiting []chan struct{}
}

var theLine = sync.OnceValue(func() *line {
	channel := js.Global().Get("MessageChannel").New()
	w := &line{to: channel.Get("port1")}
	channel.Get("port2").Set("onmessage", js.FuncOf(func(js.Value, []js.Value) any {
		close(w.waiting[0])
		w.waiting = w.waiting[1:]
		return nil
	}))
	return w
})
