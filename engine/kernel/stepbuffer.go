package kernel

import (
	"math"

	"quire/paging"
)

// The step buffer is what one step computes, as the shaders read it (shaders/lib/step.wgsl is its other half): counts
// and offsets in words, then the sections. The host writes it in one piece a step.

// Word indices of the header.
const (
	WordTokens       = 0
	WordRows         = 1
	WordOutputs      = 2
	wordAtTokens     = 3
	wordAtPositions  = 4
	wordAtTokenRows  = 5
	wordAtRows       = 6
	wordAtOutputs    = 7
	WordPrefillItems = 8 // of items and merges the number, and in the next word where they lie
	WordDecodeItems  = 10
	WordMerges       = 12
	WordCopies       = 14
	wordAtCopies     = 15
	wordAtSlots      = 16
	MaxGroups        = 8
	wordAtSlopes     = wordAtSlots + MaxGroups
	wordAtMasks      = wordAtSlopes + 1
	wordSeed         = wordAtMasks + 1
	WordPools        = wordSeed + 2
	wordAtPools      = WordPools + 1
	wordFurther      = wordAtPools + 1 // of the item lists after the first, as the first has from WordPrefillItems on
	MaxLists         = 4
	listWords        = WordCopies - WordPrefillItems
	wordAtLoRA       = wordFurther + (MaxLists-1)*listWords
	wordLoRAFours    = wordAtLoRA + 1
	WordRuns         = wordLoRAFours + 1 // of kept block tables
	wordAtRuns       = WordRuns + 1
	wordAtKeeps      = wordAtRuns + 1
	wordAtNext       = wordAtKeeps + 1
	headerWords      = wordAtNext + 1
)

// ListWord is where a word of the first item list's, such as WordDecodeItems, stands for another list.
func ListWord(word, list int) int {
	if list == 0 {
		return word
	}
	return wordFurther + (list-1)*listWords + word - WordPrefillItems
}

// SharedWord is where an item list has the number of its items of shared keys, and behind it where they lie: behind the header.
func SharedWord(list int) int { return headerWords + 2*list }

// rowWords are a row's words before its tables, outputWords an output's, ItemWords an item's.
const (
	rowWords    = 6
	outputWords = 4
	ItemWords   = 9
)

// MostAsked is how many tokens StepData.Asked may have.
const MostAsked = 32

// decodeItemsAt is where the first list's items of decode lie.
const decodeItemsAt = headerWords + 2*MaxLists

// OutputSample marks an output whose token is drawn into its lane.
const OutputSample = 1

// outputMask is where an output's flags have its mask.
const outputMask = 8

// OutputMask gives, for an output's flags, a mask of the tokens that may be drawn, by its number in the buffer of masks (see
// Mask). Flags without are those of an output that is free.
func OutputMask(mask int) uint32 { return uint32(mask+1) << outputMask }

// StepRow is one sequence's share of a step.
type StepRow struct {
	First, Count, Start, Lane uint32
	From, To                  uint32 // slots of its state, before and after
}

// Output asks for the logits of one token of the step.
type Output struct{ Token, Lane, Counter, Flags uint32 }

// Item is one workgroup's share of attention, for each KV head: up to a tile of flat query rows (token·heads per KV
// head + head) of a row, from First, over the keys [KeyBegin, KeyEnd). Where that is part of what the rows see, the partial
// result is To; an item of shared keys has one for each of its row's tokens, as far from each other as the row's From says.
type Item struct{ Row, First, KeyBegin, KeyEnd, To uint32 }

// Merge combines the partial results [First, First+Count) of a tile of a row's flat query rows, which begins at Flat.
type Merge struct{ Row, First, Count, Flat uint32 }

// Items are a step's rows as attention shares them among workgroups. Layers whose tiles differ have lists of their own.
type Items struct {
	Prefill, Decode []Item
	Shared          []Item // of keys that several rows see
	Merges          []Merge
	Partials        int // partial results of all of them
}

// Reset empties the list, keeping its memory.
func (l *Items) Reset() {
	l.Prefill, l.Decode, l.Shared, l.Merges, l.Partials = l.Prefill[:0], l.Decode[:0], l.Shared[:0], l.Merges[:0], 0
}

// PoolItem asks for the sum of the rows of Count tokens of the step, from First on.
type PoolItem struct{ First, Count uint32 }

// StepData is a step in the shaders' terms.
type StepData struct {
	Tokens, Positions []uint32  // a token may be step.LaneToken
	Slots             [][]int32 // [KV group][token]; -1 writes nothing
	Rows              []StepRow
	SharedRows        []StepRow             // further rows: tokens of several, for items of shared keys
	Kept              TableRoom             // where rows' block tables are; the zero value: in Tables
	Runs              []TableRun            // what is new of kept tables
	Tables            [][MaxGroups][]uint32 // of each row, and of SharedRows, block ids, a table a KV group
	Keeps             []uint32              // of each token, the slot that keeps its row's state behind it, or 0; nil: of none
	Next              []uint32              // of each row, the token behind its last, where that is known; nil: nobody asks
	Outputs           []Output
	Asked             []uint32 // tokens whose rows come first behind the last layer's attention, as outputs then count them; none: all rows stay
	Pools             []PoolItem
	Items                     // the first list
	Further           []Items // the other lists, see List
	Copies            []paging.Copy

	Adapters [][]AdapterFour // LoRA adapters of each row; nil: of none

	// For attention on its own: ALiBi's slopes, one a query head; each row's mask as attention.Mask encodes it, empty for
	// none; dropout's seed.
	Slopes []float32
	Masks  [][]uint32
	Seed   uint64
}

// List gives an item list, of which there are at most MaxLists.
func (s *StepData) List(n int) *Items {
	if n == 0 {
		return &s.Items
	}
	for len(s.Further) < n {
		s.Further = append(s.Further, Items{})
	}
	return &s.Further[n-1]
}

// AppendWords appends the step buffer's words to buf.
func (s *StepData) AppendWords(buf []uint32) []uint32 {
	base := len(buf)
	for range headerWords + 2*MaxLists {
		buf = append(buf, 0)
	}
	at := func(word int) { buf[base+word] = uint32(len(buf) - base) }
	buf[base+WordTokens] = uint32(len(s.Tokens))
	buf[base+WordRows] = uint32(len(s.Rows))
	buf[base+WordOutputs] = uint32(len(s.Outputs))
	buf[base+WordCopies] = uint32(len(s.Copies))
	buf[base+WordPools] = uint32(len(s.Pools))

	for range len(s.Decode) * ItemWords { // they are written once their rows are
		buf = append(buf, 0)
	}
	at(wordAtTokens)
	buf = append(buf, s.Tokens...)
	at(wordAtPositions)
	buf = append(buf, s.Positions...)
	at(wordAtTokenRows)
	for r := range s.Rows {
		for range s.Rows[r].Count {
			buf = append(buf, uint32(r))
		}
	}
	for g, slots := range s.Slots {
		at(wordAtSlots + g)
		for _, slot := range slots {
			buf = append(buf, uint32(slot))
		}
	}
	at(wordAtRows)
	rows := len(buf)
	for _, list := range [][]StepRow{s.Rows, s.SharedRows} {
		for i := range list {
			r := &list[i]
			buf = append(buf, r.First, r.Count, r.Start, r.Lane, r.From, r.To)
			table, next := s.Kept.Word(0, r.Lane), s.Kept.Word(1, 0)-s.Kept.Word(0, 0)
			for range MaxGroups {
				buf = append(buf, table)
				table += next
			}
		}
	}
	for i := range s.Tables {
		for g, table := range s.Tables[i] {
			buf[rows+i*(rowWords+MaxGroups)+rowWords+g] = uint32(len(buf) - base)
			buf = append(buf, table...)
		}
	}
	buf = s.appendRuns(buf, base)
	if len(s.Keeps) > 0 {
		at(wordAtKeeps)
		buf = append(buf, s.Keeps...)
	}
	at(wordAtNext)
	buf = append(buf, s.Next...)
	at(wordAtOutputs)
	for _, o := range s.Outputs {
		buf = append(buf, o.Token, o.Lane, o.Counter, o.Flags)
	}
	for n := range 1 + len(s.Further) {
		list := s.List(n)
		for _, part := range []struct {
			word  int
			items []Item
		}{{ListWord(WordPrefillItems, n), list.Prefill}, {ListWord(WordDecodeItems, n), list.Decode}, {SharedWord(n), list.Shared}} {
			buf[base+part.word] = uint32(len(part.items))
			if part.word == WordDecodeItems {
				buf[base+part.word+1] = decodeItemsAt
				appendItems(buf[:base+decodeItemsAt], part.items, buf[rows:])
				continue
			}
			at(part.word + 1)
			buf = appendItems(buf, part.items, buf[rows:])
		}
		word := ListWord(WordMerges, n)
		buf[base+word] = uint32(len(list.Merges))
		at(word + 1)
		for _, m := range list.Merges {
			buf = append(buf, m.Row, m.First, m.Count, m.Flat)
		}
	}
	at(wordAtCopies)
	for _, c := range s.Copies {
		buf = append(buf, uint32(c.Group), uint32(c.From), uint32(c.To), uint32(c.Slots))
	}
	at(wordAtPools)
	for _, p := range s.Pools {
		buf = append(buf, p.First, p.Count)
	}
	if most := s.fours(); most > 0 {
		at(wordAtLoRA)
		buf[base+wordLoRAFours] = uint32(most)
		buf = s.appendAdapters(buf, most)
	}
	at(wordAtSlopes)
	for _, slope := range s.Slopes {
		buf = append(buf, math.Float32bits(slope))
	}
	buf[base+wordSeed], buf[base+wordSeed+1] = uint32(s.Seed), uint32(s.Seed>>32)
	return appendMasks(buf, base, s.Masks)
}

// appendItems appends items, with what the step says of their rows.
func appendItems(buf []uint32, items []Item, rows []uint32) []uint32 {
	for _, i := range items {
		r := rows[int(i.Row)*(rowWords+MaxGroups):]
		buf = append(buf, i.Row, i.First, i.KeyBegin, i.KeyEnd, i.To, r[0], r[1], r[2], r[rowWords])
	}
	return buf
}

func appendMasks(buf []uint32, base int, masks [][]uint32) []uint32 {
	first := len(buf)
	buf[base+wordAtMasks] = uint32(first - base)
	for range masks {
		buf = append(buf, 0)
	}
	for i, m := range masks {
		if len(m) > 0 {
			buf[first+i] = uint32(len(buf) - base)
			buf = append(buf, m...)
		}
	}
	return buf
}
