package grammar

// expr is a piece of a grammar before it is an automaton.
type expr struct {
	op       op
	text     string  // literal
	set      runeSet // class
	list     []*expr // sequence, choice, repeat (one)
	min, max int     // repeat, and the characters of counted text
	rule     int32   // reference
	graph    *graph
	fragment *nfa // text: what comes between its start and its end
	known    int  // size plus one, once known
}

type op uint8

const (
	opLiteral op = iota
	opClass
	opSequence
	opChoice
	opRepeat
	opRule
	opText
	opGraph
)

// unbounded is the maximum of what may go on.
const unbounded = 1<<31 - 1

func literal(text string) *expr    { return &expr{op: opLiteral, text: text} }
func class(set runeSet) *expr      { return &expr{op: opClass, set: set} }
func sequence(list ...*expr) *expr { return &expr{op: opSequence, list: list} }
func choice(list ...*expr) *expr   { return &expr{op: opChoice, list: list} }
func repeat(e *expr, min, max int) *expr {
	return &expr{op: opRepeat, list: []*expr{e}, min: min, max: max}
}
func reference(rule int32) *expr { return &expr{op: opRule, rule: rule} }
func optional(e *expr) *expr     { return repeat(e, 0, 1) }

var nothing = shared(&expr{op: opSequence}) // the empty text
var never = shared(&expr{op: opChoice})     // no text

// shared is an expression that all grammars have in common: its size is known before several are compiled at once.
func shared(e *expr) *expr {
	e.size()
	return e
}

// small is how many states copies of what is repeated may take. More is counted.
const small = 96

// size is about how many states an expression takes.
func (e *expr) size() int {
	if e.known > 0 {
		return e.known - 1
	}
	n := 0
	switch e.op {
	case opLiteral:
		n = len(e.text)
	case opClass:
		n = 1 + len(e.set)/2
	case opSequence, opChoice:
		for _, item := range e.list {
			n = min(n+item.size()+1, unbounded/2)
		}
	case opRepeat:
		item := e.list[0].size() + 1
		if n = 2; !e.counted() {
			times := e.max
			if times == unbounded {
				times = e.min + 1
			}
			n = item*times + 1
		}
	case opGraph:
		for _, a := range e.graph.arcs {
			n = min(n+a.by.size()+1, unbounded/2)
		}
	default:
		n = 1
	}
	e.known = n + 1
	return n
}

// counted tells whether a repetition is counted, rather than copied.
func (e *expr) counted() bool {
	times := e.max
	if times == unbounded {
		times = e.min
	}
	return times > 1 && (times > small || times*(e.list[0].size()+1) > small)
}
