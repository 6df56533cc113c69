package replay

import (
	"fmt"
	"io"

	"quire/engine/bench/chart"
	"quire/paging/sim"
)

// WriteChart draws how each allocator uses the memory, as the paper's figure 2 does, as SVG.
func WriteChart(w io.Writer, title string, results []sim.Result) error {
	b := chart.Bars{Title: title, Axis: "share of the KV cache",
		Parts: []string{"tokens", "reserved for later tokens", "internal fragmentation", "external fragmentation", "free"}}
	for _, r := range results {
		m := r.Memory
		b.Columns = append(b.Columns, chart.Column{Label: r.Name, Note: fmt.Sprintf("%.1f in flight", r.InFlight),
			Shares: []float64{m.Tokens, m.Reserved, m.Internal, m.External, m.Free}})
	}
	_, err := io.WriteString(w, b.SVG())
	return err
}

// WriteSharingChart draws what sharing saves, as SVG.
func WriteSharingChart(w io.Writer, title string, savings []Saving) error {
	b := chart.Bars{Title: title, Axis: "share of the blocks without sharing", Parts: []string{"blocks saved by sharing", "blocks held"}}
	for _, s := range savings {
		b.Columns = append(b.Columns, chart.Column{Label: s.Strategy, Note: fmt.Sprint(s.Width), Shares: []float64{s.Saved, 1 - s.Saved}})
	}
	_, err := io.WriteString(w, b.SVG())
	return err
}
