package main

import (
	"fmt"
	"io"
	"strconv"

	"quire/engine/tokenizer"
)

type tokenizeCommand struct {
	modelFlag
	Special bool `help:"Parse special tokens in the text."`
	JSON    bool `name:"json" help:"Print {\"ids\":[...]}."`
}

// Help is what --help shows beyond the flags.
func (*tokenizeCommand) Help() string {
	return `Reads stdin byte for byte and prints its token ids with spaces between. No BOS or EOS is added. A vocabulary-only GGUF is enough.

Examples:

  printf 'Once upon a time' | quire tokenize
  quire tokenize -m model.gguf --special --json < prompt.txt`
}

// Run runs the command.
func (c *tokenizeCommand) Run(h *host) error {
	tok, err := openTokenizer(h, c.Model)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(h.in)
	if err != nil {
		return fmt.Errorf("stdin: %w", err)
	}
	ids := tok.Encode(string(text), tokenizer.EncodeOptions{Special: c.Special})
	if c.JSON {
		return writeJSON(h.out, struct {
			IDs []int32 `json:"ids"`
		}{orEmpty(ids)})
	}
	var line []byte
	for i, id := range ids {
		if i > 0 {
			line = append(line, ' ')
		}
		line = strconv.AppendInt(line, int64(id), 10)
	}
	_, err = h.out.Write(append(line, '\n'))
	return err
}

// openTokenizer reads the vocabulary of a model.
func openTokenizer(h *host, name string) (*tokenizer.Tokenizer, error) {
	ctx, stop := interruptible()
	defer stop()
	f, header, err := openHeader(ctx, name, h.err)
	if err != nil {
		return nil, interrupted(ctx, h, err)
	}
	defer f.Close()
	tok, err := tokenizer.New(header)
	return tok, f.wrap(err)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
