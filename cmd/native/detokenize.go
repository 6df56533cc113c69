package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"quire/engine/json"
	"quire/engine/tokenizer"
)

type detokenizeCommand struct {
	modelFlag
	Special bool `help:"Show special tokens by their names."`
	JSON    bool `name:"json" help:"Print {\"text\":\"...\"}."`
}

// Help is what --help shows beyond the flags.
func (*detokenizeCommand) Help() string {
	return `Reads token ids and writes exactly the bytes they stand for. White space or commas separate the ids; what tokenize --json
prints is read too. An id that the vocabulary lacks is an error. A vocabulary-only GGUF is enough.

Examples:

  printf 'Once upon a time' | quire tokenize | quire detokenize
  echo '{"ids":[1,2,3]}' | quire detokenize -m model.gguf --special`
}

// Run runs the command.
func (c *detokenizeCommand) Run(h *host) error {
	tok, err := openTokenizer(h, c.Model)
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
	text := tok.Decode(ids, tokenizer.DecodeOptions{Special: c.Special})
	if c.JSON {
		return writeJSON(h.out, struct {
			Text string `json:"text"`
		}{string(text)})
	}
	_, err = h.out.Write(text)
	return err
}

// parseIDs reads {"ids":[...]}, [...] or plain numbers.
func parseIDs(text string) ([]int32, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") {
		var object struct {
			IDs *[]int32 `json:"ids"`
		}
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return nil, err
		}
		if object.IDs == nil {
			return nil, fmt.Errorf(`the JSON object has no "ids"`)
		}
		return *object.IDs, nil
	}
	if strings.HasPrefix(text, "[") {
		var ids []int32
		err := json.Unmarshal([]byte(text), &ids)
		return ids, err
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
