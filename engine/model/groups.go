package model

import (
	"slices"

	"quire/engine/kernel"
)

// group parts the layers that keep K and V into KV groups: layers of one window, as many in each group, the last of a
// window padded. The i-th layers of all groups share their buffers, so that a block is memory for whichever group holds it.
func (b *builder) group() {
	p := b.plan
	counts := map[int]int{} // layers of a window
	var windows []int
	for _, l := range p.kv {
		if counts[l.window] == 0 {
			windows = append(windows, l.window)
		}
		counts[l.window]++
		if first := p.kv[0]; l.headDim != first.headDim || l.kvHeads != first.kvHeads || l.heads != first.heads {
			b.refuse("layers differ in their heads, and only layers that are alike run")
		}
	}
	slices.Sort(windows) // full attention, 0, comes first
	size := groupSize(counts)
	next := map[int]int{} // the next layer of a window
	first := map[int]int{}
	for _, window := range windows {
		first[window] = len(p.windows)
		for range (counts[window] + size - 1) / size {
			p.windows = append(p.windows, window)
		}
	}
	for _, l := range p.kv {
		at := next[l.window]
		next[l.window]++
		l.group, l.place = first[l.window]+at/size, at%size
	}
}

// groupSize is how many layers a group has: as the window with the fewest, or more where that would be too many groups.
func groupSize(counts map[int]int) int {
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
func (p *Plan) Windows() []int { return p.windows }

// GroupLayers is how many layers a KV group has.
func (p *Plan) GroupLayers() int {
	most := 0
	for _, l := range p.kv {
		most = max(most, l.place+1)
	}
	return most
}

// KVLayout is the form of a layer's K, and of its V.
func (p *Plan) KVLayout(blockSize int, t kernel.KVType) kernel.KVLayout {
	return kernel.KVLayout{HeadDim: p.kv[0].headDim, KVHeads: p.kv[0].kvHeads, BlockSize: blockSize, Type: t}
}

// HeadsPerKV is how many query heads share a KV head.
func (p *Plan) HeadsPerKV() int { return p.kv[0].heads / p.kv[0].kvHeads }

// KVTokenBytes returns the bytes of K and V of one token in all layers.
func (p *Plan) KVTokenBytes(kvType string) (int, error) {
	n, err := p.KVBytes(kvType, 1)
	return int(n), err
}

// KVSlotBytes returns the bytes that the slots of one token take in all KV groups, padding included.
func (p *Plan) KVSlotBytes(kvType string) (int, error) {
	t, err := kernel.ParseKVType(kvType)
	return 2 * len(p.windows) * p.GroupLayers() * int(p.KVLayout(1, t).Bytes(1)), err
}

// KVBytes returns the bytes of K and V of one sequence of so many tokens, of which a layer with a window keeps the last.
func (p *Plan) KVBytes(kvType string, tokens int) (int64, error) {
	t, err := kernel.ParseKVType(kvType)
	if err != nil {
		return 0, err
	}
	token := 2 * int64(p.KVLayout(1, t).Bytes(1))
	n := int64(0)
	for _, l := range p.kv {
		kept := tokens
		if l.window > 0 {
			kept = min(kept, l.window)
		}
		n += token * int64(kept)
	}
	return n, nil
}
