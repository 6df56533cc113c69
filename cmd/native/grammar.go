package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"quire/engine"
	"quire/engine/json"
)

// grammarFlags say what a text must be.
type grammarFlags struct {
	Schema  string `filled:"" placeholder:"FILE" help:"Write JSON that follows the JSON Schema in a file (-: stdin), and nothing else."`
	Grammar string `filled:"" placeholder:"FILE" help:"Write what a grammar in a file (-: stdin) allows, and nothing else. It is written as llama.cpp's GBNF."`
	Regex   string `filled:"" placeholder:"REGEX" help:"Write what the regular expression matches as a whole, and nothing else."`
}

// read gives the grammar that flags ask for, compiled once to know whether it can be; nil where they ask for none.
func (f *grammarFlags) read(h *host) (*engine.Grammar, error) {
	var given []string
	g, path := &engine.Grammar{}, ""
	for _, flag := range []struct {
		name, value string
		kind        engine.GrammarKind
	}{{"--schema", f.Schema, engine.JSONSchema}, {"--grammar", f.Grammar, engine.GBNF}, {"--regex", f.Regex, engine.Regex}} {
		if flag.value != "" {
			given = append(given, flag.name)
			g.Kind, path = flag.kind, flag.value
		}
	}
	switch {
	case len(given) == 0:
		return nil, nil
	case len(given) > 1:
		return nil, usagef("%s do not go together: a text can follow one of them", strings.Join(given, " and "))
	}
	if g.Kind == engine.Regex {
		if g.Source = f.Regex; g.Check() != nil {
			return nil, usagef("--regex: %s", say(g.Check()))
		}
		return g, nil
	}
	data, name, err := readFileOr(h.in, path)
	if err == nil {
		data, err = withoutMark(data)
	}
	if g.Source = string(data); err == nil && g.Source == "" {
		err = errors.New("it is empty")
	} else if err == nil {
		err = g.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", given[0], name, err)
	}
	return g, nil
}

// stdin says whether the flags read it.
func (f *grammarFlags) stdin() bool { return slices.Contains([]string{f.Schema, f.Grammar}, "-") }

// readFileOr reads a file, or stdin for "-", and names it.
func readFileOr(stdin io.Reader, path string) (data []byte, name string, err error) {
	if path == "-" {
		data, err = io.ReadAll(stdin)
		return data, "stdin", err
	}
	data, err = os.ReadFile(path)
	return data, path, err
}

// grammarKeys are a line's keys that say what its text must be.
type grammarKeys struct {
	Schema  *json.RawMessage `json:"json_schema"`
	Grammar *string          `json:"grammar"`
	Regex   *string          `json:"regex"`
}

// apply sets the grammar that a line asks for, in place of that of the flags.
func (k *grammarKeys) apply(to **engine.Grammar) error {
	var all []*engine.Grammar
	if k.Schema != nil {
		all = append(all, &engine.Grammar{Kind: engine.JSONSchema, Source: string(*k.Schema)})
	}
	if k.Grammar != nil {
		all = append(all, &engine.Grammar{Kind: engine.GBNF, Source: *k.Grammar})
	}
	if k.Regex != nil {
		all = append(all, &engine.Grammar{Kind: engine.Regex, Source: *k.Regex})
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		*to = all[0]
		return nil
	}
	return errors.New(`of "json_schema", "grammar" and "regex" only one goes into a line`)
}
