package runner

import (
	"quire/engine/kernel"
	"quire/engine/step"
)

// translate turns a step into the shaders' terms, in r.data, whose memory is used again.
func (r *Runner) translate(s *step.Step) {
	data := &r.data
	data.Tokens, data.Positions = data.Tokens[:0], data.Positions[:0]
	for _, t := range s.Tokens {
		data.Tokens = append(data.Tokens, uint32(t))
	}
	for _, p := range s.Positions {
		data.Positions = append(data.Positions, uint32(p))
	}
	data.Slots, r.tables = data.Slots[:0], r.tables[:0]
	for g := range s.Groups {
		data.Slots = append(data.Slots, s.Groups[g].Slots)
		for _, id := range s.Groups[g].Tables {
			r.tables = append(r.tables, uint32(id))
		}
	}
	a := r.graph.Attention()
	span := r.span(a, s)
	data.Rows, data.Prefill, data.Decode, data.Merges = data.Rows[:0], data.Prefill[:0], data.Decode[:0], data.Merges[:0]
	for i := range s.Rows {
		row := &s.Rows[i]
		out := kernel.StepRow{First: uint32(row.First), Count: uint32(row.Count), Start: uint32(row.Start), Lane: uint32(row.Lane)}
		at := 0
		for g := range s.Groups {
			out.Tables[g] = r.tables[at+int(row.Table) : at+int(row.Table+row.Blocks)]
			at += len(s.Groups[g].Tables)
		}
		data.Rows = append(data.Rows, out)
		a.AppendRow(data, i, int(row.Count), int(row.Start), span)
	}
	data.Outputs, data.Copies = data.Outputs[:0], s.Copies
	for _, o := range s.Outputs {
		out := kernel.Output{Token: uint32(o.Token), Lane: uint32(s.Rows[o.Row].Lane), Counter: o.Counter}
		if o.Sample {
			out.Flags = kernel.OutputSample
		}
		data.Outputs = append(data.Outputs, out)
	}
}
