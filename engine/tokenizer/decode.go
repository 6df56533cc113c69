package tokenizer

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// DecodeOptions say how tokens are shown.
type DecodeOptions struct {
	Special bool    // show control tokens by their names; without it they give no text
	After   []int32 // the tokens before, such as a prompt: they decide whether a first space is shown
	Spaces  bool    // show every space, those that Encode puts in front of text too
}

// Decode gives the bytes that tokens stand for, which need not be valid UTF-8. Ids outside the
// vocabulary give none. For a SentencePiece vocabulary that puts a space in front of text, that space
// is taken off again, so that decoding what Encode made gives the text back.
func (t *Tokenizer) Decode(ids []int32, options DecodeOptions) []byte {
	s := t.unspacer(options)
	var out []byte
	for _, id := range ids {
		out = append(out, s.piece(id)...)
	}
	return out
}

// unspacer takes off the spaces that Encode puts in front of text.
type unspacer struct {
	t       *Tokenizer
	special bool
	spaces  bool // leave them
	begin   bool // the next text starts where Encode adds a space
}

func (t *Tokenizer) unspacer(options DecodeOptions) unspacer {
	s := unspacer{t: t, special: options.Special, spaces: options.Spaces, begin: true}
	if n := len(options.After); n > 0 {
		s.begin = t.startsText(options.After[n-1])
	}
	return s
}

// startsText tells whether Encode adds a space after a token: not after the unknown token, which stands amid text.
func (t *Tokenizer) startsText(id int32) bool {
	return id >= 0 && int(id) < len(t.marks) && t.marks[id]&markSpecial != 0 && !t.isUnknown(id)
}

func (t *Tokenizer) isUnknown(id int32) bool {
	return t.sp != nil && id == t.sp.unknown || t.uni != nil && id == t.uni.unknown
}

func (s *unspacer) piece(id int32) string {
	t := s.t
	if id < 0 || int(id) >= len(t.pieces) {
		return ""
	}
	piece := t.pieces[id]
	if t.marks[id]&markSpecial != 0 {
		s.begin = t.startsText(id)
		if t.marks[id]&markHidden != 0 && !s.special {
			return ""
		}
		return piece
	}
	if s.begin && t.prefix && !s.spaces {
		piece = strings.TrimPrefix(piece, " ")
	}
	s.begin = false
	return piece
}

// Hidden gives the name of a token that Decode shows only where Special is set, and nothing for others.
func (t *Tokenizer) Hidden(id int32) string {
	if id < 0 || int(id) >= len(t.marks) || t.marks[id]&markHidden == 0 {
		return ""
	}
	return t.pieces[id]
}

// spelled gives the bytes that a token stands for.
func (t *Tokenizer) spelled(id int32) string {
	token, m := t.vocabulary.Tokens[id], t.marks[id]
	switch {
	case m&markSpecial != 0:
		return token
	case m&markNormal != 0 && (t.sp != nil || t.uni != nil):
		return strings.ReplaceAll(token, spaceMark, " ")
	case m&markNormal != 0 && t.words != nil:
		return spelledWord(token)
	case t.spellsBytes(m):
		return spelledBytes(token)
	case m&markByte != 0:
		b, _ := byteValue(token)
		return string([]byte{b})
	}
	return ""
}

// spellsBytes tells whether a token that is so marked is spelt as byte-level tokens are.
func (t *Tokenizer) spellsBytes(m mark) bool {
	return m&markSpecial == 0 && m&markNormal != 0 && t.sp == nil && t.uni == nil && t.words == nil
}

// byteValue reads a token spelt <0xNN>.
func byteValue(token string) (byte, bool) {
	if len(token) != 6 || !strings.HasPrefix(token, "<0x") || token[5] != '>' {
		return 0, false
	}
	n, err := strconv.ParseUint(token[3:5], 16, 8)
	return byte(n), err == nil
}

// Decoder turns tokens into text as they come. The text is always valid UTF-8: a code point that is
// not yet whole is held back, and bytes that can never become one are shown as U+FFFD.
type Decoder struct {
	unspacer unspacer
	held     []byte
}

// NewDecoder makes a decoder for one stream of tokens.
func (t *Tokenizer) NewDecoder(options DecodeOptions) *Decoder {
	return &Decoder{unspacer: t.unspacer(options)}
}

// Next takes the next token and gives the text that is certain by now, which may be empty.
func (d *Decoder) Next(id int32) string {
	d.held = append(d.held, d.unspacer.piece(id)...)
	return d.emit(false)
}

// Flush ends the stream: what is held back is shown as U+FFFD.
func (d *Decoder) Flush() string { return d.emit(true) }

func (d *Decoder) emit(last bool) string {
	var out strings.Builder
	rest := d.held
	for len(rest) > 0 {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			if !last && !utf8.FullRune(rest) {
				break
			}
			size = brokenBytes(rest)
		}
		out.WriteRune(r)
		rest = rest[size:]
	}
	d.held = append(d.held[:0], rest...)
	return out.String()
}

// brokenBytes is the length of the longest start of a code point at the start of b, which one U+FFFD
// replaces (Unicode 15, section 3.9, "Substitution of Maximal Subparts").
func brokenBytes(b []byte) int {
	for n := min(3, len(b)); n > 1; n-- {
		if !utf8.FullRune(b[:n]) {
			return n
		}
	}
	return 1
}
