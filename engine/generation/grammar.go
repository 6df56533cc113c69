package generation

import (
	"runtime"
	"time"

	"quire/engine/grammar"
)

// Grammar is what a request's text must be: a JSON Schema, a regular expression or a grammar. No token is drawn that would lead
// elsewhere, and an end token only where the text may end; where it can only end, the request finishes, whatever MinTokens
// is. Log-probabilities are among the tokens that may come. Package grammar says what is supported, and what texts of a schema look like.
type Grammar struct {
	Kind   GrammarKind
	Source string // empty for JSONObject
}

// GrammarKind is what a grammar's source is.
type GrammarKind uint8

// The kinds of grammar.
const (
	JSONSchema GrammarKind = iota // draft 2020-12
	Regex                         // the whole text matches it
	GBNF                          // llama.cpp's grammars
	JSONObject                    // any JSON object; it has no source
)

func (k GrammarKind) String() string {
	return [...]string{"JSON Schema", "regular expression", "grammar", "JSON object"}[k]
}

// Check compiles a grammar and says what is wrong with it, whatever the model.
func (g *Grammar) Check() error {
	if err := g.check(); err != nil {
		return err
	}
	_, err := g.compile(grammar.Limits{})
	return err
}

// check refuses what cannot be a grammar.
func (g *Grammar) check() error {
	switch {
	case g.Kind > JSONObject:
		return refuse("Grammar.Kind is %d, which means nothing", g.Kind)
	case g.Kind == JSONObject && g.Source != "":
		return refuse("Grammar.Source is given, but any JSON object needs none")
	case g.Kind != JSONObject && g.Source == "":
		return refuse("Grammar.Source is empty: it must be a %s", g.Kind)
	}
	return nil
}

// compile makes automata of it. In a tab other requests go on meanwhile.
func (g *Grammar) compile(l grammar.Limits) (*grammar.Grammar, error) {
	if l.Pause == nil && runtime.GOOS == "js" {
		l.Pause = func() { time.Sleep(1) } // nothing shorter lets the browser's events come
	}
	switch g.Kind {
	case Regex:
		return grammar.Compile(grammar.Regex, g.Source, l)
	case GBNF:
		return grammar.Compile(grammar.GBNF, g.Source, l)
	case JSONObject:
		return grammar.Compile(grammar.JSONSchema, `{"type":"object"}`, l)
	}
	return grammar.Compile(grammar.JSONSchema, g.Source, l)
}

// checkGrammar refuses what cannot be a grammar, and what does not go with one.
func (r *Request) checkGrammar() error {
	switch {
	case r.Grammar == nil:
		return nil
	case r.Embed != nil:
		return refuse("a Grammar does not go with an embedding")
	}
	return r.Grammar.check()
}
