package tokenizer

import (
	"fmt"

	"quire/engine/gguf"
)

// Metadata keys of a vocabulary.
const (
	keyModel          = "tokenizer.ggml.model"
	keyPre            = "tokenizer.ggml.pre"
	keyTokens         = "tokenizer.ggml.tokens"
	keyScores         = "tokenizer.ggml.scores"
	keyTypes          = "tokenizer.ggml.token_type"
	keyMerges         = "tokenizer.ggml.merges"
	keyAddBOS         = "tokenizer.ggml.add_bos_token"
	keyAddEOS         = "tokenizer.ggml.add_eos_token"
	keyAddSpacePrefix = "tokenizer.ggml.add_space_prefix"
	keyIgnoreMerges   = "tokenizer.ggml.ignore_merges"
	keyBOS            = "tokenizer.ggml.bos_token_id"
	keyEOS            = "tokenizer.ggml.eos_token_id"
	keyEOT            = "tokenizer.ggml.eot_token_id"
	keyEOM            = "tokenizer.ggml.eom_token_id"
	keySeparator      = "tokenizer.ggml.seperator_token_id" // sic
	keyCharsmap       = "tokenizer.ggml.precompiled_charsmap"
	keyMergeSpaces    = "tokenizer.ggml.remove_extra_whitespaces"
	keyLowercase      = "tokenizer.ggml.normalizer.lowercase"
	keyStripAccents   = "tokenizer.ggml.normalizer.strip_accents"
	keyUnknown        = "tokenizer.ggml.unknown_token_id"
	keyName           = "general.name"
)

// None stands for a token id that a vocabulary does not have.
const None int32 = -1

// Vocabulary is what a tokenizer is made from: the tokens of a model and how text becomes them.
type Vocabulary struct {
	Model string // "llama" (SentencePiece-BPE), "gemma4" (the same with a list of merges), "gpt2" (byte-level BPE), "bert" (WordPiece) or "t5" (unigrams)
	Pre   string // the name of the pre-tokenizer; byte-level BPE only
	Name  string // the model's name, on which the treatment of white space after special tokens hangs

	Tokens []string
	Scores []float32 // SentencePiece-BPE: as many as Tokens; the best score merges first
	Types  []Type    // as many as Tokens, or none: all Normal
	Merges []string  // byte-level BPE and gemma4: "left right", the first merges first

	Charsmap []byte // unigrams: what is replaced before text is cut

	IDs map[string]int32 // special token ids by metadata key, such as "tokenizer.ggml.bos_token_id"

	AddBOS         bool // a prompt starts with BOS
	AddEOS         bool // a whole text ends with EOS; with WordPiece with its separator
	MergeSpaces    bool // unigrams: runs of spaces are one, and none is at the ends
	Cased          bool // WordPiece: capital letters stay
	Accents        bool // WordPiece: accents stay
	AddSpacePrefix bool // SentencePiece-BPE: text starts as if after a space
	IgnoreMerges   bool // byte-level BPE: a whole pre-token that is a token needs no merges

	Warnings []string // sentences about what in a file was left out
}

// FromGGUF reads a vocabulary from a file's metadata. Its errors are *gguf.MetadataError.
func FromGGUF(f *gguf.File) (*Vocabulary, error) {
	m := &f.Metadata
	v := &Vocabulary{IDs: map[string]int32{}}
	r := metadataReader{m: m}
	var found bool
	if v.Model, found = r.text(keyModel); r.err == nil && !found {
		return nil, unfit(keyModel, "is missing: the file has no vocabulary")
	}
	v.Pre, _ = r.text(keyPre)
	v.Name, _ = r.text(keyName)
	v.Tokens = read(&r, keyTokens, m.Strings)
	v.Scores = readScores(&r)
	for _, t := range read(&r, keyTypes, m.Int32s) {
		v.Types = append(v.Types, Type(t))
	}
	v.Merges = read(&r, keyMerges, m.Strings)
	bpe := preTokenizers[v.Pre]
	v.AddBOS = r.flag(keyAddBOS, v.Model == modelSentencePiece || bpe.addBOS) || v.Model == modelGemma4
	v.AddEOS = r.flag(keyAddEOS, false)
	if v.Model == modelWordPiece {
		v.AddBOS, v.AddEOS = true, true
		v.Cased = !r.flag(keyLowercase, true)
		v.Accents = !r.flag(keyStripAccents, !v.Cased)
	}
	v.AddSpacePrefix = r.flag(keyAddSpacePrefix, v.Model == modelSentencePiece || v.Model == modelUnigram)
	if v.Model == modelUnigram {
		v.MergeSpaces = r.flag(keyMergeSpaces, false)
		for _, b := range read(&r, keyCharsmap, m.Int32s) {
			v.Charsmap = append(v.Charsmap, byte(b))
		}
	}
	v.IgnoreMerges = r.flag(keyIgnoreMerges, bpe.ignoreMerges)
	v.readIDs(&r)
	if r.err != nil {
		return nil, fmt.Errorf("tokenizer: %w", r.err)
	}
	return v, nil
}

// readIDs reads the special tokens' ids. One past the vocabulary is left out where nothing needs the token.
func (v *Vocabulary) readIDs(r *metadataReader) {
	for _, role := range roles {
		for _, key := range role.keys {
			if key == keySeparator && v.Model != modelWordPiece {
				continue
			}
			n, ok, err := r.m.Int64(key)
			switch {
			case err != nil:
				r.fail(err)
			case !ok || n < 0 || n == 0xFFFFFFFF: // some writers spell "none" so
			case n < int64(len(v.Tokens)):
				v.IDs[key] = int32(n)
			case v.needs(key):
				r.fail(&gguf.MetadataError{Key: key, Reason: fmt.Sprintf("is %d, but there are %d tokens", n, len(v.Tokens))})
			default:
				v.Warnings = append(v.Warnings, fmt.Sprintf("%s is %d, but there are %d tokens: the model runs without it", key, n, len(v.Tokens)))
			}
		}
	}
}

// needs tells whether prompts begin with a special token, or texts would not end without it.
func (v *Vocabulary) needs(key string) bool {
	switch key {
	case keyBOS:
		return v.AddBOS
	case keyEOS, keyEOT, keyEOM:
		_, ends := v.IDs[keyEOS]
		return !ends
	}
	return false
}

// readScores takes float scores, or the integer ones that some writers leave.
func readScores(r *metadataReader) []float32 {
	if v, ok := r.m.Get(keyScores); ok && v.Elem == gguf.Int32 {
		var scores []float32
		for _, n := range read(r, keyScores, r.m.Int32s) {
			scores = append(scores, float32(n))
		}
		return scores
	}
	return read(r, keyScores, r.m.Float32s)
}

// metadataReader keeps the first error of a row of reads.
type metadataReader struct {
	m   *gguf.Metadata
	err error
}

func (r *metadataReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *metadataReader) text(key string) (string, bool) {
	s, ok, err := r.m.String(key)
	if err != nil {
		r.fail(err)
	}
	return s, ok
}

func (r *metadataReader) flag(key string, absent bool) bool {
	b, ok, err := r.m.Bool(key)
	if err != nil {
		r.fail(err)
	}
	if !ok {
		return absent
	}
	return b
}

func read[T any](r *metadataReader, key string, get func(string) ([]T, bool, error)) []T {
	items, _, err := get(key)
	if err != nil {
		r.fail(err)
	}
	return items
}
