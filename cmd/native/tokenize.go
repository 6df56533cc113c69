package main

import (
	"fmt"
	"io"
	"strconv"

	"quire/engine/tokenizer"
)

var tokenizeCommand = &command{
	name:    "tokenize",
	summary: "turn text from stdin into token ids",
	usage:   "[-m FILE|URL] [--special] [--json] < text",
	about: `Reads stdin byte for byte and prints its token ids with spaces between. No BOS or EOS is added.
A vocabulary-only GGUF is enough.`,
	examples: []string{
		`printf 'Once upon a time' | quire tokenize`,
		`quire tokenize -m model.gguf --special --json < prompt.txt`,
	},
	prepare: func(f *flags) func(*host, []string) error {
		var name string
		var special, asJSON bool
		f.text("m", &name, modelUsage)
		f.flag("special", &special, "parse special tokens in the text")
		f.flag("json", &asJSON, `print {"ids":[...]}`)
		return func(h *host, _ []string) error {
			tok, err := openTokenizer(h, name)
			if err != nil {
				return err
			}
			text, err := io.ReadAll(h.in)
			if err != nil {
				return fmt.Errorf("stdin: %w", err)
			}
			ids := tok.Encode(string(text), tokenizer.EncodeOptions{Special: special})
			if asJSON {
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
	},
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
