package tokenizer

// EncodeOptions say how text is read.
type EncodeOptions struct {
	// Special parses control tokens that are written out in the text, as in a rendered chat template.
	// Without it they are text like any other. User-defined tokens are always parsed.
	Special bool
	// Inside says that other text is before it: no space is put in front.
	Inside bool
}

// Encode gives the tokens of text, without BOS and EOS. Text need not be valid UTF-8. What the vocabulary lacks becomes
// its unknown token in SentencePiece-BPE, and is dropped in byte-level BPE.
func (t *Tokenizer) Encode(text string, options EncodeOptions) []int32 {
	if text == "" {
		return nil
	}
	parsed := t.always
	if options.Special {
		parsed = t.asked
	}
	var ids []int32
	prefix := t.prefix && !options.Inside
	for _, f := range parsed.cut(text, t.marks) {
		switch {
		case f.id != None:
			ids = append(ids, f.id)
			prefix = t.prefix
		case t.sp != nil:
			ids = t.sp.encode(f.text, prefix, ids)
			prefix = false
		case t.uni != nil:
			ids = t.uni.encode(f.text, prefix, ids)
			prefix = false
		case t.words != nil:
			ids = t.words.encode(f.text, ids)
		default:
			ids = t.bpe.encode(f.text, ids)
		}
	}
	return ids
}

// EncodePrompt gives the tokens of text that is to be continued: with BOS where the vocabulary asks for
// it and the text does not begin with it, and never with EOS.
func (t *Tokenizer) EncodePrompt(text string, options EncodeOptions) []int32 {
	ids := t.Encode(text, options)
	if bos, ok := t.BOS(); ok && t.AddBOS() && (len(ids) == 0 || ids[0] != bos) {
		ids = append([]int32{bos}, ids...)
	}
	return ids
}

// EncodeWhole gives the tokens of a text that nothing follows, as embeddings are made of: EncodePrompt's, with EOS behind them
// where the vocabulary asks for it and the text does not end with it.
func (t *Tokenizer) EncodeWhole(text string, options EncodeOptions) []int32 {
	ids := t.EncodePrompt(text, options)
	if end, ok := t.closing(); ok && (len(ids) == 0 || ids[len(ids)-1] != end) {
		ids = append(ids, end)
	}
	return ids
}

// closing gives the token that the vocabulary wants behind a whole text.
func (t *Tokenizer) closing() (id int32, ok bool) {
	key := keyEOS
	if t.words != nil {
		key = keySeparator
	}
	id, ok = t.special(key)
	return id, ok && t.vocabulary.AddEOS
}

// EncodePair gives the tokens of a text and a second one that belongs to it, as models that score such pairs take them: each ends as
// EncodeWhole ends a text, and but for WordPiece the first does twice.
func (t *Tokenizer) EncodePair(first, second string, options EncodeOptions) []int32 {
	ids := t.EncodeWhole(first, options)
	end, ok := t.closing()
	if ok && t.words == nil {
		ids = append(ids, end)
	}
	ids = append(ids, t.Encode(second, options)...)
	if ok {
		ids = append(ids, end)
	}
	return ids
}
