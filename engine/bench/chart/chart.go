// Package chart draws small charts as SVG: lines over a logarithmic axis, and stacked bars. They follow the scheme, light or dark,
// of the page that shows them, and tell their figures to those who cannot see them.
package chart

import (
	"fmt"
	"html"
	"strings"
)

// Sizes in pixels.
const (
	left, top  = 60, 56
	legendLine = 20
	rightSpace = 24
)

// style has a class for each line or part: hues that stay apart for every kind of eye, lines with a dash of their own.
const style = `<style>
.quire-chart{font:13px system-ui,sans-serif;fill:#22201c}
.quire-chart .sheet{fill:#fffdfa}.quire-chart .faded{fill:#645e54}.quire-chart .rule{stroke:#ddd5c8}
.quire-chart .l0{--hue:#0067a5}.quire-chart .l1{--hue:#c2410c;--dash:7 4}.quire-chart .l2{--hue:#00825f;--dash:2 3}
.quire-chart .l3{--hue:#b8558f;--dash:9 3 2 3}.quire-chart .l4{--hue:#d98200;--dash:4 2}.quire-chart .l5{--hue:#3d9fd6;--dash:1 2}
.quire-chart .rest{--hue:#ddd5c8}
.quire-chart path,.quire-chart .key{fill:none;stroke:var(--hue);stroke-width:2;stroke-dasharray:var(--dash,none)}
.quire-chart circle,.quire-chart .part{fill:var(--hue)}
.quire-chart .ink{fill:#fff;font-size:11px}.quire-chart .rest .ink,.quire-chart .l4 .ink,.quire-chart .l5 .ink{fill:#22201c}
@media (prefers-color-scheme:dark){
.quire-chart{fill:#ebe5da}.quire-chart .sheet{fill:#1f1d1a}.quire-chart .faded{fill:#a89f91}.quire-chart .rule{stroke:#383430}
.quire-chart .l0{--hue:#4ea3e0}.quire-chart .l1{--hue:#ee7646}.quire-chart .l2{--hue:#2fbd92}
.quire-chart .l3{--hue:#e08cbc}.quire-chart .l4{--hue:#f0a830}.quire-chart .l5{--hue:#9ad4f5}
.quire-chart .rest{--hue:#4a453e}.quire-chart .ink{fill:#1f1d1a}.quire-chart .rest .ink{fill:#ebe5da}}
</style>
`

// hues is how many classes of lines there are.
const hues = 6

// sheet is a drawing that is being written.
type sheet struct{ strings.Builder }

// begin writes what every chart has: its size, its figures in words, a title and a note.
func (s *sheet) begin(width, height int, title, note, words string) {
	fmt.Fprintf(s, `<svg xmlns="http://www.w3.org/2000/svg" class="quire-chart" role="img" viewBox="0 0 %d %d" width="%d" height="%d">
<title>%s</title>
<desc>%s</desc>
%s<rect class="sheet" width="100%%" height="100%%"/>
<text x="%d" y="24" font-size="16" font-weight="600">%s</text>
`, width, height, width, height, html.EscapeString(title), html.EscapeString(words), style, left, html.EscapeString(title))
	s.text(left, 42, "start", "faded", note)
}

func (s *sheet) end() string {
	s.WriteString("</svg>\n")
	return s.String()
}

func (s *sheet) text(x, y float64, anchor, class, text string) {
	if text != "" {
		fmt.Fprintf(s, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>
`, class, x, y, anchor, html.EscapeString(text))
	}
}

// rule writes a mark of the axis that goes up, and its line across.
func (s *sheet) rule(y float64, width int, label string) {
	fmt.Fprintf(s, `<line class="rule" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>
`, left, y, left+width, y)
	s.text(left-8, y+4, "end", "faded", label)
}
