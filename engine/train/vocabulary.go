package train

import "quire/engine/tokenizer"

// ByteVocabulary is the size of the vocabulary whose tokens are the 256 bytes and EndOfText.
const ByteVocabulary = 257

// EndOfText begins what Tokens gives, and stands for both ends of a text in the file.
const EndOfText = 256

// Tokens gives the tokens of a text, a byte each, behind EndOfText.
func Tokens(text []byte) []int32 {
	out := make([]int32, 0, len(text)+1)
	out = append(out, EndOfText)
	for _, b := range text {
		out = append(out, int32(b))
	}
	return out
}

// byteVocabulary describes the vocabulary as byte-level BPE without merges.
func byteVocabulary(set func(key string, value any)) {
	tokens, types := make([]string, ByteVocabulary), make([]int32, ByteVocabulary)
	for b := range 256 {
		tokens[b], types[b] = tokenizer.ByteToken(byte(b)), int32(tokenizer.Normal)
	}
	tokens[EndOfText], types[EndOfText] = "<|endoftext|>", int32(tokenizer.Control)
	set("tokenizer.ggml.model", "gpt2")
	set("tokenizer.ggml.pre", "gpt-2")
	set("tokenizer.ggml.tokens", tokens)
	set("tokenizer.ggml.token_type", types)
	set("tokenizer.ggml.merges", []string{})
	set("tokenizer.ggml.bos_token_id", uint32(EndOfText))
	set("tokenizer.ggml.eos_token_id", uint32(EndOfText))
	set("tokenizer.ggml.add_bos_token", false)
}
