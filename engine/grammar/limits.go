package grammar

import (
	"fmt"
	"strings"
)

// Limits bound what a grammar may take. A field that is zero has its default.
type Limits struct {
	// Source is the longest source in bytes: 1 MiB.
	Source int
	// Depth is how deep a source may nest: 500.
	Depth int
	// States is how many states the grammar's automata may have: 400,000.
	States int
	// Rules is how many rules it may have: 400,000.
	Rules int
	// Deterministic is how many states an automaton may have that must be made deterministic, for patterns that hold
	// together or do not hold: 8,000.
	Deterministic int
	// Threads is in how many ways a text may be read at once, before an ambiguous grammar is given up: 50,000.
	Threads int
	// Work is how many of these ways are looked at for one mask or token before it is given up: 1,000,000.
	Work int
	// Steps is how many steps compiling may take, each of some 25 ns on a desktop's core: 32,000,000.
	Steps int
	// Memory is about how many bytes of masks and states a matcher's machine keeps for later: 64 MiB.
	Memory int

	// Pause is called every few milliseconds while a source is compiled or a matcher made, nil: never. In a tab it lets others have
	// the thread.
	Pause func()
}

// budget is what a compilation may take, and has taken.
type budget struct {
	Limits
	taken int // steps
	pause int // when Pause is due
}

const betweenPauses = 100_000

// spend takes steps for what stands somewhere.
func (b *budget) spend(steps int, where string) {
	if b.taken += steps; b.taken < b.pause {
		return
	}
	if b.taken > b.Steps {
		fail(where, "compiling it takes more than %d steps", b.Steps)
	}
	b.pause = min(b.taken+betweenPauses, b.Steps+1)
	if b.Pause != nil {
		b.Pause()
	}
}

func (l Limits) withDefaults() Limits {
	set := func(field *int, value int) {
		if *field <= 0 {
			*field = value
		}
	}
	set(&l.Source, 1<<20)
	set(&l.Depth, 500)
	set(&l.States, 400_000)
	set(&l.Rules, 500_000)
	set(&l.Deterministic, 8_000)
	set(&l.Threads, 50_000)
	set(&l.Work, 1_000_000)
	set(&l.Steps, 32_000_000)
	set(&l.Memory, 64<<20)
	return l
}

// Error tells what of a grammar is wrong, or not supported, and where.
type Error struct {
	// Kind is what the source is.
	Kind Kind
	// Where is the JSON pointer of a schema's property, the rule of a grammar, or the position in a regular expression.
	Where string
	// Text says what is the matter.
	Text string
}

func (e *Error) Error() string {
	if e.Where == "" {
		return fmt.Sprintf("%s: %s", e.Kind, e.Text)
	}
	return fmt.Sprintf("%s: %s: %s", e.Kind, e.Where, e.Text)
}

// failure carries an error up through a compiler.
type failure struct{ where, text string }

func fail(where, format string, values ...any) {
	panic(failure{where, fmt.Sprintf(format, values...)})
}

// shortened leaves the end of a text out that is too long to be told.
func shortened(text string) string {
	const long = 1000
	if len(text) > long {
		return strings.ToValidUTF8(text[:long], "") + "…"
	}
	return text
}

// rescue turns a failure into the error that a compiler returns.
func rescue(kind Kind, err *error) {
	switch r := recover().(type) {
	case nil:
	case failure:
		*err = &Error{kind, shortened(r.where), shortened(r.text)}
	default:
		panic(r)
	}
}
