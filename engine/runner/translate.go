package runner

import (
	"quire/engine/attention"
	"quire/engine/kernel"
	"quire/engine/step"
)

// translator turns steps into the shaders' terms.
type translator struct {
	lists []itemList
	adapters
	longAt int // where long tables of RoPE begin
	kept   kernel.TableRoom
	data   kernel.StepData
	lens   []int
}

// itemList is how layers of the same heads share a step's rows.
type itemList struct {
	items
	kvHeads int
	units   int // the GPU's compute units
	room    int // decode items that there is memory for partial results of
}

// items is how attention shares a step's rows among workgroups: see attention.Attention.
type items interface {
	AppendRow(s *kernel.StepData, row, count, start, splitSpan int)
	DecodeItems(count, seqLen, splitSpan int) int
	LongestSpan() int
}

// translate gives a step in memory that is used again.
func (r *translator) translate(s *step.Step) *kernel.StepData {
	data := &r.data
	data.Tokens, data.Positions = data.Tokens[:0], data.Positions[:0]
	for _, t := range s.Tokens {
		data.Tokens = append(data.Tokens, uint32(t))
	}
	for _, p := range s.Positions {
		data.Positions = append(data.Positions, uint32(p))
	}
	data.Slots = data.Slots[:0]
	for g := range s.Groups {
		data.Slots = append(data.Slots, s.Groups[g].Slots)
	}
	data.Kept, data.Runs = r.kept, data.Runs[:0]
	data.Rows, data.Adapters = data.Rows[:0], data.Adapters[:0]
	for i := range s.Rows {
		row := &s.Rows[i]
		out := kernel.StepRow{First: uint32(row.First), Count: uint32(row.Count), Start: uint32(row.Start), Lane: uint32(row.Lane),
			From: uint32(row.From), To: uint32(row.To)}
		if row.Long { // the kernels see a place in the tables
			for t := row.First; t < row.First+row.Count; t++ {
				data.Positions[t] += uint32(r.longAt)
			}
		}
		if row.Held < row.Blocks {
			for g := range s.Groups {
				ids := s.Groups[g].Tables[row.Table : row.Table+row.Blocks-row.Held]
				data.Runs = append(data.Runs, kernel.TableRun{At: r.kept.Word(g, out.Lane) + uint32(row.Held), IDs: ids})
			}
		}
		data.Rows, data.Adapters = append(data.Rows, out), append(data.Adapters, r.of(row.LoRA))
	}
	for n := range r.lists {
		list := data.List(n)
		list.Prefill, list.Decode, list.Merges = list.Prefill[:0], list.Decode[:0], list.Merges[:0]
		span := r.span(s, &r.lists[n])
		for i := range s.Rows {
			r.lists[n].AppendRow(data, i, int(s.Rows[i].Count), int(s.Rows[i].Start), span)
		}
	}
	data.Next = data.Next[:0]
	for i := 0; i < len(s.Rows) && s.Guessing != step.NoGuess; i++ {
		data.Next = append(data.Next, uint32(s.Rows[i].Next))
	}
	data.Keeps = data.Keeps[:0]
	if len(s.Keeps) > 0 {
		data.Keeps = append(data.Keeps, make([]uint32, len(s.Tokens))...)
	}
	for _, k := range s.Keeps {
		data.Keeps[k.Token] = uint32(k.Slot)
	}
	data.Outputs, data.Copies = data.Outputs[:0], s.Copies
	masks := 0
	for _, o := range s.Outputs {
		out := kernel.Output{Token: uint32(o.Token), Lane: uint32(s.Rows[o.Row].Lane), Counter: o.Counter}
		if o.Sample {
			out.Flags = kernel.OutputSample
		}
		if o.Masked {
			out.Flags |= kernel.OutputMask(masks)
			masks++
		}
		data.Outputs = append(data.Outputs, out)
	}
	data.Pools = data.Pools[:0]
	for _, p := range s.Pools {
		data.Pools = append(data.Pools, kernel.PoolItem{First: uint32(p.First), Count: uint32(p.Count)})
	}
	return data
}

// span chooses how decode rows' keys are split, within the room for partial results.
func (r *translator) span(s *step.Step, l *itemList) int {
	r.lens = r.lens[:0]
	for i := range s.Rows {
		if l.DecodeItems(int(s.Rows[i].Count), 1, 1) > 0 {
			r.lens = append(r.lens, int(s.Rows[i].Start+s.Rows[i].Count))
		}
	}
	span := attention.ChooseSplit(r.lens, l.kvHeads, l.units)
	for {
		items, split := 0, false
		for i := range s.Rows {
			row := &s.Rows[i]
			n := l.DecodeItems(int(row.Count), int(row.Start+row.Count), span)
			items += n
			split = split || n > l.DecodeItems(int(row.Count), 1, span)
		}
		// Items that see all keys of their rows leave no partial results.
		if !split || items <= l.room || span >= l.LongestSpan() {
			return span
		}
		span *= 2
	}
}
