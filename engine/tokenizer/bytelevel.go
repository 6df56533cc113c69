package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// byteRunes spells every byte as a printable rune, as GPT-2's vocabulary does: printable Latin-1
// stands for itself, the rest follows from U+0100 on.
var byteRunes, runeBytes = func() (runes [256]rune, bytes [2 * 256]int16) {
	for r := range bytes {
		bytes[r] = -1
	}
	next := rune(0x100)
	for b := range 256 {
		r := rune(b)
		if printable := '!' <= r && r <= '~' || 0xA1 <= r && r <= 0xAC || 0xAE <= r && r <= 0xFF; !printable {
			r = next
			next++
		}
		runes[b] = r
		bytes[r] = int16(b)
	}
	return runes, bytes
}()

// spaceToken spells a space.
const spaceToken = "Ġ"

// ByteToken spells a byte as the vocabularies of byte-level BPE do.
func ByteToken(b byte) string { return string(byteRunes[b]) }

// spelledBytes takes a byte-level token back to its bytes. Runes that spell no byte stay as they are.
func spelledBytes(token string) string {
	if itself(token) {
		return token
	}
	return string(appendBytes(make([]byte, 0, len(token)), token))
}

// itself tells whether a byte-level token spells its bytes as themselves.
func itself(token string) bool {
	for i := range len(token) {
		if token[i] < '!' || token[i] > '~' {
			return false
		}
	}
	return true
}

func appendBytes(to []byte, token string) []byte {
	if rest, ok := strings.CutPrefix(token, spaceToken); ok && itself(rest) { // as most tokens are that are not plain
		return append(append(to, ' '), rest...)
	}
	for _, r := range token {
		if int(r) < len(runeBytes) && runeBytes[r] >= 0 {
			to = append(to, byte(runeBytes[r]))
		} else {
			to = utf8.AppendRune(to, r)
		}
	}
	return to
}
