package tokenizer

import (
	"strings"
	"sync"
)

const modelByteLevel = "gpt2"

// byteLevel encodes with byte-level BPE: text is cut into pre-tokens, and inside each the pairs merge
// in the order of the merge list.
type byteLevel struct {
	passes  []pass
	bytes   [256]int32 // the token of each byte, or None
	merges  merges
	whole   map[string]int32 // tokens by their bytes, where whole pre-tokens need no merges
	cacheMu sync.Mutex
	cache   map[string][]int32 // short pre-tokens seen before
}

// merges are a vocabulary's list of what merges.
type merges struct {
	of           map[uint64]merge // by pair of tokens
	dropped      int              // with a part or a result that is no token
	firstDropped string
}

type merge struct{ rank, id int32 }

// The cache is emptied when it holds this many pre-tokens, and holds none longer than this.
const (
	cachedPreTokens  = 1 << 15
	cachedTokenBytes = 48
)

func pairKey(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

func newByteLevel(v *Vocabulary, named map[string]int32, marks []mark) (*byteLevel, error) {
	pre, ok := preTokenizers[v.Pre]
	if !ok {
		return nil, unsupported(keyPre, v.Pre)
	}
	e := &byteLevel{passes: pre.passes, cache: map[string][]int32{}}
	for b := range e.bytes {
		e.bytes[b] = None
		if id, ok := named[string(byteRunes[b])]; ok && marks[id]&markHidden == 0 {
			e.bytes[b] = id
		}
	}
	var err error
	if e.merges, err = readMerges(v, named); err != nil {
		return nil, err
	}
	if v.IgnoreMerges {
		e.whole = make(map[string]int32, len(v.Tokens))
		for id, token := range v.Tokens {
			if marks[id]&markSpecial == 0 && token != "" {
				e.whole[spelledBytes(token)] = int32(id)
			}
		}
	}
	return e, nil
}

// readMerges reads a vocabulary's list.
func readMerges(v *Vocabulary, named map[string]int32) (merges, error) {
	m := merges{of: make(map[uint64]merge, len(v.Merges))}
	if v.Merges == nil {
		return m, unfit(keyMerges, "is missing: the tokenizer %q needs it", v.Model)
	}
	for rank, line := range v.Merges {
		left, right, ok := cutMerge(line)
		if !ok {
			return m, unfit(keyMerges, "merge %d, %q, is no pair of tokens", rank, line)
		}
		var ids [3]int32
		for i, part := range [3]string{left, right, left + right} {
			if ids[i], ok = named[part]; !ok {
				break
			}
		}
		if !ok {
			if m.dropped == 0 {
				m.firstDropped = line
			}
			m.dropped++
			continue
		}
		key := pairKey(ids[0], ids[1])
		if _, twice := m.of[key]; !twice {
			m.of[key] = merge{int32(rank), ids[2]}
		}
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
	if id, ok := e.whole[preToken]; ok {
		return append(ids, id)
	}
	m.symbols = m.symbols[:0]
	for i := range len(preToken) {
		m.add(i, i+1, e.bytes[preToken[i]])
	}
	m.merge(func(left, right *symbol) (float64, int32, bool) {
		pair, ok := e.merges.of[pairKey(left.id, right.id)]
		return float64(pair.rank), pair.id, ok
	})
	for i := range m.symbols {
		if s := &m.symbols[i]; s.start < s.end && s.id != None {
			ids = append(ids, s.id)
		}
	}
	return ids
}
