package tokenizer

import "strings"

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
	plain := 0
	for plain < len(token) && '!' <= token[plain] && token[plain] <= '~' {
		plain++
	}
	if plain == len(token) {
		return token
	}
	var out strings.Builder
	out.Grow(len(token))
	if strings.HasPrefix(token, spaceToken) { // most others: a space, and what follows it
		for plain = len(spaceToken); plain < len(token) && '!' <= token[plain] && token[plain] <= '~'; {
			plain++
		}
		if plain == len(token) {
			out.WriteByte(' ')
			out.WriteString(token[len(spaceToken):])
			return out.String()
		}
	}
	for _, r := range token {
		if int(r) < len(runeBytes) && runeBytes[r] >= 0 {
			out.WriteByte(byte(runeBytes[r]))
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}
