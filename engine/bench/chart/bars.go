package chart

import (
	"fmt"
	"strings"
)

// Bars are columns of parts that make up a whole.
type Bars struct {
	Title, Axis string
	Parts       []string // from the bottom up; the last is what is left
	Columns     []Column
}

// Column is one bar: its shares, from 0 to 1, in the order of Bars.Parts.
type Column struct {
	Label, Note string
	Shares      []float64
}

const (
	barWidth    = 64
	barStep     = 96
	barHeight   = 280
	legendWidth = 208
	leastLabel  = 0.035 // parts smaller than this are not labelled
)

// SVG draws the bars.
func (b *Bars) SVG() string {
	var s sheet
	width := len(b.Columns) * barStep
	s.begin(left+width+legendWidth, top+barHeight+52, b.Title, b.Axis, b.words())
	for percent := 0; percent <= 100; percent += 20 {
		s.rule(float64(top+barHeight-barHeight*percent/100), width, fmt.Sprintf("%d%%", percent))
	}
	for i, c := range b.Columns {
		x := left + i*barStep + (barStep-barWidth)/2
		bottom := float64(top + barHeight)
		for j, share := range c.Shares {
			height := share * barHeight
			if bottom -= height; height <= 0 {
				continue
			}
			fmt.Fprintf(&s, `<g class="%s"><rect class="part" x="%d" y="%.1f" width="%d" height="%.1f"/>
`, b.class(j), x, bottom, barWidth, height)
			if share >= leastLabel {
				s.text(float64(x+barWidth/2), bottom+height/2+4, "middle", "ink", fmt.Sprintf("%.1f", 100*share))
			}
			s.WriteString("</g>\n")
		}
		s.text(float64(x+barWidth/2), top+barHeight+20, "middle", "", c.Label)
		s.text(float64(x+barWidth/2), top+barHeight+38, "middle", "faded", c.Note)
	}
	for i := range b.Parts {
		j := len(b.Parts) - 1 - i
		y := top + 8 + i*(legendLine+4)
		fmt.Fprintf(&s, `<g class="%s"><rect class="part" x="%d" y="%d" width="14" height="14"/></g>
`, b.class(j), left+width+16, y)
		s.text(float64(left+width+38), float64(y+12), "start", "", b.Parts[j])
	}
	return s.end()
}

// class is a part's hue.
func (b *Bars) class(part int) string {
	if part == len(b.Parts)-1 {
		return "rest"
	}
	return fmt.Sprintf("l%d", []int{0, 5, 4, 1, 2, 3}[part%hues])
}

// words tells the shares to those who cannot see them.
func (b *Bars) words() string {
	var columns []string
	for _, c := range b.Columns {
		var parts []string
		for j, share := range c.Shares {
			parts = append(parts, fmt.Sprintf("%s %.1f %%", b.Parts[j], 100*share))
		}
		columns = append(columns, strings.TrimSpace(c.Label+" "+c.Note)+": "+strings.Join(parts, ", "))
	}
	return b.Axis + ". " + strings.Join(columns, "; ")
}
