package grammar

// Kind is what a grammar's source is.
type Kind uint8

// The kinds of source.
const (
	JSONSchema Kind = iota
	Regex
	GBNF
)

func (k Kind) String() string {
	return [...]string{"JSON Schema", "regular expression", "grammar"}[k]
}

// Grammar is what texts must be, compiled. It does not change, and may be used at once by many.
type Grammar struct {
	kind   Kind
	limits Limits
	states []state
	rules  []rule
	start  int32
	empty  bool // the empty text belongs to it
	class  [256]byte
	sample []byte // a byte of each class
}

// Size is the number of states, which the grammar's memory goes to.
func (g *Grammar) Size() int { return len(g.states) }

// Compile compiles a source. Zero limits are the defaults. What it does not support is an *Error that names it.
func Compile(kind Kind, source string, limits Limits) (g *Grammar, err error) {
	defer rescue(kind, &err)
	b := &budget{Limits: limits.withDefaults()}
	if len(source) > b.Source {
		fail("", "it has %d bytes, more than %d", len(source), b.Source)
	}
	switch kind {
	case Regex:
		return compileRegex(source, b), nil
	case GBNF:
		return compileGBNF(source, b), nil
	}
	return compileSchema(source, b), nil
}
