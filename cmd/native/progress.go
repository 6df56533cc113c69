package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

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

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// fit cuts a line to the terminal's width, so that it can be taken back: \r returns to the start of one line only.
func (p *progress) fit(line string) string {
	if f, ok := p.to.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 && utf8.RuneCountInString(line) >= width {
			return string([]rune(line)[:width-1])
		}
	}
	return line
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
	p.draw(fmt.Sprintf("%s [%s%s] %s", at.Stage, strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), amount(at)))
}

// note shows what is being done where no amount is known.
func (p *progress) note(text string) {
	if !p.bar {
		fmt.Fprintln(p.to, text)
		return
	}
	p.draw(text)
}

// draw replaces what stands on the terminal's line.
func (p *progress) draw(line string) {
	fmt.Fprintf(p.to, "\r\x1b[K%s", p.fit(line))
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
