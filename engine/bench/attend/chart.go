package attend

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"quire/engine/kernel"
)

// Chart is one drawing.
type Chart struct {
	Name  string `json:"name"`  // as a file's name, without its ending
	Title string `json:"title"` // in words
	SVG   string `json:"svg"`
}

// Charts draws the report: speed over length for every kind and head dim, and memory over length for every head dim.
func (r *Report) Charts() []Chart {
	var charts []Chart
	for _, kind := range []Kind{Forward, Backward, Decode} {
		for _, dim := range dimsOf(r.Results, func(m Result) (int, bool) { return m.HeadDim, m.Kind == kind && m.Skipped == "" }) {
			charts = append(charts, r.speedChart(kind, dim))
		}
	}
	for _, dim := range dimsOf(r.Memory, func(m Memory) (int, bool) { return m.HeadDim, true }) {
		charts = append(charts, r.memoryChart(dim))
	}
	return charts
}

// dimsOf lists the head dims of those that count, in order of appearance.
func dimsOf[T any](list []T, of func(T) (dim int, counts bool)) []int {
	var dims []int
	for _, m := range list {
		if d, ok := of(m); ok && !slices.Contains(dims, d) {
			dims = append(dims, d)
		}
	}
	return dims
}

func (r *Report) speedChart(kind Kind, dim int) Chart {
	title := upper(string(kind))
	if slices.ContainsFunc(r.Results, func(m Result) bool { return m.Kind == kind && !m.Causal }) {
		title += ", no mask" // one plan's are all alike
	}
	p := plot{title: fmt.Sprintf("%s, head dim %d", title, dim), note: r.where(), x: "tokens", y: "TFLOP/s"}
	value := func(m Result) float64 { return m.TFLOPs }
	if kind == Decode {
		p.y, value = "GB/s", func(m Result) float64 { return m.GBs }
	}
	most := 0.0
	for _, m := range r.Results {
		if m.Kind != kind || m.HeadDim != dim || m.Skipped != "" {
			continue
		}
		name := m.Method
		if m.Variant != "" {
			name += " " + m.Variant
		}
		if m.KVType != "" && m.KVType != kernel.KVF32.String() {
			name += ", " + m.KVType
		}
		if m.Batch > 1 || kind == Decode {
			name += fmt.Sprintf(", batch %d", m.Batch)
		}
		p.add(name, float64(m.Length), value(m))
		most = max(most, value(m))
	}
	if most < 0.1 && kind != Decode {
		p.y = "GFLOP/s"
		for _, s := range p.series {
			for i := range s.points {
				s.points[i][1] *= 1e3
			}
		}
	}
	return Chart{Name: fmt.Sprintf("attention-%s-%d", kind, dim), Title: p.title, SVG: p.svg()}
}

func (r *Report) memoryChart(dim int) Chart {
	p := plot{title: fmt.Sprintf("Memory of one head, head dim %d", dim), note: r.where(), x: "tokens", y: "MiB", logarithmic: true}
	for _, m := range r.Memory {
		if m.HeadDim == dim {
			p.add(Flash, float64(m.Length), float64(m.Flash)/(1<<20))
			p.add(standardNamed, float64(m.Length), float64(m.Standard)/(1<<20))
		}
	}
	return Chart{Name: fmt.Sprintf("attention-memory-%d", dim), Title: p.title, SVG: p.svg()}
}

// where names the adapter.
func (r *Report) where() string {
	if r.Type == "cpu" {
		return r.Adapter + ", in software"
	}
	return r.Adapter
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// plot is lines over a logarithmic x; y is logarithmic or begins at 0.
type plot struct {
	title, note, x, y string
	logarithmic       bool
	series            []*series
}

type series struct {
	name   string
	points [][2]float64
}

func (p *plot) add(name string, x, y float64) {
	for _, s := range p.series {
		if s.name == name {
			s.points = append(s.points, [2]float64{x, y})
			return
		}
	}
	p.series = append(p.series, &series{name, [][2]float64{{x, y}}})
}

// Sizes in pixels.
const (
	plotLeft, plotTop     = 60, 56
	plotWidth, plotHeight = 340, 220
	legendLine            = 20
	shortName             = 21 // letters: two of them share a line of the legend
)

// style has a class for each line: hues that stay apart for every kind of eye, with a dash of their own.
const style = `<style>
.quire-chart{font:13px system-ui,sans-serif;fill:#22201c}
.quire-chart .sheet{fill:#fffdfa}.quire-chart .faded{fill:#645e54}.quire-chart .rule{stroke:#ddd5c8}
.quire-chart .l0{--hue:#0067a5}.quire-chart .l1{--hue:#c2410c;--dash:7 4}.quire-chart .l2{--hue:#00825f;--dash:2 3}
.quire-chart .l3{--hue:#b8558f;--dash:9 3 2 3}.quire-chart .l4{--hue:#d98200;--dash:4 2}.quire-chart .l5{--hue:#3d9fd6;--dash:1 2}
.quire-chart path,.quire-chart .key{fill:none;stroke:var(--hue);stroke-width:2;stroke-dasharray:var(--dash,none)}
.quire-chart circle{fill:var(--hue)}
@media (prefers-color-scheme:dark){
.quire-chart{fill:#ebe5da}.quire-chart .sheet{fill:#1f1d1a}.quire-chart .faded{fill:#a89f91}.quire-chart .rule{stroke:#383430}
.quire-chart .l0{--hue:#4ea3e0}.quire-chart .l1{--hue:#ee7646}.quire-chart .l2{--hue:#2fbd92}
.quire-chart .l3{--hue:#e08cbc}.quire-chart .l4{--hue:#f0a830}.quire-chart .l5{--hue:#9ad4f5}}
</style>
`

const (
	hues         = 6
	standardLine = 1 // in every chart
)

// columns is how many names share a line of the legend.
func (p *plot) columns() int {
	for _, line := range p.series {
		if len(line.name) > shortName {
			return 1
		}
	}
	return 2
}

// classes gives each line its class.
func (p *plot) classes() []int {
	var classes []int
	next := 0
	for _, line := range p.series {
		if line.name == standardNamed {
			classes = append(classes, standardLine)
			continue
		}
		if next%hues == standardLine {
			next++
		}
		classes = append(classes, next%hues)
		next++
	}
	return classes
}

func (p *plot) svg() string {
	var s strings.Builder
	width, bottom := plotLeft+plotWidth+24, plotTop+plotHeight
	columns, classes := p.columns(), p.classes()
	height := bottom + 52 + legendLine*((len(p.series)+columns-1)/columns)
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" class="quire-chart" role="img" viewBox="0 0 %d %d" width="%d" height="%d">
<title>%s</title>
<desc>%s</desc>
%s<rect class="sheet" width="100%%" height="100%%"/>
<text x="%d" y="24" font-size="16" font-weight="600">%s</text>
<text class="faded" x="%d" y="42">%s</text>
`, width, height, width, height, html.EscapeString(p.title), html.EscapeString(p.words()), style, plotLeft, html.EscapeString(p.title+", "+p.y),
		plotLeft, html.EscapeString(p.note))
	xs, ys := p.values(0), p.values(1)
	if len(xs) == 0 {
		s.WriteString("</svg>\n")
		return s.String()
	}
	toX := scale(xs[0], xs[len(xs)-1], true, plotLeft+16, plotLeft+plotWidth-16)
	marks := p.marks(ys)
	toY := scale(marks[0], marks[len(marks)-1], p.logarithmic, float64(bottom), plotTop)
	fmt.Fprintf(&s, `<text class="faded" x="%d" y="%d" text-anchor="middle">%s</text>
`, plotLeft+plotWidth/2, bottom+38, html.EscapeString(p.x))
	for _, v := range marks {
		y := toY(v)
		fmt.Fprintf(&s, `<line class="rule" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/><text class="faded" x="%d" y="%.1f" text-anchor="end">%s</text>
`, plotLeft, y, plotLeft+plotWidth, y, plotLeft-8, y+4, number(v))
	}
	for _, v := range spread(xs, 8) {
		fmt.Fprintf(&s, `<text class="faded" x="%.1f" y="%d" text-anchor="middle">%s</text>
`, toX(v), bottom+20, tokens(v))
	}
	for i, line := range p.series {
		line.write(&s, classes[i], toX, toY)
		x, y := plotLeft+i%columns*plotWidth/2, bottom+60+i/columns*legendLine
		fmt.Fprintf(&s, `<g class="l%d"><line class="key" x1="%d" y1="%d" x2="%d" y2="%d"/></g><text x="%d" y="%d">%s</text>
`, classes[i], x, y-4, x+28, y-4, x+36, y, html.EscapeString(line.name))
	}
	s.WriteString("</svg>\n")
	return s.String()
}

func (line *series) write(s *strings.Builder, class int, toX, toY func(float64) float64) {
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
func (p *plot) words() string {
	var s []string
	for _, line := range p.series {
		var points []string
		for _, at := range line.points {
			points = append(points, fmt.Sprintf("%s at %s", number(at[1]), tokens(at[0])))
		}
		s = append(s, line.name+": "+strings.Join(points, ", "))
	}
	return p.y + " over " + p.x + ". " + strings.Join(s, "; ")
}

// values lists the distinct values of a coordinate in order.
func (p *plot) values(coordinate int) []float64 {
	var all []float64
	for _, line := range p.series {
		for _, at := range line.points {
			all = append(all, at[coordinate])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// marks are round values of y around all values.
func (p *plot) marks(values []float64) []float64 {
	low, high := values[0], values[len(values)-1]
	var marks []float64
	if p.logarithmic {
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
