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
	sharing
	asks   bool // the model can go on with a step's asked rows alone
	looked bool // the next step is looked at: its rows keep their order and share nothing
	alone  bool // so do those of this step
	data   kernel.StepData
	lens   []int
	moved  []int32   // of each row of the step, how far its tokens have moved
	slots  [][]int32 // of each group, where rows have moved
	shared uint64    // rows that shared keys with others, of all steps
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
	Unsplit() int

	Shares() bool
	Share(rows, keys, longest, splitSpan, computeUnits int) (attention.Sharing, bool)
	AppendShared(s *kernel.StepData, first, rows, keys, splitSpan int, sharing attention.Sharing)
}

// translate gives a step in memory that is used again. Rows that share keys come next to each other.
func (r *translator) translate(s *step.Step) *kernel.StepData {
	data := &r.data
	var order []int32
	if r.alone = true; len(r.groups) > 0 {
		r.find(s)
		if r.alone = r.looked || len(s.Keeps) > 0 || s.Guessing != step.NoGuess; !r.alone {
			order = r.order
		}
	}
	r.takeTokens(s, order)
	data.Kept, data.Runs = r.kept, data.Runs[:0]
	data.Rows, data.SharedRows, data.Adapters = data.Rows[:0], data.SharedRows[:0], data.Adapters[:0]
	for i := range s.Rows {
		if order != nil {
			i = int(order[i])
		}
		row := &s.Rows[i]
		out := kernel.StepRow{First: uint32(row.First + r.moved[i]), Count: uint32(row.Count), Start: uint32(row.Start), Lane: uint32(row.Lane),
			From: uint32(row.From), To: uint32(row.To)}
		if row.Long { // the kernels see a place in the tables
			for t := out.First; t < out.First+out.Count; t++ {
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
		r.share(&r.lists[n], data.List(n))
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
	for _, o := range s.Outputs {
		out := kernel.Output{Token: uint32(o.Token + r.moved[o.Row]), Lane: uint32(s.Rows[o.Row].Lane), Counter: o.Counter}
		if o.Sample {
			out.Flags = kernel.OutputSample
		}
		data.Outputs = append(data.Outputs, out)
	}
	r.ask(s)
	data.Pools = data.Pools[:0]
	for _, p := range s.Pools {
		data.Pools = append(data.Pools, kernel.PoolItem{First: uint32(p.First + r.moved[p.Row]), Count: uint32(p.Count)})
	}
	return data
}

// rowsAsked is how many tokens a step has for each output, at least, where it goes on with the rows of its outputs alone.
const rowsAsked = 16

// ask has outputs count the rows that are asked for, where they are few among a step's.
func (r *translator) ask(s *step.Step) {
	data := &r.data
	data.Asked = data.Asked[:0]
	n := len(data.Outputs)
	if !r.asks || n > kernel.MostAsked || n*rowsAsked > len(data.Tokens) || len(s.Pools) > 0 || r.looked || data.Adapted() {
		return
	}
	for i := range data.Outputs {
		o := &data.Outputs[i]
		data.Asked = append(data.Asked, o.Token)
		o.Token = uint32(i)
	}
}

// takeTokens takes what a step has for each token, in an order of its rows; nil: as they are.
func (r *translator) takeTokens(s *step.Step, order []int32) {
	data := &r.data
	data.Tokens, data.Positions, data.Slots, r.moved = data.Tokens[:0], data.Positions[:0], data.Slots[:0], r.moved[:0]
	for range s.Rows {
		r.moved = append(r.moved, 0)
	}
	if order == nil {
		for _, t := range s.Tokens {
			data.Tokens = append(data.Tokens, uint32(t))
		}
		for _, p := range s.Positions {
			data.Positions = append(data.Positions, uint32(p))
		}
		for g := range s.Groups {
			data.Slots = append(data.Slots, s.Groups[g].Slots)
		}
		return
	}
	for len(r.slots) < len(s.Groups) {
		r.slots = append(r.slots, nil)
	}
	for g := range s.Groups {
		r.slots[g] = r.slots[g][:0]
	}
	for _, i := range order {
		row := &s.Rows[i]
		r.moved[i] = int32(len(data.Tokens)) - row.First
		for t := row.First; t < row.First+row.Count; t++ {
			data.Tokens, data.Positions = append(data.Tokens, uint32(s.Tokens[t])), append(data.Positions, uint32(s.Positions[t]))
		}
		for g := range s.Groups {
			r.slots[g] = append(r.slots[g], s.Groups[g].Slots[row.First:row.First+row.Count]...)
		}
	}
	data.Slots = append(data.Slots, r.slots[:len(s.Groups)]...)
}

// share gives a list the items of the step's rows: those that share keys together, where that gains something and there is
// room for the partial results.
func (r *translator) share(l *itemList, list *kernel.Items) {
	list.Reset()
	shared := r.found
	if r.alone || len(shared) == 0 || !l.Shares() {
		shared = nil
	}
	span, fits := r.span(l, shared)
	if !fits && shared != nil {
		shared = nil
		span, _ = r.span(l, nil)
	}
	r.walk(shared, func(first, n, keys int) {
		if sharing, ok := r.plan(l, first, n, keys, span); ok {
			l.AppendShared(&r.data, first, n, keys, span, sharing)
			r.shared += uint64(n)
			return
		}
		for i := first; i < first+n; i++ {
			row := &r.data.Rows[i]
			l.AppendRow(&r.data, i, int(row.Count), int(row.Start), span)
		}
	})
}

// walk goes through the step's rows: those that share keys at once, others with 0 keys alone.
func (r *translator) walk(shared []sharedRows, visit func(first, n, keys int)) {
	for i, next := 0, 0; i < len(r.data.Rows); {
		row := int32(i)
		if r.order != nil && len(shared) > 0 {
			row = r.order[i]
		}
		if next < len(shared) && shared[next].rows[0] == row {
			n := len(shared[next].rows)
			visit(i, n, shared[next].keys)
			i += n
			next++
			continue
		}
		visit(i, 1, 0)
		i++
	}
}

// plan is how rows share keys, if they do.
func (r *translator) plan(l *itemList, first, n, keys, span int) (attention.Sharing, bool) {
	if n < 2 {
		return attention.Sharing{}, false
	}
	longest := 0
	for i := first; i < first+n; i++ {
		longest = max(longest, int(r.data.Rows[i].Start)+1)
	}
	return l.Share(n, keys, longest, span, l.units)
}

// span chooses how decode rows' keys are split, within the room for partial results; fits is false where what rows share does
// not leave enough.
func (r *translator) span(l *itemList, shared []sharedRows) (span int, fits bool) {
	r.lens = r.lens[:0]
	r.walk(shared, func(first, n, keys int) {
		for i := first; i < first+n; i++ {
			if row := &r.data.Rows[i]; l.DecodeItems(int(row.Count), 1, 1) > 0 {
				r.lens = append(r.lens, int(row.Start+row.Count)-keys)
			}
		}
	})
	span = attention.ChooseSplit(r.lens, l.kvHeads, l.units, l.Unsplit())
	for {
		items, split := 0, false
		r.walk(shared, func(first, n, keys int) {
			if sharing, ok := r.plan(l, first, n, keys, span); ok {
				items, split = items+sharing.Partials, true
				return
			}
			for i := first; i < first+n; i++ {
				row := &r.data.Rows[i]
				whole := l.DecodeItems(int(row.Count), 1, span)
				n := l.DecodeItems(int(row.Count), int(row.Start+row.Count), span)
				items, split = items+n, split || n > whole
			}
		})
		// Items that see all keys of their rows leave no partial results.
		switch {
		case !split || items <= l.room:
			return span, true
		case span >= l.LongestSpan():
			return span, false
		}
		span *= 2
	}
}
