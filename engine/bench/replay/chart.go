package replay

import (
	"fmt"
	"html"
	"io"
	"strings"

	"quire/paging/sim"
)

// bar is a column of a chart: parts of a whole, from the bottom up.
type bar struct {
	label string
	notes []string // under the label
	parts []float64
}

// kind is what one part of every bar means.
type kind struct{ name, colour, ink string }

// The colours stay apart for every kind of eye (Okabe and Ito's palette, lightened).
var memoryKinds = []kind{
	{"tokens", "#0072b2", "#fff"}, {"reserved for later tokens", "#56b4e9", "#000"}, {"internal fragmentation", "#e69f00", "#000"},
	{"external fragmentation", "#d55e00", "#fff"}, {"free", "#dddddd", "#000"},
}

var savedKinds = []kind{{"blocks held", "#dddddd", "#000"}, {"blocks saved by sharing", "#009e73", "#fff"}}

// WriteChart draws how each allocator uses the memory, as the paper's figure 2 does, as SVG.
func WriteChart(w io.Writer, title string, results []sim.Result) error {
	var bars []bar
	for _, r := range results {
		m := r.Memory
		bars = append(bars, bar{
			label: r.Name, notes: []string{fmt.Sprintf("%.1f in flight", r.InFlight)},
			parts: []float64{m.Tokens, m.Reserved, m.Internal, m.External, m.Free},
		})
	}
	return writeBars(w, title, "share of the KV cache", memoryKinds, bars)
}

// WriteSharingChart draws what sharing saves, as SVG.
func WriteSharingChart(w io.Writer, title string, savings []Saving) error {
	var bars []bar
	for _, s := range savings {
		bars = append(bars, bar{
			label: s.Strategy, notes: []string{fmt.Sprint(s.Width)}, parts: []float64{1 - s.Saved, s.Saved},
		})
	}
	return writeBars(w, title, "share of the blocks without sharing", savedKinds, bars)
}

// Sizes in pixels.
const (
	barWidth    = 64
	barStep     = 96
	plotTop     = 56
	plotHeight  = 280
	plotLeft    = 72
	legendWidth = 220
	leastLabel  = 0.035 // parts smaller than this are not labelled
)

func writeBars(w io.Writer, title, axis string, kinds []kind, bars []bar) error {
	var s strings.Builder
	plotRight := plotLeft + len(bars)*barStep
	width, height := plotRight+legendWidth, plotTop+plotHeight+64
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13">
<rect width="100%%" height="100%%" fill="#fff"/>
<text x="%d" y="28" font-size="16" font-weight="600">%s</text>
`, width, height, width, height, plotLeft, html.EscapeString(title))
	fmt.Fprintf(&s, `<text transform="translate(20 %d) rotate(-90)" text-anchor="middle">%s</text>
`, plotTop+plotHeight/2, html.EscapeString(axis))
	for percent := 0; percent <= 100; percent += 20 {
		y := plotTop + plotHeight - plotHeight*percent/100
		fmt.Fprintf(&s, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#ccc"/><text x="%d" y="%d" text-anchor="end">%d%%</text>
`, plotLeft, y, plotRight, y, plotLeft-8, y+4, percent)
	}
	for i, b := range bars {
		writeBar(&s, plotLeft+i*barStep+(barStep-barWidth)/2, kinds, b)
	}
	for i := range kinds {
		k := kinds[len(kinds)-1-i]
		y := plotTop + 8 + i*24
		fmt.Fprintf(&s, `<rect x="%d" y="%d" width="14" height="14" fill="%s"/><text x="%d" y="%d">%s</text>
`, plotRight+16, y, k.colour, plotRight+38, y+12, html.EscapeString(k.name))
	}
	s.WriteString("</svg>\n")
	_, err := io.WriteString(w, s.String())
	return err
}

func writeBar(s *strings.Builder, x int, kinds []kind, b bar) {
	bottom := float64(plotTop + plotHeight)
	for i, part := range b.parts {
		height := part * plotHeight
		bottom -= height
		if height <= 0 {
			continue
		}
		fmt.Fprintf(s, `<rect x="%d" y="%.1f" width="%d" height="%.1f" fill="%s"/>
`, x, bottom, barWidth, height, kinds[i].colour)
		if part >= leastLabel {
			fmt.Fprintf(s, `<text x="%d" y="%.1f" text-anchor="middle" font-size="11" fill="%s">%.1f</text>
`, x+barWidth/2, bottom+height/2+4, kinds[i].ink, 100*part)
		}
	}
	for i, text := range append([]string{b.label}, b.notes...) {
		fmt.Fprintf(s, `<text x="%d" y="%d" text-anchor="middle">%s</text>
`, x+barWidth/2, plotTop+plotHeight+20+i*18, html.EscapeString(text))
	}
}
