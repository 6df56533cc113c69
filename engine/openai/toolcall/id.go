package toolcall

import (
	"math/rand/v2"
	"slices"
)

// id is a call's id: the one that the model gave, if it may be taken, or a new one.
func (p *Parser) id(given string) string {
	length, id := p.format.syntax.idLength, given
	if !p.format.syntax.ids || length > 0 && len(id) != length {
		id = ""
	}
	for id == "" || slices.Contains(p.ids, id) {
		if id = p.randomText(length); length == 0 {
			id = "call_" + p.randomText(24)
		}
	}
	p.ids = append(p.ids, id)
	return id
}

func (p *Parser) randomText(length int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	below := p.Random
	if below == nil {
		below = rand.IntN
	}
	text := make([]byte, length)
	for i := range text {
		text[i] = letters[below(len(letters))]
	}
	return string(text)
}
