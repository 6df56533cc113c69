package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"quire/engine"
)

const barWidth = 30

// progress shows how far loading has come: a bar on a terminal, a few lines elsewhere.
type progress struct {
	to    io.Writer
	bar   bool
	every time.Duration
	stage string
	shown time.Time
	drawn bool // a bar stands on the line
}

func newProgress(w io.Writer) *progress {
	p := &progress{to: w, bar: isTerminal(w), every: 5 * time.Second, shown: time.Now()}
	if p.bar {
		p.every = 100 * time.Millisecond
	}
	return p
}

// isTerminal reports whether a stream is a character device.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// update is engine.Options.Progress.
func (p *progress) update(at engine.Progress) {
	whole := at.Total > 0 && at.Done >= at.Total
	if time.Since(p.shown) < p.every && !whole {
		return
	}
	if whole && p.stage == at.Stage+" done" {
		return
	}
	p.stage, p.shown = at.Stage, time.Now()
	if whole {
		p.stage += " done"
	}
	if !p.bar {
		fmt.Fprintf(p.to, "%s: %s\n", at.Stage, amount(at))
		return
	}
	filled := 0
	if at.Total > 0 {
		filled = int(int64(barWidth) * min(at.Done, at.Total) / at.Total)
	}
	fmt.Fprintf(p.to, "\r\x1b[K%s [%s%s] %s", at.Stage, strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), amount(at))
	p.drawn = true
}

// note shows what is being done where no amount is known.
func (p *progress) note(text string) {
	if !p.bar {
		fmt.Fprintln(p.to, text)
		return
	}
	fmt.Fprintf(p.to, "\r\x1b[K%s", text)
	p.drawn = true
}

// clear takes the bar off the terminal.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.to, "\r\x1b[K")
		p.drawn = false
	}
}

// amount writes bytes for weights and a count for anything else.
func amount(at engine.Progress) string {
	if at.Stage == "weights" {
		return fmt.Sprintf("%s of %s", formatSize(uint64(at.Done)), formatSize(uint64(at.Total)))
	}
	return fmt.Sprintf("%d of %d", at.Done, at.Total)
}
