package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"quire/cmd/native/pull"
)

// pulling shows how far a pull is: a bar on a terminal, a few lines elsewhere.
type pulling struct{ bar *progress }

func newPulling(w io.Writer) *pulling { return &pulling{newProgress(w)} }

// update is pull.Options.Told.
func (p *pulling) update(e pull.Event) {
	switch e.Stage {
	case pull.Resolving:
		if p.bar.bar {
			p.bar.draw("looking for " + e.Name)
		}
	case pull.Waiting:
		p.bar.line("another pull of " + e.Name + " is going on; waiting for it")
	case pull.Retrying:
		p.bar.line(fmt.Sprintf("%s; trying again in %v", e.Reason, e.Wait.Round(time.Second)))
	case pull.Instead:
		p.bar.line(fmt.Sprintf("%s; taking %s from the cache", e.Reason, e.Name))
	case pull.Loading:
		p.loading(e)
	}
}

func (p *pulling) loading(e pull.Event) {
	if p.bar.stage != e.Name {
		p.bar.line(fmt.Sprintf("pulling %s, %s", e.Name, pull.Size(e.Total)))
		p.bar.stage = e.Name
	} else if time.Since(p.bar.shown) < p.bar.every {
		return
	}
	p.bar.shown = time.Now()
	share := float64(e.Done) / float64(max(e.Total, 1))
	text := fmt.Sprintf("%d %%, %s of %s", int(100*share), pull.Size(e.Done), pull.Size(e.Total))
	if e.Speed > 0 {
		text += fmt.Sprintf(", %s/s, %s left", pull.Size(int64(e.Speed)), roughly(e.Left))
	}
	if !p.bar.bar {
		fmt.Fprintln(p.bar.to, text)
		return
	}
	const width = 20
	filled := min(int(width*share), width)
	p.bar.draw(fmt.Sprintf("[%s%s] %s", strings.Repeat("#", filled), strings.Repeat(".", width-filled), text))
}

// line writes a line that stays.
func (p *progress) line(text string) {
	p.clear()
	fmt.Fprintln(p.to, text)
}

// roughly writes a time as people say it: "8 s", "3 min 20 s", "2 h 5 min".
func roughly(d time.Duration) string {
	s := int(math.Ceil(d.Seconds()))
	switch {
	case s >= 3600:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	case s >= 60:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d s", s)
}

// pullLine is a line of quire pull --json.
type pullLine struct {
	Status         string       `json:"status"`
	Name           string       `json:"name"`
	Bytes          int64        `json:"bytes"`
	TotalBytes     int64        `json:"total_bytes"`
	BytesPerSecond float64      `json:"bytes_per_second,omitempty"`
	SecondsLeft    float64      `json:"seconds_left,omitempty"`
	Reason         string       `json:"reason,omitempty"`
	Path           string       `json:"path,omitempty"`
	Files          []cachedFile `json:"files,omitempty"`
	Fresh          bool         `json:"fresh,omitempty"`
	Error          string       `json:"error,omitempty"`
}

// writePulling writes an event as a line of JSON. The last one has more, and is written by who pulls.
func writePulling(w io.Writer, e pull.Event) {
	if e.Stage == pull.Done {
		return
	}
	writeJSON(w, pullLine{Status: string(e.Stage), Name: e.Name, Bytes: e.Done, TotalBytes: e.Total, Reason: e.Reason,
		BytesPerSecond: math.Round(e.Speed), SecondsLeft: math.Round(e.Left.Seconds()*10) / 10})
}

func donePulling(m *pull.Model) pullLine {
	return pullLine{Status: string(pull.Done), Name: m.Name, Bytes: m.Bytes(), TotalBytes: m.Bytes(), Path: m.Path(), Files: cachedFiles(m), Fresh: m.Fresh}
}
