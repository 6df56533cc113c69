package tokenizer

import "strings"

// byteRunes spells every byte as a printable rune, as GPT-2's vocabulary does: printable Latin-1
// stands for itself, the rest follows from U+0100 on.
var byteRunes, runeBytes = func() (runes [256]rune, bytes map[rune]byte) {
	bytes = make(map[rune]byte, 256)
	next := rune(0x100)
	for b := range 256 {
		r := rune(b)
		if printable := '!' <= r && r <= '~' || 0xA1 <= r && r <= 0xAC || 0xAE <= r && r <= 0xFF; !printable {
			r = next
			next++
		}
		runes[b] = r
		bytes[r] = byte(b)
	}
	return runes, bytes
}()

// ByteToken spells a byte as the vocabularies of byte-level BPE do.
func ByteToken(b byte) string { return string(byteRunes[b]) }

// spelledBytes takes a byte-level token back to its bytes. Runes that spell no byte stay as they are.
func spelledBytes(token string) string {
	plain := 0
	for plain < len(token) && '!' <= token[plain] && token[plain] <= '~' {
		plain++
	}
	if plain == len(token) {
		return token
	}
	var out strings.Builder
	out.Grow(len(token))
	for _, r := range token {
		if b, ok := runeBytes[r]; ok {
			out.WriteByte(b)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}
