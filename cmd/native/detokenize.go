package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"quire/engine/tokenizer"
	"quire/engine/words"
)

var detokenizeCommand = &command{
	name:    "detokenize",
	summary: "turn token ids from stdin back into text",
	usage:   "[-m FILE|URL] [--special] [--json] < ids",
	about: `Reads token ids, separated by white space or commas or as tokenize --json prints them, and writes the bytes they stand
for, with nothing added. An id that the vocabulary lacks is an error.`,
	examples: []string{
		`printf 'Once upon a time' | quire tokenize | quire detokenize`,
		`echo '{"ids":[1,2,3]}' | quire detokenize -m model.gguf --special`,
	},
	prepare: func(f *flags) func(*host, []string) error {
		var name string
		var special, asJSON bool
		f.text("m", &name, modelUsage)
		f.flag("special", &special, "show special tokens by their names")
		f.flag("json", &asJSON, `print {"text":"..."}`)
		return func(h *host, _ []string) error {
			tok, err := openTokenizer(h, name)
			if err != nil {
				return err
			}
			input, err := io.ReadAll(h.in)
			if err != nil {
				return fmt.Errorf("stdin: %w", err)
			}
			ids, err := parseIDs(string(input))
			if err != nil {
				return fmt.Errorf("stdin: %w", err)
			}
			for i, id := range ids {
				if id < 0 || int(id) >= tok.Size() {
					return fmt.Errorf("stdin: id %d, %d, is not within the vocabulary of %d tokens", i+1, id, tok.Size())
				}
			}
			text := tok.Decode(ids, tokenizer.DecodeOptions{Special: special})
			if asJSON {
				return writeJSON(h.out, struct {
					Text string `json:"text"`
				}{string(text)})
			}
			_, err = h.out.Write(text)
			return err
		}
	},
}

// parseIDs reads {"ids":[...]}, [...] or plain numbers.
func parseIDs(text string) ([]int32, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") {
		var object struct {
			IDs *[]int32 `json:"ids"`
		}
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return nil, words.JSON(err)
		}
		if object.IDs == nil {
			return nil, fmt.Errorf(`the JSON object has no "ids"`)
		}
		return *object.IDs, nil
	}
	if strings.HasPrefix(text, "[") {
		var ids []int32
		err := json.Unmarshal([]byte(text), &ids)
		return ids, words.JSON(err)
	}
	var ids []int32
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n,", r) }) {
		id, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is no token id", word)
		}
		ids = append(ids, int32(id))
	}
	return ids, nil
}
