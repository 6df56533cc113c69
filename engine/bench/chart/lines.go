package chart

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// Lines are values over numbers of tokens. X is logarithmic; Y is too, or begins at 0.
type Lines struct {
	Title, Note, X, Y string
	Logarithmic       bool
	Second            string // the line that always has the second hue, so that charts beside each other agree
	series            []*series
}

type series struct {
	name   string
	points [][2]float64
}

// Add puts a point on the line of a name.
func (l *Lines) Add(name string, x, y float64) {
	for _, s := range l.series {
		if s.name == name {
			s.points = append(s.points, [2]float64{x, y})
			return
		}
	}
	l.series = append(l.series, &series{name, [][2]float64{{x, y}}})
}

// Scale multiplies all values.
func (l *Lines) Scale(by float64) {
	for _, s := range l.series {
		for i := range s.points {
			s.points[i][1] *= by
		}
	}
}

const (
	lineWidth, lineHeight = 340, 220
	shortName             = 21 // letters: two of them share a line of the legend
	second                = 1  // the class of Second
)

// SVG draws the lines.
func (l *Lines) SVG() string {
	var s sheet
	bottom := top + lineHeight
	columns, classes := l.columns(), l.classes()
	s.begin(left+lineWidth+rightSpace, bottom+52+legendLine*((len(l.series)+columns-1)/columns), l.Title+", "+l.Y, l.Note, l.words())
	xs, ys := l.values(0), l.values(1)
	if len(xs) == 0 {
		return s.end()
	}
	toX := scale(xs[0], xs[len(xs)-1], true, left+16, left+lineWidth-16)
	marks := l.marks(ys)
	toY := scale(marks[0], marks[len(marks)-1], l.Logarithmic, float64(bottom), top)
	s.text(left+lineWidth/2, float64(bottom+38), "middle", "faded", l.X)
	for _, v := range marks {
		s.rule(toY(v), lineWidth, number(v))
	}
	for _, v := range spread(xs, 8) {
		s.text(toX(v), float64(bottom+20), "middle", "faded", tokens(v))
	}
	for i, line := range l.series {
		line.write(&s, classes[i], toX, toY)
		x, y := left+i%columns*lineWidth/2, bottom+60+i/columns*legendLine
		fmt.Fprintf(&s, `<g class="l%d"><line class="key" x1="%d" y1="%d" x2="%d" y2="%d"/></g><text x="%d" y="%d">%s</text>
`, classes[i], x, y-4, x+28, y-4, x+36, y, html.EscapeString(line.name))
	}
	return s.end()
}

// columns is how many names share a line of the legend.
func (l *Lines) columns() int {
	for _, line := range l.series {
		if len(line.name) > shortName {
			return 1
		}
	}
	return 2
}

// classes gives each line its class.
func (l *Lines) classes() []int {
	var classes []int
	next := 0
	for _, line := range l.series {
		if line.name == l.Second {
			classes = append(classes, second)
			continue
		}
		if l.Second != "" && next%hues == second {
			next++
		}
		classes = append(classes, next%hues)
		next++
	}
	return classes
}

func (line *series) write(s *sheet, class int, toX, toY func(float64) float64) {
	points := slices.Clone(line.points)
	slices.SortFunc(points, func(a, b [2]float64) int { return int(a[0] - b[0]) })
	fmt.Fprintf(s, `<g class="l%d"><path d="`, class)
	for j, at := range points {
		command := "L"
		if j == 0 {
			command = "M"
		}
		fmt.Fprintf(s, "%s%.1f %.1f", command, toX(at[0]), toY(at[1]))
	}
	s.WriteString(`"/>`)
	for _, at := range points {
		fmt.Fprintf(s, `<circle cx="%.1f" cy="%.1f" r="3.5"/>`, toX(at[0]), toY(at[1]))
	}
	s.WriteString("</g>\n")
}

// words tells the points to those who cannot see them.
func (l *Lines) words() string {
	var s []string
	for _, line := range l.series {
		var points []string
		for _, at := range line.points {
			points = append(points, fmt.Sprintf("%s at %s", number(at[1]), tokens(at[0])))
		}
		s = append(s, line.name+": "+strings.Join(points, ", "))
	}
	return l.Y + " over " + l.X + ". " + strings.Join(s, "; ")
}

// values lists the distinct values of a coordinate in order.
func (l *Lines) values(coordinate int) []float64 {
	var all []float64
	for _, line := range l.series {
		for _, at := range line.points {
			all = append(all, at[coordinate])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// marks are round values of y around all values.
func (l *Lines) marks(values []float64) []float64 {
	low, high := values[0], values[len(values)-1]
	var marks []float64
	if l.Logarithmic {
		for v := math.Pow(10, math.Floor(math.Log10(low))); ; v *= 10 {
			if marks = append(marks, v); v >= high {
				return marks
			}
		}
	}
	step := math.Pow(10, math.Floor(math.Log10(max(high, 1e-9))))
	for _, finer := range []float64{0.5, 0.2, 0.1} {
		if high/step >= 4 {
			break
		}
		step = math.Pow(10, math.Floor(math.Log10(max(high, 1e-9)))) * finer
	}
	for v := 0.0; ; v += step {
		if marks = append(marks, v); v >= high {
			return marks
		}
	}
}

// scale maps [low, high] to [from, to].
func scale(low, high float64, logarithmic bool, from, to float64) func(float64) float64 {
	place := func(v float64) float64 { return v }
	if logarithmic {
		place = math.Log2
	}
	span := place(high) - place(low)
	if span == 0 {
		return func(float64) float64 { return (from + to) / 2 }
	}
	return func(v float64) float64 { return from + (to-from)*(place(v)-place(low))/span }
}

// spread keeps at most so many of the values.
func spread(values []float64, most int) []float64 {
	every := (len(values) + most - 1) / most
	var kept []float64
	for i := 0; i < len(values); i += every {
		kept = append(kept, values[i])
	}
	return kept
}

// number writes three digits.
func number(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// tokens writes powers of two as in 16k.
func tokens(v float64) string {
	if n := int(v); n >= 1024 && n%1024 == 0 {
		return fmt.Sprintf("%dk", n/1024)
	}
	return fmt.Sprintf("%.0f", v)
}
