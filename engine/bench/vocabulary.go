package bench

import (
	"slices"

	"quire/engine/tokenizer"
)

// vocabulary makes a byte-level BPE vocabulary of the shape's size: the 256 bytes, then each earlier token with each
// byte behind it, as many as fit, and a BOS and an EOS at the end. In words there are only capitals, where that is asked for.
func (s Shape) vocabulary(set func(key string, value any)) {
	const bytes = 256
	ordinary := s.Vocabulary - 2
	tokens := make([]string, 0, s.Vocabulary)
	var merges []string
	for b := range min(bytes, ordinary) {
		tokens = append(tokens, string(byteRune(byte(b))))
	}
	letters := slices.Clone(tokens)
	if s.Capitals {
		letters = slices.Clone(tokens['A' : 'Z'+1])
	}
	words := slices.Clone(letters)
	for i := range ordinary - len(tokens) {
		left, right := words[i/len(letters)], letters[i%len(letters)]
		tokens, words = append(tokens, left+right), append(words, left+right)
		merges = append(merges, left+" "+right)
	}
	tokens = append(tokens, "<|begin_of_text|>", "<|end_of_text|>")
	types := make([]int32, s.Vocabulary)
	for i := range types {
		types[i] = int32(tokenizer.Normal)
	}
	types[ordinary], types[ordinary+1] = int32(tokenizer.Control), int32(tokenizer.Control)
	set("tokenizer.ggml.model", "gpt2")
	set("tokenizer.ggml.pre", s.Pre)
	set("tokenizer.ggml.tokens", tokens)
	set("tokenizer.ggml.token_type", types)
	set("tokenizer.ggml.merges", merges)
	set("tokenizer.ggml.bos_token_id", uint32(ordinary))
	set("tokenizer.ggml.eos_token_id", uint32(ordinary+1))
	set("tokenizer.ggml.add_bos_token", true)
}

// byteRune is how byte-level BPE spells a byte: printable Latin-1 as itself, the rest from U+0100 up in order.
func byteRune(b byte) rune {
	printable := func(b int) bool { return b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE }
	if printable(int(b)) {
		return rune(b)
	}
	next := rune(0x100)
	for i := range int(b) {
		if !printable(i) {
			next++
		}
	}
	return next
}
