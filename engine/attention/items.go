package attention

import (
	"math"

	"quire/engine/kernel"
)

// itemWhole marks, in Item.First, a decode item that sees all keys of its rows: it writes the output itself.
const itemWhole = 1 << 31

// splits reports whether a row of count tokens takes the decode path: one token, or a few speculative ones of which a few
// tiles hold all query heads.
func (a *Attention) splits(count int) bool {
	few := count <= 8 && count*a.params.Heads/a.params.KVHeads <= 8*a.decodeTile.rows
	return (count <= 1 || few) && !a.params.Deterministic
}

// SameItems reports whether rows become the same items for b, so that one list serves both.
func (a *Attention) SameItems(b *Attention) bool {
	p, q := &a.params, &b.params
	return p.Heads == q.Heads && p.KVHeads == q.KVHeads && p.Bidirectional == q.Bidirectional && p.Deterministic == q.Deterministic &&
		a.itemRows() == b.itemRows() && a.decodeTile.rows == b.decodeTile.rows && a.decodeTile.keys == b.decodeTile.keys &&
		a.splitMost == b.splitMost && a.mergeMost == b.mergeMost && p.shares() == q.shares() && a.sharedTile.rows == b.sharedTile.rows &&
		a.sharedTile.keys == b.sharedTile.keys && a.sharedMost == b.sharedMost
}

// AppendRow appends the items of a step's row: decode items and merges for few tokens, prefill items for more, and in
// deterministic mode for any. count tokens begin at position start; splitSpan is ChooseSplit's.
func (a *Attention) AppendRow(s *kernel.StepData, row, count, start, splitSpan int) {
	list := s.List(a.params.List)
	if a.splits(count) {
		a.appendDecodeItems(list, row, count, start+count, splitSpan)
		return
	}
	list.Prefill = a.appendPrefillItems(list.Prefill, row, count, start)
}

// itemRows are the flat query rows of a prefill item.
func (a *Attention) itemRows() int { return a.prefillTile.rows * a.many.parts }

// appendPrefillItems appends an item for each tile of the row's flat query rows. A negative start leaves tokens before
// position 0 with no keys of their own.
func (a *Attention) appendPrefillItems(items []kernel.Item, row, count, start int) []kernel.Item {
	perToken := a.params.Heads / a.params.KVHeads
	flat := count * perToken
	// The last rows see the most keys: they go first, so that no long item is left for the end.
	rows := a.itemRows()
	for first := (flat - 1) / rows * rows; first >= 0 && flat > 0; first -= rows {
		end := start + count
		if !a.params.Bidirectional {
			end = start + (min(first+rows, flat)-1)/perToken + 1
		}
		items = append(items, kernel.Item{Row: uint32(row), First: uint32(first), KeyEnd: uint32(max(0, end))})
	}
	return items
}

// appendDecodeItems appends the items of a row whose count tokens end a sequence of seqLen: its keys in spans, and a merge
// for each tile of rows where there are several. A step's items serve every KV group of its layers, so a window leaves
// them as they are: its kernel passes over what lies before it.
func (a *Attention) appendDecodeItems(list *kernel.Items, row, count, seqLen, splitSpan int) {
	flat := count * a.params.Heads / a.params.KVHeads
	seqLen = max(0, seqLen)
	span, spans := a.spans(seqLen, splitSpan)
	for first := 0; first < flat; first += a.decodeTile.rows {
		if spans == 1 {
			list.Decode = append(list.Decode, kernel.Item{Row: uint32(row), First: uint32(first) | itemWhole, KeyEnd: uint32(seqLen)})
			continue
		}
		list.Merges = append(list.Merges, kernel.Merge{Row: uint32(row), First: uint32(list.Partials), Count: uint32(spans), Flat: uint32(first)})
		for s := range spans {
			list.Decode = append(list.Decode, kernel.Item{Row: uint32(row), First: uint32(first),
				KeyBegin: uint32(s * span), KeyEnd: uint32(min(seqLen, (s+1)*span)), To: uint32(list.Partials + s)})
		}
		list.Partials += spans
	}
}

// spans cuts seqLen keys: whole tiles of about splitSpan keys each, no more than one launch walks, and no more of them than
// one merge takes.
func (a *Attention) spans(seqLen, splitSpan int) (span, spans int) {
	keys := a.decodeTile.keys
	splitSpan = min(max(splitSpan, (seqLen+a.mergeMost-1)/a.mergeMost), a.splitMost)
	span = max(1, (splitSpan+keys-1)/keys) * keys
	return span, max(1, (seqLen+span-1)/span)
}

// Unsplit is how many keys of its longest sequence a step may have for none to be cut, as ChooseSplit takes it.
func (a *Attention) Unsplit() int {
	if a.decodeTile.spreads() {
		return max(unsplit, 4*a.decodeTile.keys)
	}
	return unsplit
}

// LongestSpan is the most keys of a decode item.
func (a *Attention) LongestSpan() int { return a.splitMost }

// MaxKeys is the most keys of a sequence.
func (a *Attention) MaxKeys() int { return max(a.params.MaxKeys, a.walk.most()) }

// MaxPrefillItems returns the most prefill items of so many tokens in so many rows.
func (a *Attention) MaxPrefillItems(tokens, rows int) int {
	return tokens*a.params.Heads/a.params.KVHeads/a.itemRows() + min(tokens, rows)
}

// WalkBytes returns the size of the buffer in which the states of so many prefill items wait between launches; 0 where one
// launch walks MaxKeys.
func (a *Attention) WalkBytes(prefillItems int) uint64 {
	if !a.walk.parts {
		return 0
	}
	t := a.prefillTile
	columns := (t.columns + t.outThreads() - 1) / t.outThreads()
	vectors := t.rows / 4 * (1 + t.threadsX + 4*columns*t.outThreads()*t.parts()) // maxima, sums, outputs
	return 16 * uint64(prefillItems*a.many.parts) * uint64(a.params.KVHeads) * uint64(vectors)
}

// DecodeItems returns how many decode items a row of count tokens that end a sequence of seqLen becomes, 0 where it takes
// the prefill kernel.
func (a *Attention) DecodeItems(count, seqLen, splitSpan int) int {
	if !a.splits(count) {
		return 0
	}
	_, spans := a.spans(seqLen, splitSpan)
	return spans * ((count*a.params.Heads/a.params.KVHeads + a.decodeTile.rows - 1) / a.decodeTile.rows)
}

// MaxDecodeItems returns the most decode items whose partial results one binding holds.
func (a *Attention) MaxDecodeItems() int {
	limits := a.device.Limits()
	return int(min(limits.MaxStorageBufferBindingSize, limits.MaxBufferSize, math.MaxInt32) / a.PartialBytes(1))
}

// PartialBytes returns the size of the buffer that the partial results of so many decode items need.
func (a *Attention) PartialBytes(decodeItems int) uint64 {
	columns := (a.params.HeadDim + 3) / 4
	return 16 * uint64(decodeItems) * uint64(a.params.KVHeads) * uint64(a.decodeTile.rows) * uint64(columns+1)
}

// The spans that ChooseSplit chooses between, and the most that it cuts a sequence into: more take long to merge.
const (
	unsplit  = 128 // up to so many keys a merge takes longer than what it saves: see Unsplit
	minSpan  = 64
	maxSpan  = 4096
	maxSpans = 128
)

// groupsPerUnit is how many workgroups a compute unit is given.
const groupsPerUnit = 8

// ChooseSplit returns the span of keys that gives every compute unit several workgroups at once, so that one sequence can fill a
// GPU and many, and short ones of whole keys at most, need no merge. seqLens are those of the step's decode rows.
func ChooseSplit(seqLens []int, kvHeads, computeUnits, whole int) int {
	longest, keys := 0, 0
	for _, n := range seqLens {
		longest, keys = max(longest, n), keys+n
	}
	if longest <= whole {
		return maxSpan
	}
	wanted := groupsPerUnit * computeUnits
	span := max(minSpan, (keys*kvHeads+wanted-1)/wanted, (longest+maxSpans-1)/maxSpans)
	// What is left over of each sequence would come when all others are done: spans a little longer may leave nothing over.
	for longer := span; longer <= span+span/2; longer += span / 64 {
		groups := 0
		for _, n := range seqLens {
			groups += (n + longer - 1) / longer * kvHeads
		}
		if groups <= wanted {
			return min(longer, maxSpan)
		}
	}
	return min(span, maxSpan)
}
