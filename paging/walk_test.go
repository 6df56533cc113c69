package paging

import (
	"errors"
	"fmt"
	"slices"
)

// walk drives a manager at random and keeps, beside it, what every slot of the cache would hold. A slot holds the hash
// of its token and all tokens before it, so that a table can be read back and compared with its sequence.
type walk struct {
	m      *Manager
	from   choices
	slots  []Hash // a block is memory for whichever group holds it
	host   []Hash // [slot of host memory]
	seqs   []*line
	writes []write // of the open step
	states []Hash  // [state slot]
	away   []Hash  // [state in host memory]
	moved  []write // states of the open step's rows
	loaded int     // tokens
}

type line struct {
	table   *BlockTable
	tokens  []int32
	known   int  // tokens that the host knows
	touched bool // the open step writes it
	shares  bool // it was forked from one that the open step writes, or is swapped by it
}

type write struct {
	slot  int
	value Hash
	from  int32 // of a state
}

func newWalk(from choices, c Config) (*walk, error) {
	m, err := NewManager(c)
	if err != nil {
		return nil, err
	}
	return &walk{
		m: m, from: from, slots: make([]Hash, c.Blocks*c.BlockSize), host: make([]Hash, (c.HostBlocks+1)*c.BlockSize),
		states: make([]Hash, c.States), away: make([]Hash, c.HostStates+1),
	}, nil
}

func links(tokens []int32) []Hash {
	all := make([]Hash, len(tokens))
	var parent Hash
	for i := range tokens {
		all[i], _ = chain(&parent, tokens[i:i+1], nil)
		parent = all[i]
	}
	return all
}

// wrote notes the slots of positions [first, end) as written by the open step.
func (w *walk) wrote(l *line, first, end int) error {
	l.touched = true
	content := links(l.tokens)
	if err := w.move(l.table, content, first, end); err != nil {
		return err
	}
	for g := range w.m.groups {
		for p := first; p < end; p++ {
			slot := int(l.table.IDs(g)[p/w.m.size])*w.m.size + p%w.m.size
			w.writes = append(w.writes, write{slot: slot, value: content[p]})
		}
	}
	return nil
}

// swapStates does what the open step does with host memory before anything else.
func (w *walk) swapStates() {
	for _, x := range w.m.StateOuts() {
		w.away[x.Host] = w.states[x.Block]
	}
	for _, x := range w.m.StateIns() {
		w.states[x.Block] = w.away[x.Host]
	}
}

// move reads a row's state as the steps so far leave it, and notes what the open step, all of whose rows run at once, writes.
func (w *walk) move(t *BlockTable, content []Hash, first, end int) error {
	if len(w.states) == 0 || first == end {
		return nil
	}
	from, to := t.States()
	w.swapStates() // the step begins with it
	var before Hash
	if first > 0 {
		before = content[first-1]
	}
	if to <= 0 || w.states[from] != before || (from == NullState) != (first == 0) {
		return fmt.Errorf("a state after %d tokens is read from slot %d and written to %d", first, from, to)
	}
	for _, x := range w.moved {
		if x.slot == int(to) || x.slot == int(from) || x.from == to {
			return fmt.Errorf("a row moves its state from %d to %d, another %d to %d", from, to, x.from, x.slot)
		}
	}
	w.moved = append(w.moved, write{slot: int(to), value: content[end-1], from: from})
	drafted := w.from.below(end - first)
	for i, slot := range w.m.KeepDraft(t, drafted, nil) {
		for _, x := range w.moved {
			if x.slot == int(slot) || x.from == slot {
				return fmt.Errorf("a draft keeps a state in slot %d, which a row has", slot)
			}
		}
		w.moved = append(w.moved, write{slot: int(slot), value: content[end-drafted+i-1], from: NullState})
	}
	switch w.from.below(4) {
	case 0:
		w.m.KeepFork(t)
	case 1:
		w.m.DropForks(t)
	default:
		w.m.Snapshot(t, w.from.below(2) == 0)
	}
	return nil
}

// endStep does what the GPU would: swap-outs, swap-ins, all copies, then all writes; then every table must read back as its sequence.
func (w *walk) endStep() error {
	size := w.m.size
	for _, x := range w.m.SwapOuts() {
		copy(w.host[int(x.Host)*size:int(x.Host+1)*size], w.slots[int(x.Block)*size:])
	}
	w.swapStates()
	filled := map[int32]bool{}
	for _, x := range w.m.SwapIns() {
		if filled[x.Block] {
			return fmt.Errorf("block %d comes back twice in a step", x.Block)
		}
		filled[x.Block] = true
		copy(w.slots[int(x.Block)*size:int(x.Block+1)*size], w.host[int(x.Host)*size:])
	}
	var moved []write
	for _, c := range w.m.Copies() {
		if filled[c.To] {
			return fmt.Errorf("block %d is filled twice in a step", c.To)
		}
		filled[c.To] = true
		for i := range int(c.Slots) {
			moved = append(moved, write{slot: int(c.To)*size + i, value: w.slots[int(c.From)*size+i]})
		}
	}
	seen := map[int]bool{}
	for _, x := range append(moved, w.writes...) {
		if seen[x.slot] {
			return fmt.Errorf("slot %d is written twice in a step", x.slot)
		}
		seen[x.slot] = true
		w.slots[x.slot] = x.value
	}
	w.writes = w.writes[:0]
	for _, x := range w.moved {
		w.states[x.slot] = x.value
	}
	w.moved = w.moved[:0]
	w.m.EndStep()
	for i, l := range w.seqs {
		l.touched, l.shares = false, false
		if l.table.Swapped() {
			continue
		}
		content := links(l.tokens)
		for g, group := range w.m.groups {
			ids := l.table.IDs(g)
			for p := range l.table.Tokens() {
				if group.Window > 0 && p >= group.Sinks && p <= l.table.Tokens()-group.Window {
					continue
				}
				if w.slots[int(ids[p/size])*size+p%size] != content[p] {
					return fmt.Errorf("sequence %d, group %d, position %d reads what is not its own", i, g, p)
				}
			}
		}
	}
	return nil
}

func (w *walk) drop(i int) {
	w.m.Free(w.seqs[i].table)
	w.seqs = slices.Delete(w.seqs, i, i+1)
}

// load brings a text back and fills its new blocks at once. What is held already can be read.
func (w *walk) load() error {
	l := &line{table: w.m.NewTable(Extras{})}
	if len(w.seqs) > 0 && w.from.below(2) == 0 {
		if o := w.seqs[w.from.below(len(w.seqs))]; o.table.root == (Hash{}) {
			l.tokens = slices.Clone(o.tokens[:o.known])
		}
	}
	for range 1 + w.from.below(12) {
		l.tokens = append(l.tokens, int32(w.from.below(3)))
	}
	held, err := w.m.Load(l.table, l.tokens)
	if err != nil {
		return err
	}
	content := links(l.tokens)
	for p := range l.table.Tokens() {
		for g := range w.m.groups {
			at := int(l.table.IDs(g)[p/w.m.size])*w.m.size + p%w.m.size
			switch {
			case p >= held:
				w.slots[at] = content[p]
			case w.written(at):
				l.shares = true
			case at >= w.m.size && w.slots[at] != content[p]:
				return fmt.Errorf("group %d, position %d is held and reads what is not its own", g, p)
			}
		}
	}
	if len(w.states) > 0 && l.table.Tokens() > 0 {
		_, at := l.table.States()
		if l.table.Tokens() > held {
			w.states[at] = content[l.table.Tokens()-1]
		} else if w.states[at] != content[held-1] {
			return errors.New("a held state is another's")
		}
	}
	l.tokens = l.tokens[:l.table.Tokens()]
	w.loaded += len(l.tokens) - held
	if l.known = len(l.tokens); l.known > 0 {
		w.seqs = append(w.seqs, l)
	}
	return nil
}

// written says whether the open step, which a scheduler would have handed over by now, writes a slot.
func (w *walk) written(slot int) bool {
	return slices.ContainsFunc(w.writes, func(x write) bool { return x.slot == slot })
}

// step does one random thing.
func (w *walk) step() error {
	kind := w.from.below(26)
	if len(w.seqs) == 0 {
		kind = 0
	}
	var l *line
	at := 0
	if len(w.seqs) > 0 {
		at = w.from.below(len(w.seqs))
		l = w.seqs[at]
	}
	if l != nil && l.table.Swapped() && kind > 3 && kind < 14 {
		kind = 20 // nothing else can be done with it
	}
	switch kind {
	case 0, 1, 2, 3: // allocate
		l = &line{table: w.m.NewTable(Extras{Salt: []string{"", "a"}[w.from.below(2)]})}
		family := int32(w.from.below(3))
		if l.table.root != (Hash{}) {
			family += 100 // content is compared by tokens alone
		}
		for i := range 1 + w.from.below(30) {
			l.tokens = append(l.tokens, family*10+int32(i*w.from.below(9)/8))
		}
		if len(w.states) > 0 && len(w.seqs) > 0 && w.from.below(2) == 0 { // snapshots are found by few
			if o := w.seqs[w.from.below(len(w.seqs))]; o.table.root == l.table.root {
				l.tokens = append(slices.Clone(o.tokens[:o.known]), 7)
			}
		}
		want := w.m.Match(l.table, l.tokens)
		free := w.m.pool.FreeIDs()
		hit, err := w.m.Allocate(l.table, l.tokens, 1+w.from.below(len(l.tokens)), w.from.below(2))
		if errors.Is(err, ErrNoBlocks) {
			if !slices.Equal(free, w.m.pool.FreeIDs()) {
				return errors.New("a refused allocation changed the free queue")
			}
			return nil
		}
		if err != nil {
			return err
		}
		if hit < want || hit >= len(l.tokens) {
			return fmt.Errorf("hit %d of %d tokens, %d matched", hit, len(l.tokens), want)
		}
		l.known = len(l.tokens)
		w.seqs = append(w.seqs, l)
		return w.wrote(l, hit, l.table.Tokens())
	case 4, 5, 6, 7, 8, 9: // append
		if l.touched {
			return nil
		}
		n := 1 + w.from.below(6)
		for len(l.tokens) < l.table.Tokens()+n {
			l.tokens = append(l.tokens, int32(w.from.below(3)))
			if w.from.below(2) == 0 && l.known == len(l.tokens)-1 {
				l.known = len(l.tokens)
			}
		}
		before := l.table.Tokens()
		need, free := w.m.Need(l.table, n), w.m.pool.Free()
		if w.m.CanAppend(l.table, n) != (need <= free) && w.m.states == nil {
			return errors.New("CanAppend and Need disagree")
		}
		err := w.m.Append(l.table, l.tokens[:l.known], n)
		switch {
		case errors.Is(err, ErrWrittenNow):
			return nil
		case errors.Is(err, ErrNoBlocks):
			if need <= free && w.m.canMoveState(l.table) {
				return errors.New("refused although there were enough blocks")
			}
			return nil
		case err != nil:
			return err
		}
		if need > free {
			return errors.New("appended although there were not enough blocks")
		}
		return w.wrote(l, before, before+n)
	case 10: // land
		l.known = len(l.tokens)
		w.m.Publish(l.table, l.tokens)
		w.m.DropDrafts(l.table)
	case 11, 12: // fork
		t, err := w.m.Fork(l.table)
		if errors.Is(err, ErrWrittenNow) && (l.touched || l.shares) {
			return nil
		}
		if err != nil {
			return err
		}
		tokens := slices.Clone(l.tokens[:t.Tokens()]) // it goes on in its own way
		w.seqs = append(w.seqs, &line{table: t, tokens: tokens, known: min(l.known, len(tokens)), shares: l.touched || l.shares})
	case 13: // truncate and go on differently
		if l.touched || l.table.Tokens() == 0 {
			return nil
		}
		n := w.from.below(l.table.Tokens() + 1)
		if err := w.m.Truncate(l.table, n); err != nil {
			if errors.Is(err, ErrLeftWindow) {
				return nil
			}
			return err
		}
		l.tokens = l.tokens[:l.table.Tokens()]
		l.known = min(l.known, len(l.tokens))
	case 14, 15: // free
		if !l.touched {
			w.drop(at)
		}
	case 16: // the open step fails, with everyone in it
		if w.from.below(4) != 0 {
			return nil
		}
		w.m.Failed(w.m.Step())
		for i := len(w.seqs) - 1; i >= 0; i-- {
			if w.seqs[i].touched || w.seqs[i].shares {
				w.drop(i)
			}
		}
		w.writes, w.moved = w.writes[:0], w.moved[:0]
		w.m.EndStep()
	case 17:
		if err := w.m.Reset(); (err == nil) != (len(w.m.live) == 0) {
			return fmt.Errorf("reset with %d tables: %v", len(w.m.live), err)
		}
	case 18, 19:
		return w.swapOut(l, w.seqs[w.from.below(len(w.seqs))])
	case 21, 22:
		return w.load()
	case 20:
		if l.table.Swapped() {
			return w.swapIn(l, w.seqs[w.from.below(len(w.seqs))])
		}
	default:
		return w.endStep()
	}
	return nil
}

// swapOut moves two sequences to host memory, or one.
func (w *walk) swapOut(a, b *line) error {
	tables := []*BlockTable{a.table}
	if b != a && !b.table.Swapped() {
		tables = append(tables, b.table)
	}
	if a.table.Swapped() {
		if err := w.m.SwapOut(a.table); !errors.Is(err, ErrTable) {
			return fmt.Errorf("swapped twice: %v", err)
		}
		return nil
	}
	need, free := w.m.SwapNeed(tables...), w.m.HostFree()
	before := w.m.pool.FreeIDs()
	err := w.m.SwapOut(tables...)
	if err != nil {
		if !slices.Equal(before, w.m.pool.FreeIDs()) || free != w.m.HostFree() {
			return errors.New("a refused swap-out changed something")
		}
		if errors.Is(err, ErrNoHostBlocks) && (need > free || len(w.states) > 0) || errors.Is(err, ErrWrittenNow) {
			return nil
		}
		return err
	}
	if need != free-w.m.HostFree() {
		return fmt.Errorf("%d host blocks were needed, %d taken", need, free-w.m.HostFree())
	}
	for _, l := range []*line{a, b} {
		l.shares = l.shares || l.table.Swapped()
	}
	return nil
}

// swapIn takes a sequence back from host memory, or two together.
func (w *walk) swapIn(a, b *line) error {
	tables := []*BlockTable{a.table}
	if b != a && b.table.Swapped() {
		tables = append(tables, b.table)
	}
	need, free, host := w.m.SwapInNeed(tables...), w.m.pool.Free(), w.m.HostFree()
	before := w.m.pool.FreeIDs()
	switch err := w.m.SwapIn(tables...); {
	case errors.Is(err, ErrNoBlocks) && (need > free || !w.m.canStateIn(tables)):
		if !slices.Equal(before, w.m.pool.FreeIDs()) || host != w.m.HostFree() {
			return errors.New("a refused swap-in changed something")
		}
		return nil
	case err != nil:
		return err
	}
	if need != free-w.m.pool.Free() {
		return fmt.Errorf("%d blocks were needed, %d taken", need, free-w.m.pool.Free())
	}
	for _, l := range []*line{a, b} {
		l.shares = l.shares || !l.table.Swapped()
	}
	return nil
}

func (w *walk) run(steps int) error {
	for i := range steps {
		if err := w.step(); err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
		if err := w.m.Check(); err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
	}
	return nil
}
