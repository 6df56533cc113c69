// Package tokenizer turns text into token ids and back, from the vocabulary in a GGUF file's
// metadata: SentencePiece-BPE, byte-level BPE, WordPiece and unigrams, cut as llama.cpp cuts them.
package tokenizer

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"quire/engine/breath"
	"quire/engine/gguf"
)

// Tokenizer turns text into token ids and back. It may be used from several goroutines at once.
type Tokenizer struct {
	vocabulary *Vocabulary
	marks      []mark
	pieces     []string         // the bytes that each token stands for
	ids        map[string]int32 // special tokens by metadata key
	ends       map[int32]bool   // tokens that end a generation
	prefix     bool             // text starts as if after a space
	always     *specials        // parsed in every text
	asked      *specials        // parsed where the caller trusts the text
	bpe        *byteLevel       // one of these is set
	sp         *sentencePiece
	words      *wordPiece
	uni        *unigram
}

// New makes a tokenizer from a file's metadata. Its errors wrap ErrUnsupportedTokenizer with the
// name of what is unknown, or are *gguf.MetadataError with the key of what does not fit.
func New(f *gguf.File) (*Tokenizer, error) {
	v, err := FromGGUF(f)
	if err != nil {
		return nil, err
	}
	return FromVocabulary(v)
}

// FromVocabulary makes a tokenizer that keeps v, which must not change afterwards. Its errors are
// those of New.
func FromVocabulary(v *Vocabulary) (*Tokenizer, error) {
	if v.Model != modelSentencePiece && v.Model != modelByteLevel && v.Model != modelWordPiece && v.Model != modelGemma4 && v.Model != modelUnigram {
		return nil, unsupported(keyModel, v.Model)
	}
	t := &Tokenizer{vocabulary: v}
	named, err := t.readTokens()
	if err != nil {
		return nil, err
	}
	for key, id := range v.IDs {
		if id < 0 || int(id) >= len(v.Tokens) {
			return nil, unfit(key, "is %d, but there are %d tokens", id, len(v.Tokens))
		}
	}
	t.assignRoles(v, named)
	t.markStripping(named)
	switch v.kind() {
	case modelWordPiece:
		t.prefix = true
		unknown, _ := t.special(keyUnknown)
		t.words, err = newWordPiece(v, unknown, t.marks)
	case modelSentencePiece, modelGemma4:
		t.markSpaces()
		if v.Model == modelByteLevel {
			t.markBytes()
		}
		t.prefix = v.AddSpacePrefix
		t.sp, err = newSentencePiece(v, named, t.marks)
	case modelUnigram:
		t.prefix = v.AddSpacePrefix
		t.uni, err = newUnigram(v, named, t.marks)
	default:
		t.spell()
		t.bpe, err = newByteLevel(v, named, t.marks, t.pieces)
	}
	if err != nil {
		return nil, err
	}
	t.always = newSpecials(v.Tokens, t.marks, func(m mark) bool { return m&markUserDefined != 0 && m&markHidden == 0 })
	t.asked = newSpecials(v.Tokens, t.marks, func(m mark) bool { return m&markSpecial != 0 })
	if t.pieces == nil {
		t.spell()
	}
	return t, nil
}

// spell notes the bytes that tokens stand for. Most of a byte-level vocabulary's are cut from one text: a hundred thousand small ones take
// the tab long.
func (t *Tokenizer) spell() {
	t.pieces = make([]string, len(t.vocabulary.Tokens))
	var all []byte
	ends := make([]int, len(t.pieces)) // in all
	var work breath.Breath
	for id, token := range t.vocabulary.Tokens {
		if id%4096 == 0 {
			work.Take()
		}
		if t.spellsBytes(t.marks[id]) && !itself(token) {
			all = appendBytes(all, token)
			ends[id] = len(all)
			continue
		}
		t.pieces[id] = t.spelled(int32(id))
	}
	text, from := string(all), 0
	for id, end := range ends {
		if end > 0 {
			t.pieces[id], from = text[from:end], end
		}
	}
}

func unsupported(key, name string) error {
	return fmt.Errorf("%w: %s %q is not known to this version", ErrUnsupportedTokenizer, key, name)
}

// readTokens checks tokens and types and gives ids by text.
func (t *Tokenizer) readTokens() (*index, error) {
	v := t.vocabulary
	if len(v.Tokens) == 0 {
		return nil, unfit(keyTokens, "is missing or empty: the file has no vocabulary")
	}
	if len(v.Types) != 0 && len(v.Types) != len(v.Tokens) {
		return nil, unfit(keyTypes, "has %d types for %d tokens", len(v.Types), len(v.Tokens))
	}
	if len(v.Scores) != 0 && len(v.Scores) != len(v.Tokens) {
		return nil, unfit(keyScores, "has %d scores for %d tokens", len(v.Scores), len(v.Tokens))
	}
	named := newIndex(v.Tokens)
	t.marks = make([]mark, len(v.Tokens))
	var work breath.Breath
	for id, token := range v.Tokens {
		if id%4096 == 0 {
			work.Take()
		}
		t.marks[id] = markOf(t.Type(int32(id)))
		if token == "" {
			continue
		}
		if other, twice := named.put(int32(id)); twice {
			return nil, unfit(keyTokens, "tokens %d and %d are both %q", other, id, token)
		}
		if t.marks[id] == markByte {
			if _, ok := byteValue(token); !ok {
				return nil, unfit(keyTypes, "token %d, %q, is a byte by its type but not spelt <0xNN>", id, token)
			}
		}
	}
	return named, nil
}

// markStripping gives Phi-3's special tokens the white space after them, and the masks of Jina's and ModernBERT that before them,
// which metadata leave out.
func (t *Tokenizer) markStripping(named *index) {
	switch t.vocabulary.Pre {
	case "jina-v2-de", "jina-v2-es", "jina-v2-code", "modern-bert":
		for _, mask := range []string{"<mask>", "[MASK]"} {
			if id, ok := named.get(mask); ok && t.marks[id]&markSpecial != 0 {
				t.marks[id] |= markStripLeft
			}
		}
	}
	name := strings.ToLower(t.vocabulary.Name)
	if !strings.Contains(name, "phi-3") && !strings.Contains(name, "phi3") {
		return
	}
	for id := range t.marks {
		if t.marks[id]&markSpecial != 0 && !slices.Contains([]string{"<unk>", "<s>", "<|endoftext|>"}, t.vocabulary.Tokens[id]) {
			t.marks[id] |= markStripRight
		}
	}
}

// markSpaces makes SentencePiece's user-defined runs of spaces, which are spelt like all its spaces, text like any other.
func (t *Tokenizer) markSpaces() {
	for id, token := range t.vocabulary.Tokens {
		if t.marks[id] == markUserDefined && token != "" && strings.Trim(token, spaceMark) == "" {
			t.marks[id] = markNormal
		}
	}
}

// Warnings gives sentences about what in the vocabulary was left out.
func (t *Tokenizer) Warnings() []string {
	out := slices.Clone(t.vocabulary.Warnings)
	var m merges
	switch {
	case t.bpe != nil:
		m = t.bpe.merges
	case t.sp != nil:
		m = t.sp.merges
	}
	if m.dropped > 0 {
		out = append(out, fmt.Sprintf("%s: %d of %d merges need a token that the vocabulary lacks, the first is %q: text is split without them",
			keyMerges, m.dropped, len(t.vocabulary.Merges), m.firstDropped))
	}
	return out
}

// Size is the number of tokens.
func (t *Tokenizer) Size() int { return len(t.pieces) }

// Type gives a token's type; Undefined for an id outside the vocabulary.
func (t *Tokenizer) Type(id int32) Type {
	v := t.vocabulary
	switch {
	case id < 0 || int(id) >= len(v.Tokens):
		return Undefined
	case len(v.Types) == 0:
		return Normal
	}
	return v.Types[id]
}

// Piece is one token of the vocabulary.
type Piece struct {
	Text  string // as the vocabulary spells it
	Bytes string // what it stands for, which need not be whole UTF-8
	Score float32
	Type  Type
}

// Token gives a token; the zero Piece for an id outside the vocabulary.
func (t *Tokenizer) Token(id int32) Piece {
	if id < 0 || int(id) >= len(t.pieces) {
		return Piece{}
	}
	p := Piece{Text: t.vocabulary.Tokens[id], Bytes: t.pieces[id], Type: t.Type(id)}
	if len(t.vocabulary.Scores) > 0 {
		p.Score = t.vocabulary.Scores[id]
	}
	return p
}

// BOS gives the token that begins a sequence; ok = false where the vocabulary has none.
func (t *Tokenizer) BOS() (id int32, ok bool) { return t.special(keyBOS) }

// EOS gives the token that ends a sequence; ok = false where the vocabulary has none.
func (t *Tokenizer) EOS() (id int32, ok bool) { return t.special(keyEOS) }

// EOT gives the token that ends a turn, by its key or by its name; ok = false where there is none.
func (t *Tokenizer) EOT() (id int32, ok bool) { return t.special(keyEOT) }

func (t *Tokenizer) special(key string) (int32, bool) {
	id, ok := t.ids[key]
	if !ok {
		return None, false
	}
	return id, true
}

// IsEnd tells whether a token ends a generation: EOS, EOT and all that are known by name to do so.
func (t *Tokenizer) IsEnd(id int32) bool { return t.ends[id] }

// Ends gives all ids for which IsEnd holds, in order.
func (t *Tokenizer) Ends() []int32 {
	ids := make([]int32, 0, len(t.ends))
	for id := range t.ends {
		ids = append(ids, id)
	}
	sort.SliceStable(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids
}

// AddBOS tells whether a prompt begins with BOS.
func (t *Tokenizer) AddBOS() bool {
	_, ok := t.BOS()
	return ok && t.vocabulary.AddBOS
}
