package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// test is a measurement's name as llama-bench has it.
func (r *Result) test() string {
	name := fmt.Sprintf("tg%d", r.Gen)
	if r.Kind == Prefill {
		name = fmt.Sprintf("pp%d", r.Prompt)
	}
	if r.Schema {
		name += " schema"
	}
	if r.Depth > 0 {
		name += fmt.Sprintf(" @ d%d", r.Depth)
	}
	return name
}

// Print writes the report as llama-bench does, a Markdown table, with what else there is to say below it.
func (r *Report) Print(w io.Writer) error {
	rows := [][]string{{"model", "size", "params", "backend", "batch", "test", "t/s"}}
	for i := range r.Results {
		m := &r.Results[i]
		rows = append(rows, []string{
			r.Shape + " " + strings.ToUpper(r.Type), bytesText(r.Bytes), countText(r.Parameters), r.Backend, fmt.Sprint(m.Batch), m.Test,
			fmt.Sprintf("%.2f ± %.2f", m.TokensPerSecond, m.Deviation),
		})
	}
	markdown(w, rows, 3, 5)
	fmt.Fprintf(w, "\nadapter: %s, reads %.1f GB/s\nvariant: %s, KV cache %s\n", r.Adapter, r.Bandwidth, r.Variant, r.KVType)
	if r.Load.Seconds > 0 {
		r.Load.print(w)
	}
	if n := len(r.SelfTest.Kernels); n > 0 {
		fmt.Fprintf(w, "self-test: %d kernels in %d ms\n", n, r.SelfTest.Time.Milliseconds())
	}
	if r.LoRA.Count > 0 {
		fmt.Fprintf(w, "LoRA: %d of rank %d\n", r.LoRA.Count, r.LoRA.Rank)
	}
	return r.printKernels(w)
}

// markdown writes rows as a table, the first as its head. Columns but those named are aligned right, the first left.
func markdown(w io.Writer, rows [][]string, left ...int) {
	isLeft := map[int]bool{0: true}
	for _, c := range left {
		isLeft[c] = true
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for c, cell := range row {
			widths[c] = max(widths[c], utf8.RuneCountInString(cell))
		}
	}
	for i, row := range rows {
		for c, cell := range row {
			pad := strings.Repeat(" ", widths[c]-utf8.RuneCountInString(cell))
			if isLeft[c] {
				cell += pad
			} else {
				cell = pad + cell
			}
			fmt.Fprintf(w, "| %s ", cell)
		}
		fmt.Fprintln(w, "|")
		if i > 0 {
			continue
		}
		for c, width := range widths {
			if isLeft[c] {
				fmt.Fprintf(w, "| %s ", strings.Repeat("-", width))
			} else {
				fmt.Fprintf(w, "| %s:", strings.Repeat("-", width))
			}
		}
		fmt.Fprintln(w, "|")
	}
}

func bytesText(n uint64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.2f MiB", float64(n)/(1<<20))
}

func countText(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.2f B", float64(n)/1e9)
	}
	return fmt.Sprintf("%.2f M", float64(n)/1e6)
}

// printKernels lists where the GPU's time went, measurement by measurement.
func (r *Report) printKernels(w io.Writer) error {
	for _, m := range r.Results {
		if len(m.Kernels) == 0 {
			continue
		}
		total := 0.0
		for _, k := range m.Kernels {
			total += k.Seconds
		}
		fmt.Fprintf(w, "\n%s, batch %d: %.2f ms on the GPU\n", m.Test, m.Batch, 1e3*total)
		if h := m.HostStep; h != nil {
			fmt.Fprintf(w, "  a step, µs: schedule %.0f, build %.0f, bridge %.0f, encode %.0f, mask %.0f, wait %.0f, give %.0f; %.1f allocations of %.0f bytes, %d collections in %d steps\n",
				h.Schedule, h.Build, h.Bridge, h.Encode, h.Mask, h.Wait, h.Give, h.Allocations, h.Bytes, h.Collections, h.Steps)
		}
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, k := range m.Kernels {
			fmt.Fprintf(table, "  %s\t%.2f ms\t%.1f %%\t%d dispatches\t%.1f µs each\n", k.Kernel, 1e3*k.Seconds,
				100*k.Seconds/total, k.Dispatches, 1e6*k.Seconds/float64(k.Dispatches))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}
