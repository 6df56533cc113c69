package model

import (
	"cmp"
	"slices"
	"sort"

	"quire/engine/kernel"
)

// kvForm is what the layers of a KV group have in common.
type kvForm struct{ window, headDim, kvHeads int }

func (s span) form() kvForm { return kvForm{s.window, s.headDim, s.kvHeads} }

// group parts the layers that keep K and V into KV groups: layers of one window and of like rows, as many in each group, the
// last padded. The i-th layers of all groups share their buffers, so that a block is memory for whichever group holds it.
func (b *builder) group() {
	p := b.plan
	counts := map[kvForm]int{} // layers of a form
	var forms []kvForm
	for _, l := range p.kv {
		if counts[l.form()] == 0 {
			forms = append(forms, l.form())
		}
		counts[l.form()]++
	}
	if len(forms) > kernel.MaxGroups {
		b.refuse("its layers have K and V of %d kinds, by window, head dim and KV heads; at most %d run", len(forms), kernel.MaxGroups)
		return
	}
	sort.SliceStable(forms, func(i, j int) bool { // full attention, 0, comes first
		a, b := forms[i], forms[j]
		return cmp.Or(a.window-b.window, a.headDim-b.headDim, a.kvHeads-b.kvHeads) < 0
	})
	size := groupSize(counts)
	next := map[kvForm]int{} // the next layer of a form
	first := map[kvForm]int{}
	for _, form := range forms {
		first[form] = len(p.groups)
		for range (counts[form] + size - 1) / size {
			p.groups = append(p.groups, form)
		}
	}
	for _, l := range p.kv {
		at := next[l.form()]
		next[l.form()]++
		l.group, l.place = first[l.form()]+at/size, at%size
	}
	b.list()
}

// list gives layers whose attention shares its rows alike one item list. Those with windows have their own, for rows do not share
// keys there, unless those would be too many.
func (b *builder) list() {
	p := b.plan
	for _, p.mixed = range []bool{false, true} {
		p.lists = nil
		for _, l := range slices.Concat(p.kv, p.shared) {
			if l.owner != nil {
				l.group, l.place = l.owner.group, l.owner.place
			}
			form := itemForm{l.heads, l.kvHeads, l.headDim, l.window > 0 && !p.mixed}
			if l.list = slices.Index(p.lists, form); l.list < 0 {
				l.list = len(p.lists)
				p.lists = append(p.lists, form)
			}
		}
		if len(p.lists) <= kernel.MaxLists {
			return
		}
	}
	if len(p.lists) > kernel.MaxLists {
		b.refuse("its layers have attention of %d kinds, by heads, KV heads and head dim; at most %d run", len(p.lists), kernel.MaxLists)
	}
}

// itemForm is what attention's items depend on.
type itemForm struct {
	heads, kvHeads, headDim int
	window                  bool
}

// groupSize is how many layers a group has: as the form with the fewest, or more where that would be too many groups.
func groupSize(counts map[kvForm]int) int {
	size := 0
	for _, n := range counts {
		if size == 0 || n < size {
			size = n
		}
	}
	for {
		groups := 0
		for _, n := range counts {
			groups += (n + size - 1) / size
		}
		if groups <= kernel.MaxGroups || size == 0 {
			return size
		}
		size++
	}
}

// Windows gives each KV group's window: how many tokens its layers see, 0 for all.
func (p *Plan) Windows() []int {
	var windows []int
	for _, form := range p.groups {
		windows = append(windows, form.window)
	}
	return windows
}

// GroupLayers is how many layers a KV group has.
func (p *Plan) GroupLayers() int {
	most := 0
	for _, l := range p.kv {
		most = max(most, l.place+1)
	}
	return most
}

// KVLayouts are the forms of a layer's K, and of its V, in each KV group. A block takes as much memory in all of them.
func (p *Plan) KVLayouts(blockSize int, t kernel.KVType) []kernel.KVLayout {
	var layouts []kernel.KVLayout
	words := 0
	for _, form := range p.groups {
		l := kernel.KVLayout{HeadDim: form.headDim, KVHeads: form.kvHeads, BlockSize: blockSize, Type: t}
		layouts = append(layouts, l)
		if words > 0 && words != l.BlockWords() {
			words = (max(words, l.BlockWords()) + 3) / 4 * 4 // kernels read up to four words at once
		}
		words = max(words, l.BlockWords())
	}
	for i := range layouts {
		layouts[i].Pad = words - layouts[i].BlockWords()
	}
	return layouts
}

// KVUsed is how many bytes of a block a KV group's layer at a place uses for K, and for V: others have larger layers, or more of them.
func (p *Plan) KVUsed(group, place int, layout kernel.KVLayout) uint64 {
	if slices.ContainsFunc(p.kv, func(l *kvLayer) bool { return l.group == group && l.place == place }) {
		return uint64(4 * layout.BlockWords())
	}
	return 0
}

// HeadsPerKV is how many query heads share a KV head, in each of attention's item lists.
func (p *Plan) HeadsPerKV() []int {
	var each []int
	for _, form := range p.lists {
		each = append(each, form.heads/form.kvHeads)
	}
	return each
}

// KVTokenBytes returns the bytes of K and V of one token in all layers.
func (p *Plan) KVTokenBytes(kvType string) (int, error) {
	n, err := p.KVBytes(kvType, 1)
	return int(n), err
}

// KVSlotBytes returns the bytes that the slots of one token take in all KV groups, padding included.
func (p *Plan) KVSlotBytes(kvType string) (int, error) {
	t, err := kernel.ParseKVType(kvType)
	return 2 * len(p.groups) * p.GroupLayers() * int(p.KVLayouts(1, t)[0].Bytes(1)), err
}

// tokenBytes returns the bytes of K and V of one token.
func (l *kvLayer) tokenBytes(t kernel.KVType) int64 {
	return 8 * int64(kernel.KVLayout{HeadDim: l.headDim, KVHeads: l.kvHeads, BlockSize: 1, Type: t}.BlockWords())
}

// KVBytes returns the bytes of K and V of one sequence of so many tokens, of which a layer with a window keeps the last.
func (p *Plan) KVBytes(kvType string, tokens int) (int64, error) {
	t, err := kernel.ParseKVType(kvType)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	for _, l := range p.kv {
		kept := tokens
		if l.window > 0 {
			kept = min(kept, l.window)
		}
		n += l.tokenBytes(t) * int64(kept)
	}
	return n, nil
}
