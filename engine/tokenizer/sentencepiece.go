package tokenizer

import (
	"fmt"
	"slices"
	"strings"
)

// modelGemma4 is the same as Gemma 4 writes it down: with a list of merges, in their order, instead of scores.
const (
	modelSentencePiece = "llama"
	modelGemma4        = "gemma4"
)

// kind is the model that text is cut by: some vocabularies call themselves byte-level, but are spelt and merge as Gemma 4's.
func (v *Vocabulary) kind() string {
	if v.Model == modelByteLevel && (v.Pre == "sarvam-moe" || v.Pre == "granite-embed-multi-311m") {
		return modelGemma4
	}
	return v.Model
}

// markBytes makes tokens <0xNN> bytes, whose type such vocabularies leave out.
func (t *Tokenizer) markBytes() {
	for id, token := range t.vocabulary.Tokens {
		if _, ok := byteValue(token); ok && t.marks[id] == markNormal {
			t.marks[id] = markByte
		}
	}
}

// spaceMark spells a space in SentencePiece's vocabularies.
const spaceMark = "\u2581"

// sentencePiece encodes with SentencePiece's BPE: characters merge into the tokens with the best
// scores, and what is no token falls back to byte tokens, or to the unknown token where the vocabulary lacks these (Kudo
// and Richardson, arXiv 1808.06226).
type sentencePiece struct {
	named   *index
	marks   []mark
	scores  []float32
	merges  merges     // decide in place of scores, where there is a list
	bytes   [256]int32 // the token <0xNN> of each byte, or None
	unknown int32      // stands for what has no byte tokens; None where all have
	longest int        // bytes of the longest piece
}

func newSentencePiece(v *Vocabulary, named *index, marks []mark) (*sentencePiece, error) {
	if len(v.Scores) != len(v.Tokens) && v.Model == modelSentencePiece {
		return nil, unfit(keyScores, "has %d scores for %d tokens", len(v.Scores), len(v.Tokens))
	}
	e := &sentencePiece{named: named, marks: marks, scores: v.Scores}
	for id, token := range v.Tokens {
		if token != "" && joins(token, marks[id]) {
			e.longest = max(e.longest, len(token))
		}
	}
	if v.Model != modelSentencePiece {
		var err error
		if e.merges, err = readMerges(v, named); err != nil {
			return nil, err
		}
	}
	for b := range e.bytes {
		e.bytes[b] = None
		if id, ok := named.get(fmt.Sprintf("<0x%02X>", b)); ok {
			e.bytes[b] = id
		}
	}
	e.unknown = unknownToken(v, named, marks)
	if e.unknown == None && slices.Contains(e.bytes[:], None) {
		return nil, unfit(keyUnknown, "is missing, and the vocabulary has neither a token for every byte nor <unk>")
	}
	return e, nil
}

// joins tells whether text may merge into a token: not where the token would not give that text back. A user-defined token
// stands for its text as it is spelt, so where U+2581 is part of it, it is no space.
func joins(token string, m mark) bool {
	return m&markNormal != 0 || m&markUserDefined != 0 && m&markHidden == 0 && !strings.Contains(token, spaceMark)
}

// unknownToken finds the token for what a vocabulary lacks: by its key, its type or its name.
func unknownToken(v *Vocabulary, named *index, marks []mark) int32 {
	if id, ok := v.IDs[keyUnknown]; ok {
		return id
	}
	if id := slices.IndexFunc(marks, func(m mark) bool { return m&markUnknown != 0 }); id >= 0 {
		return int32(id)
	}
	if id, ok := named.get("<unk>"); ok {
		return id
	}
	return None
}

// encode appends the tokens of text, with a space in front of it if prefix is set.
func (e *sentencePiece) encode(text string, prefix bool, ids []int32) []int32 {
	text = strings.ReplaceAll(text, " ", spaceMark)
	if prefix {
		text = spaceMark + text
	}
	var m merger
	for i := 0; i < len(text); {
		end := min(i+characterBytes(text[i]), len(text))
		m.add(i, end, e.piece(text[i:end]))
		i = end
	}
	m.merge(func(left, right *symbol) (float64, int32, bool) {
		if e.merges.of != nil {
			m, ok := e.merges.of.get(left.id, right.id)
			return float64(m.rank), m.id, ok
		}
		id := e.piece(text[left.start:right.end])
		if id == None {
			return 0, None, false
		}
		return -float64(e.scores[id]), id, true
	})
	missing := false // the last token stands for what the vocabulary lacks
	for i := range m.symbols {
		s := &m.symbols[i]
		if s.start == s.end {
			continue
		}
		covered := s.id != None
		switch spelt := text[s.start:s.end]; {
		case covered:
			ids = append(ids, s.id)
		case e.hasBytes(spelt):
			covered = true
			for _, b := range []byte(spelt) {
				ids = append(ids, e.bytes[b])
			}
		case !missing: // what lies side by side is one
			ids = append(ids, e.unknown)
		}
		missing = !covered
	}
	return ids
}

func (e *sentencePiece) hasBytes(text string) bool {
	for i := range len(text) {
		if e.bytes[text[i]] == None {
			return false
		}
	}
	return true
}

// piece is the token that text may become, or None.
func (e *sentencePiece) piece(text string) int32 {
	if len(text) <= e.longest {
		if id, ok := e.named.get(text); ok && joins(text, e.marks[id]) {
			return id
		}
	}
	return None
}

// characterBytes is the length of the UTF-8 sequence that lead announces, whether or not it follows.
func characterBytes(lead byte) int {
	switch {
	case lead < 0xC0:
		return 1
	case lead < 0xE0:
		return 2
	case lead < 0xF0:
		return 3
	}
	return 4
}
