package tokenizer

// role is a part that one token of a vocabulary plays, told by a metadata key or, without that, by
// the token's name. The names are those that llama.cpp knows, so that a model ends its turn in both.
type role struct {
	keys  []string
	names []string // the first that the vocabulary has
	ends  bool     // the token ends a generation
	model string   // of the vocabularies in which the names mean so; "": all
}

var roles = []role{
	{keys: []string{keyBOS}, model: modelWordPiece, names: []string{"[CLS]"}},
	{keys: []string{keyEOS}, ends: true},
	{keys: []string{keyEOT}, ends: true, names: []string{"<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>",
		"<|endoftext|>", "<|end_of_text|>", "<EOT>", "_<EOT>", "[EOT]", "<｜end▁of▁sentence｜>", "<end_of_utterance>"}},
	{keys: []string{keyEOM}, ends: true, names: []string{"<|eom_id|>"}},
	{keys: []string{keyUnknown}, model: modelWordPiece, names: []string{"[UNK]"}},
	{keys: []string{keySeparator}, model: modelWordPiece, names: []string{"[SEP]"}},
	{keys: []string{"tokenizer.ggml.padding_token_id"}},
	{keys: []string{"tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id"},
		names: []string{"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>", "<|prefix|>"}},
	{keys: []string{"tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.suffix_token_id"},
		names: []string{"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>", "<|suffix|>"}},
	{keys: []string{"tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id"},
		names: []string{"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>", "<|middle|>"}},
	{keys: []string{"tokenizer.ggml.fim_pad_token_id"}, ends: true,
		names: []string{"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"}},
	{keys: []string{"tokenizer.ggml.fim_rep_token_id"}, ends: true,
		names: []string{"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"}},
	{keys: []string{"tokenizer.ggml.fim_sep_token_id"}, ends: true, names: []string{"<|file_sep|>"}},
}

// endNames are the names of tokens that end a generation, whatever the metadata say.
var endNames = []string{"<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>",
	"<end_of_turn>", "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>",
	"<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~["}

// openNames are marks of a format in which they are part of the answer.
var openNames = []string{"<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"}

// assignRoles finds the special tokens of a vocabulary: their ids by the first key of their role, the
// set of ids that end a generation, and the marks of those whose name makes them control tokens.
func (t *Tokenizer) assignRoles(v *Vocabulary, named *index) {
	t.ids, t.ends = map[string]int32{}, map[int32]bool{}
	for _, r := range roles {
		id := None
		for _, key := range r.keys {
			if given, ok := v.IDs[key]; ok {
				id = given
			}
		}
		for _, name := range r.names {
			if found, ok := named.get(name); ok && id == None && (r.model == "" || r.model == v.Model) {
				id = found
				t.marks[id] |= markControl
			}
		}
		if id == None {
			continue
		}
		t.ids[r.keys[0]] = id
		if r.ends {
			t.ends[id] = true
		}
	}
	for _, name := range endNames {
		if id, ok := named.get(name); ok {
			t.ends[id] = true
			t.marks[id] |= markControl
		}
	}
	for _, name := range openNames {
		if id, ok := named.get(name); ok {
			t.marks[id] = markUserDefined
		}
	}
	t.reopen(named)
}

// reopen takes back ends that are none in the few formats whose other names tell so.
func (t *Tokenizer) reopen(named *index) {
	ends := func(name string) bool {
		id, ok := named.get(name)
		return ok && t.ends[id]
	}
	if called := ends("<|call|>") || ends("<|calls|>"); called && (ends("<|return|>") || ends("<|flush|>")) && ends("<|end|>") {
		id, _ := named.get("<|end|>")
		delete(t.ends, id)
		t.marks[id] = markUserDefined
	}
	if (ends("<|tool_response>") || ends("<|plamo:eos|>")) && ends("</s>") {
		id, _ := named.get("</s>")
		delete(t.ends, id)
		t.marks[id] = markNormal
	}
}
