package attention

import "quire/engine/kernel"

// itemDirect marks, in Item.First, a decode item that sees all keys of its rows: it writes the output itself.
const itemDirect = 1 << 31

// AppendRow appends the items of a step's row: prefill items for several tokens, and in deterministic mode for any;
// decode items and merges for one. count tokens begin at position start; splitSpan is ChooseSplit's.
func (a *Attention) AppendRow(s *kernel.StepData, row, count, start, splitSpan int) {
	if count == 1 && !a.params.Deterministic {
		s.Decode, s.Merges = a.AppendDecodeItems(s.Decode, s.Merges, row, start+1, splitSpan)
		return
	}
	s.Prefill = a.AppendPrefillItems(s.Prefill, row, count, start)
}

// AppendPrefillItems appends an item for each tile of the row's flat query rows. Its tokens are at positions start to
// start+count-1 and see keys up to their own position; a negative start leaves tokens before position 0 with none.
func (a *Attention) AppendPrefillItems(items []kernel.Item, row, count, start int) []kernel.Item {
	perToken := a.params.Heads / a.params.KVHeads
	flat := count * perToken
	for first := 0; first < flat; first += a.prefillTile.rows {
		last := min(first+a.prefillTile.rows, flat) - 1
		end := max(0, start+last/perToken+1)
		items = append(items, kernel.Item{Row: uint32(row), First: uint32(first), KeyEnd: uint32(end)})
	}
	return items
}

// AppendDecodeItems appends the items of a row with one token, the last of seqLen: its keys in spans of splitSpan, and
// a merge where there are several. A step's items serve every KV group of its layers, so a window leaves them as they
// are: its kernel passes over what lies before it.
func (a *Attention) AppendDecodeItems(items []kernel.Item, merges []kernel.Merge, row, seqLen, splitSpan int) ([]kernel.Item, []kernel.Merge) {
	perToken := a.params.Heads / a.params.KVHeads
	keys := a.decodeTile.keys
	span := max(1, (splitSpan+keys-1)/keys) * keys
	spans := max(1, (seqLen+span-1)/span)
	for first := 0; first < perToken; first += a.decodeTile.rows {
		if spans == 1 {
			items = append(items, kernel.Item{Row: uint32(row), First: uint32(first) | itemDirect, KeyEnd: uint32(seqLen)})
			continue
		}
		merges = append(merges, kernel.Merge{Row: uint32(row), First: uint32(len(items)), Count: uint32(spans)})
		for s := range spans {
			items = append(items, kernel.Item{Row: uint32(row), First: uint32(first),
				KeyBegin: uint32(s * span), KeyEnd: uint32(min(seqLen, (s+1)*span))})
		}
	}
	return items, merges
}

// DecodeItems returns how many decode items a row of seqLen tokens becomes.
func (a *Attention) DecodeItems(seqLen, splitSpan int) int {
	perToken := a.params.Heads / a.params.KVHeads
	keys := a.decodeTile.keys
	span := max(1, (splitSpan+keys-1)/keys) * keys
	return max(1, (seqLen+span-1)/span) * ((perToken + a.decodeTile.rows - 1) / a.decodeTile.rows)
}

// PartialBytes returns the size of the buffer that the partial results of so many decode items need.
func (a *Attention) PartialBytes(decodeItems int) uint64 {
	columns := (a.params.HeadDim + 3) / 4
	return 16 * uint64(decodeItems) * uint64(a.params.KVHeads) * uint64(a.decodeTile.rows) * uint64(columns+1)
}

// The spans that ChooseSplit chooses between.
const (
	minSpan = 64
	maxSpan = 4096
)

// ChooseSplit returns the longest span of keys that still gives every compute unit several workgroups, so that one
// sequence can fill a GPU and many need no merge. seqLens are those of the step's decode rows.
func ChooseSplit(seqLens []int, kvHeads, computeUnits int) int {
	const perUnit = 4
	span := maxSpan
	for ; span > minSpan; span /= 2 {
		groups := 0
		for _, n := range seqLens {
			groups += (n + span - 1) / span * kvHeads
		}
		if groups >= perUnit*computeUnits {
			break
		}
	}
	return span
}
