package chat

// limits bound what a template may cost. They are fields so that tests can lower them.
type limits struct {
	template int // bytes of a template
	nesting  int // of expressions and blocks
	depth    int // of calls and values while it runs
	steps    int // nodes evaluated, and work that grows with values
	text     int // bytes of any text, and of the output
	items    int // of any list
	numbers  int // of range()
	bits     int // of an integer
}

var usualLimits = limits{
	template: 1 << 20, nesting: 200, depth: 1000, steps: 1 << 21, text: 1 << 24, items: 1 << 20, numbers: 100_000, bits: 1 << 16,
}

func (e *evaluator) step(line int) { e.cost(line, 1) }

// cost counts work that grows with a value's size.
func (e *evaluator) cost(line, steps int) {
	if e.steps += steps; e.steps > e.limits.steps {
		fail(line, "the template takes more than %d steps", e.limits.steps)
	}
}

// deeper counts nesting; the caller takes one off again with shallower.
func (e *evaluator) deeper(line int) {
	if e.depth++; e.depth > e.limits.depth {
		fail(line, "calls or values are nested deeper than %d", e.limits.depth)
	}
}

func (e *evaluator) shallower() { e.depth-- }

// fits fails if a text of so many bytes is too long.
func (e *evaluator) fits(line, bytes int) {
	if bytes > e.limits.text {
		fail(line, "a text has more than %d bytes", e.limits.text)
	}
}

func (e *evaluator) fitsItems(line, items int) {
	if items > e.limits.items {
		fail(line, "a list has more than %d items", e.limits.items)
	}
}
