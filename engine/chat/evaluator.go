package chat

import (
	"strings"
	"time"
)

// evaluator runs a template once. It counts what the run costs.
type evaluator struct {
	limits     limits
	out        strings.Builder
	now        time.Time
	steps      int
	depth      int
	jump       jump
	autoescape bool
}

// jump tells the blocks around it that break or continue was met.
type jump uint8

const (
	noJump jump = iota
	breakJump
	continueJump
)

// scope holds the variables of a block; what it lacks is looked up outwards.
type scope struct {
	parent *scope
	vars   map[string]any
}

func (s *scope) inner() *scope { return &scope{parent: s, vars: map[string]any{}} }

func (s *scope) lookup(name string) (any, bool) {
	for ; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}

func (e *evaluator) write(line int, text string) {
	e.cost(line, len(text)>>6)
	e.out.WriteString(text)
	e.fits(line, e.out.Len())
}

// run runs statements until one jumps.
func (e *evaluator) run(body []node, s *scope) {
	e.deeper(0)
	defer e.shallower()
	for _, n := range body {
		e.step(0)
		if n.run(e, s); e.jump != noJump {
			return
		}
	}
}

// capture runs statements and gives their output instead of writing it.
func (e *evaluator) capture(run func()) string {
	outer := e.out
	e.out = strings.Builder{}
	run()
	text := e.out.String()
	e.out = outer
	return text
}

// block gives the output of a block with a scope of its own; done is false if it was left by break or continue.
func (e *evaluator) block(body []node, s *scope) (text string, done bool) {
	text = e.capture(func() { e.run(body, s.inner()) })
	return text, e.jump == noJump
}

// safe marks what a block or macro wrote as safe where output is escaped.
func (e *evaluator) safe(text string) any {
	if e.autoescape {
		return markup(text)
	}
	return text
}

func (e *evaluator) eval(x expression, s *scope) any {
	e.step(0)
	e.deeper(0)
	v := x.eval(e, s)
	e.shallower()
	return v
}

func (e *evaluator) call(line int, f any, a values) any {
	e.step(line)
	e.deeper(line)
	defer e.shallower()
	switch f := f.(type) {
	case *function:
		return f.call(e, line, a)
	case *macro:
		return f.call(e, line, a)
	case *loop:
		return f.recurse(line, a)
	case *joiner:
		return f.call(line, a)
	case undefined:
		fail(line, "%q is undefined", f.name)
	}
	fail(line, "%s cannot be called", typeName(f))
	return nil
}

func callable(v any) bool {
	switch v.(type) {
	case *function, *macro, *loop, *joiner, undefined:
		return true
	}
	return false
}
