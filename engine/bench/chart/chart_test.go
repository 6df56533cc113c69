package chart

import (
	"encoding/xml"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// wellFormed reads a drawing, and finds no number that is none.
func wellFormed(t require.TestingT, svg string) {
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else {
			require.NoError(t, err)
		}
	}
	assert.NotContains(t, svg, "NaN")
	assert.NotContains(t, svg, "Inf")
}

func TestCharts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.StringMatching(`[a-z<>&"' ]{1,30}`), 1, 8)
		lines := Lines{Title: "a < b", Note: "&", X: "tokens", Y: "MiB", Logarithmic: rapid.Bool().Draw(t, "logarithmic"), Second: "second"}
		for _, name := range append(names.Draw(t, "lines"), "second") {
			for range rapid.IntRange(0, 5).Draw(t, "points") {
				lines.Add(name, float64(rapid.IntRange(1, 1<<20).Draw(t, "x")), math.Exp(rapid.Float64Range(-20, 20).Draw(t, "y")))
			}
		}
		wellFormed(t, lines.SVG())
		bars := Bars{Title: "a < b", Axis: "share", Parts: names.Draw(t, "parts")}
		for _, label := range names.Draw(t, "columns") {
			c := Column{Label: label, Note: "&"}
			for range bars.Parts {
				c.Shares = append(c.Shares, rapid.Float64Range(0, 1).Draw(t, "share"))
			}
			bars.Columns = append(bars.Columns, c)
		}
		svg := bars.SVG()
		wellFormed(t, svg)
		assert.Contains(t, svg, `class="rest"`)
	})
}

// A chart's hue says what a line is: charts beside each other agree on one of them.
func TestTheSecondLineKeepsItsHue(t *testing.T) {
	for _, order := range [][]string{{"flash", "standard", "other"}, {"standard", "flash", "other"}, {"flash", "other", "standard"}} {
		l := Lines{Second: "standard"}
		for _, name := range order {
			l.Add(name, 1, 1)
		}
		for i, class := range l.classes() {
			assert.Equal(t, map[string]int{"flash": 0, "standard": 1, "other": 2}[order[i]], class, order)
		}
	}
}
