package attend

import (
	"fmt"
	"slices"
	"strings"

	"quire/engine/bench/chart"
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
	p := chart.Lines{Title: fmt.Sprintf("%s, head dim %d", title, dim), Note: r.where(), X: "tokens", Y: "TFLOP/s", Second: standardNamed}
	value := func(m Result) float64 { return m.TFLOPs }
	if kind == Decode {
		p.Y, value = "GB/s", func(m Result) float64 { return m.GBs }
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
		p.Add(name, float64(m.Length), value(m))
		most = max(most, value(m))
	}
	if most < 0.1 && kind != Decode {
		p.Y = "GFLOP/s"
		p.Scale(1e3)
	}
	return Chart{Name: fmt.Sprintf("attention-%s-%d", kind, dim), Title: p.Title, SVG: p.SVG()}
}

func (r *Report) memoryChart(dim int) Chart {
	p := chart.Lines{Title: fmt.Sprintf("Memory of one head, head dim %d", dim), Note: r.where(), X: "tokens", Y: "MiB", Logarithmic: true,
		Second: standardNamed}
	for _, m := range r.Memory {
		if m.HeadDim == dim {
			p.Add(Flash, float64(m.Length), float64(m.Flash)/(1<<20))
			p.Add(standardNamed, float64(m.Length), float64(m.Standard)/(1<<20))
		}
	}
	return Chart{Name: fmt.Sprintf("attention-memory-%d", dim), Title: p.Title, SVG: p.SVG()}
}

// where names the adapter.
func (r *Report) where() string {
	if r.Type == "cpu" {
		return r.Adapter + ", in software"
	}
	return r.Adapter
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
