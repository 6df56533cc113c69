package tokenizer

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

const modelUnigram = "t5"

// unigram encodes with SentencePiece's unigram model: text is normalised as the file's table says, and cut into the tokens whose
// scores have the best sum (Kudo, arXiv 1804.10959).
type unigram struct {
	pieces  map[string]int32
	scores  []float32
	longest int // bytes of the longest piece
	unknown int32
	worst   float64 // the unknown token's score
	rules   charsmap
	merge   bool // runs of spaces are one, and none is at the ends
}

// unknownPenalty is how much worse than the worst token the unknown one is.
const unknownPenalty = 10

func newUnigram(v *Vocabulary, named *index, marks []mark) (*unigram, error) {
	if len(v.Scores) != len(v.Tokens) {
		return nil, unfit(keyScores, "has %d scores for %d tokens", len(v.Scores), len(v.Tokens))
	}
	e := &unigram{pieces: make(map[string]int32, len(v.Tokens)), scores: slices.Clone(v.Scores), unknown: unknownToken(v, named, marks), merge: v.MergeSpaces}
	if e.unknown == None {
		return nil, unfit(keyUnknown, "is missing, and the vocabulary has no <unk>")
	}
	var err error
	if e.rules, err = newCharsmap(v.Charsmap); err != nil {
		return nil, err
	}
	worst := float32(0)
	for id, token := range v.Tokens {
		own := marks[id]&markUserDefined != 0 && marks[id]&markHidden == 0
		if token == "" || !own && marks[id] != markNormal {
			continue
		}
		if own {
			e.scores[id] = 0
		} else {
			worst = min(worst, e.scores[id])
		}
		e.pieces[token] = int32(id)
		e.longest = max(e.longest, len(token))
	}
	e.worst = float64(worst) - unknownPenalty
	return e, nil
}

// encode appends the tokens of text, with a space in front of it if prefix is set.
func (e *unigram) encode(text string, prefix bool, ids []int32) []int32 {
	text = e.normalised(text, prefix)
	type step struct {
		score float64
		from  int
		id    int32
	}
	best := make([]step, len(text)+1)
	for i := 1; i < len(best); i++ {
		best[i].score = math.Inf(-1)
	}
	for i := 0; i < len(text); {
		_, size := utf8.DecodeRuneInString(text[i:])
		whole := false
		offer := func(to int, id int32, score float64) {
			if sum := best[i].score + score; sum > best[to].score {
				best[to] = step{sum, i, id}
			}
		}
		for to := i + size; to <= min(len(text), i+e.longest); {
			if id, ok := e.pieces[text[i:to]]; ok {
				whole = whole || to == i+size
				offer(to, id, float64(e.scores[id]))
			}
			if to == len(text) {
				break
			}
			_, next := utf8.DecodeRuneInString(text[to:])
			to += next
		}
		if !whole {
			offer(i+size, e.unknown, e.worst)
		}
		i += size
	}
	first := len(ids)
	for at := len(text); at > 0; at = best[at].from {
		if id := best[at].id; id != e.unknown || len(ids) == first || ids[len(ids)-1] != e.unknown { // what lies side by side is one
			ids = append(ids, id)
		}
	}
	slices.Reverse(ids[first:])
	return ids
}

// normalised is text as the vocabulary spells it.
func (e *unigram) normalised(text string, prefix bool) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		to, n := e.rules.replace(text[i:])
		out.WriteString(to)
		i += n
	}
	text = out.String()
	if e.merge {
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }), " ")
	}
	if prefix && text != "" {
		text = " " + text
	}
	return strings.ReplaceAll(text, " ", spaceMark)
}

// charsmap is SentencePiece's table of what beginnings of a text are replaced by: a double array of a trie, and texts.
type charsmap struct {
	trie  []uint32
	texts string
}

func newCharsmap(data []byte) (charsmap, error) {
	if len(data) == 0 {
		return charsmap{}, nil
	}
	if len(data) < 4 {
		return charsmap{}, unfit(keyCharsmap, "has %d bytes", len(data))
	}
	size := uint64(binary.LittleEndian.Uint32(data))
	if data = data[4:]; size%4 != 0 || size > uint64(len(data)) {
		return charsmap{}, unfit(keyCharsmap, "says that its first part has %d bytes, and %d follow", size, len(data))
	}
	m := charsmap{trie: make([]uint32, size/4), texts: string(data[size:])}
	for i := range m.trie {
		m.trie[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	return m, nil
}

// replace gives what stands for the beginning of a text that is not empty, and how many of its bytes that is.
func (m charsmap) replace(text string) (to string, n int) {
	at, value := m.base(0), -1
	for i := 0; i < len(text) && text[i] != 0; i++ {
		at ^= text32(text[i])
		if int(at) >= len(m.trie) || m.trie[at]&(1<<31|0xFF) != text32(text[i]) {
			break
		}
		leaf := m.trie[at]>>8&1 == 1
		if at ^= m.base(at); leaf && int(at) < len(m.trie) {
			value, n = int(m.trie[at]&(1<<31-1)), i+1
		}
	}
	if n > 0 && value < len(m.texts) {
		to, _, _ = strings.Cut(m.texts[value:], "\x00")
		return to, n
	}
	r, size := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError {
		return "\uFFFD", size
	}
	return text[:size], size
}

func text32(b byte) uint32 { return uint32(b) }

// base is where a node's children are.
func (m charsmap) base(at uint32) uint32 {
	if int(at) >= len(m.trie) {
		return 0
	}
	node := m.trie[at]
	return node >> 10 << (node & (1 << 9) >> 6)
}
