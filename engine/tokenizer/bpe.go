package tokenizer

import (
	"slices"
	"strings"
	"sync"

	"quire/engine/breath"
)

const modelByteLevel = "gpt2"

// byteLevel encodes with byte-level BPE: text is cut into pre-tokens, and inside each the pairs merge
// in the order of the merge list.
type byteLevel struct {
	passes  []pass
	bytes   [256]int32 // the token of each byte, or None
	merges  merges
	whole   *index // tokens by their bytes, where whole pre-tokens need no merges; or nil
	cacheMu sync.Mutex
	cache   map[string][]int32 // short pre-tokens seen before
}

// merges are a vocabulary's list of what merges.
type merges struct {
	of           *pairs
	dropped      int // with a part or a result that is no token
	firstDropped string
}

type merge struct{ rank, id int32 }

// The cache is emptied when it holds this many pre-tokens, and holds none longer than this.
const (
	cachedPreTokens  = 1 << 15
	cachedTokenBytes = 48
)

func pairKey(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// newByteLevel takes tokens' bytes as pieces has them.
func newByteLevel(v *Vocabulary, named *index, marks []mark, pieces []string) (*byteLevel, error) {
	pre, ok := preTokenizers[v.Pre]
	if !ok {
		return nil, unsupported(keyPre, v.Pre)
	}
	e := &byteLevel{passes: pre.passes, cache: map[string][]int32{}}
	for b := range e.bytes {
		e.bytes[b] = None
		if id, ok := named.get(string(byteRunes[b])); ok && marks[id]&markHidden == 0 {
			e.bytes[b] = id
		}
	}
	var err error
	if e.merges, err = readMerges(v, named); err != nil {
		return nil, err
	}
	if v.IgnoreMerges {
		e.whole = newIndex(slices.Clone(pieces))
		for id, token := range v.Tokens {
			if marks[id]&markNormal == 0 {
				e.whole.texts[id] = spelledBytes(token)
			}
			if marks[id]&markSpecial == 0 && token != "" {
				e.whole.put(int32(id))
			}
		}
	}
	return e, nil
}

// readMerges reads a vocabulary's list.
func readMerges(v *Vocabulary, named *index) (merges, error) {
	m := merges{of: newPairs(len(v.Merges))}
	if v.Merges == nil {
		return m, unfit(keyMerges, "is missing: the tokenizer %q needs it", v.Model)
	}
	var work breath.Breath
	made := int32(-1) // by the merge before: most vocabularies list tokens in the order of the merges that make them
	for rank, line := range v.Merges {
		if rank%4096 == 0 {
			work.Take()
		}
		left, right, ok := cutMerge(line)
		if !ok {
			return m, unfit(keyMerges, "merge %d, %q, is no pair of tokens", rank, line)
		}
		l, isLeft := named.get(left)
		r, isRight := named.get(right)
		both, isBoth := made, named.says(made, left, right)
		if !isBoth {
			both, isBoth = made+1, named.says(made+1, left, right)
		}
		if !isBoth {
			both, isBoth = named.joined(left, right)
		}
		if !isLeft || !isRight || !isBoth {
			if m.dropped == 0 {
				m.firstDropped = line
			}
			m.dropped++
			continue
		}
		made = both
		m.of.put(l, r, merge{int32(rank), both})
	}
	return m, nil
}

// cutMerge cuts a merge at its first space that is not its first byte.
func cutMerge(line string) (left, right string, ok bool) {
	if line == "" {
		return "", "", false
	}
	at := strings.IndexByte(line[1:], ' ') + 1
	return line[:at], line[at+1:], at > 0 && at+1 < len(line)
}

// encode appends the tokens of text. Bytes that the vocabulary lacks give none.
func (e *byteLevel) encode(text string, ids []int32) []int32 {
	var s scan
	var m merger
	s.split(text, e.passes, func(preToken string) {
		if len(preToken) > cachedTokenBytes {
			ids = e.preToken(preToken, &m, ids)
			return
		}
		e.cacheMu.Lock()
		known, ok := e.cache[preToken]
		e.cacheMu.Unlock()
		if ok {
			ids = append(ids, known...)
			return
		}
		from := len(ids)
		ids = e.preToken(preToken, &m, ids)
		e.remember(preToken, ids[from:])
	})
	return ids
}

func (e *byteLevel) remember(preToken string, ids []int32) {
	e.cacheMu.Lock()
	defer e.cacheMu.Unlock()
	if len(e.cache) >= cachedPreTokens {
		clear(e.cache)
	}
	e.cache[strings.Clone(preToken)] = append([]int32(nil), ids...)
}

func (e *byteLevel) preToken(preToken string, m *merger, ids []int32) []int32 {
	if e.whole != nil {
		if id, ok := e.whole.get(preToken); ok {
			return append(ids, id)
		}
	}
	m.symbols = m.symbols[:0]
	for i := range len(preToken) {
		m.add(i, i+1, e.bytes[preToken[i]])
	}
	m.merge(func(left, right *symbol) (float64, int32, bool) {
		m, ok := e.merges.of.get(left.id, right.id)
		return float64(m.rank), m.id, ok
	})
	for i := range m.symbols {
		if s := &m.symbols[i]; s.start < s.end && s.id != None {
			ids = append(ids, s.id)
		}
	}
	return ids
}
