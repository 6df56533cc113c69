package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const modelWordPiece = "bert"

// longestWord is how many characters a word has at most; longer ones are unknown.
const longestWord = 100

// wordPiece encodes with BERT's WordPiece: text is freed of case and accents, cut into words at white space and around
// punctuation and Han characters, and words into the longest tokens from the left. In files the token of a word's beginning is
// marked as SentencePiece marks spaces, the others are bare.
type wordPiece struct {
	pieces    map[string]int32
	longest   int // bytes of the longest piece
	unknown   int32
	lowercase bool
	accents   bool // they stay
}

func newWordPiece(v *Vocabulary, unknown int32, marks []mark) (*wordPiece, error) {
	e := &wordPiece{pieces: make(map[string]int32, len(v.Tokens)), unknown: unknown, lowercase: !v.Cased, accents: v.Accents}
	if e.unknown == None {
		return nil, unfit(keyUnknown, "is missing, and the vocabulary has no [UNK]")
	}
	for id, token := range v.Tokens {
		if token != "" && marks[id]&markNormal != 0 {
			e.pieces[token] = int32(id)
			e.longest = max(e.longest, len(token))
		}
	}
	return e, nil
}

// encode appends the tokens of text.
func (e *wordPiece) encode(text string, ids []int32) []int32 {
	var word []byte
	flush := func() {
		if len(word) > 0 {
			ids = e.word(string(word), ids)
			word = word[:0]
		}
	}
	for _, r := range text {
		switch {
		case unicode.Is(unicode.White_Space, r):
			flush()
		case r == 0 || r == utf8.RuneError || r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co):
		case e.lowercase && !e.accents && unicode.Is(unicode.Mn, r):
		case isAlone(r):
			flush()
			word = e.appendFolded(word, r)
			flush()
		default:
			word = e.appendFolded(word, r)
		}
	}
	flush()
	return ids
}

// isAlone tells whether a character is a word of its own.
func isAlone(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return '!' <= r && r <= '/' || ':' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
	case 0x4E00 <= r && r <= 0x9FFF, 0x3400 <= r && r <= 0x4DBF, 0x20000 <= r && r <= 0x2A6DF, 0x2A700 <= r && r <= 0x2B73F,
		0x2B740 <= r && r <= 0x2B81F, 0x2B920 <= r && r <= 0x2CEAF, 0xF900 <= r && r <= 0xFAFF, 0x2F800 <= r && r <= 0x2FA1F:
		return true
	}
	return unicode.Is(unicode.P, r)
}

// appendFolded appends a character as the vocabulary has it.
func (e *wordPiece) appendFolded(word []byte, r rune) []byte {
	if !e.lowercase && e.accents {
		return utf8.AppendRune(word, r)
	}
	at := len(word)
	if e.accents {
		word = utf8.AppendRune(word, r)
	} else {
		word = appendPlain(word, r)
	}
	if !e.lowercase {
		return word
	}
	folded := string(word[at:])
	word = word[:at]
	for _, r := range folded {
		word = utf8.AppendRune(word, unicode.ToLower(r))
		if r == 'İ' { // the only one whose small letter is two characters
			word = utf8.AppendRune(word, 0x307)
		}
	}
	return word
}

// word appends the tokens of a word, or the unknown token.
func (e *wordPiece) word(word string, ids []int32) []int32 {
	from := len(ids)
	if utf8.RuneCountInString(word) > longestWord {
		return append(ids, e.unknown)
	}
	prefix := spaceMark
	for i := 0; i < len(word); {
		end := min(len(word), i+e.longest-len(prefix))
		for ; end > i; end-- {
			if id, ok := e.pieces[prefix+word[i:end]]; ok {
				ids = append(ids, id)
				break
			}
		}
		if end <= i {
			return append(ids[:from], e.unknown)
		}
		i, prefix = end, ""
	}
	return ids
}

// spelledWord gives what a token of WordPiece stands for.
func spelledWord(token string) string { return strings.Replace(token, spaceMark, " ", 1) }
