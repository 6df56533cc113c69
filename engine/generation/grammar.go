package generation

// Grammar is what a request's text must be: a JSON Schema, a regular expression or a grammar. No token is drawn that would lead
// elsewhere, and an end token only where the text may end; where it can only end, the request finishes. Package grammar says what
// is supported, and what texts of a schema look like.
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

// checkGrammar refuses what cannot be a grammar, and what does not go with one.
func (r *Request) checkGrammar() error {
	g := r.Grammar
	switch {
	case g == nil:
	case g.Kind > JSONObject:
		return refuse("Grammar.Kind is %d, which means nothing", g.Kind)
	case g.Kind == JSONObject && g.Source != "":
		return refuse("Grammar.Source is given, but any JSON object needs none")
	case g.Kind != JSONObject && g.Source == "":
		return refuse("Grammar.Source is empty: it must be a %s", g.Kind)
	case r.Embed != nil:
		return refuse("a Grammar does not go with an embedding")
	}
	return nil
}
