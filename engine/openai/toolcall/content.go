package toolcall

import (
	"slices"
	"strings"
)

// content reads the answer itself, up to a mark.
type content struct{}

func (content) read(p *Parser) bool {
	before, mark := p.cut(p.marks)
	p.say(answer, p.next(len(before)))
	if mark == "" {
		return false
	}
	t, s := p.format.thinking, p.format.syntax
	switch {
	case t != nil && mark == t.open && (t.anywhere || p.fresh || !p.said[answer]):
		p.next(len(mark))
		p.think()
	case t != nil && (slices.Contains(t.around, mark) || mark == t.close && !p.said[answer]): // an end may come without a beginning
		p.next(len(mark))
		p.between()
	case s == nil || !slices.Contains(s.open, mark) || len(mark) == 1 && !p.lineStart():
		p.say(answer, p.next(len(mark)))
	default:
		p.try(len(mark), s.begin())
	}
	return true
}

// lineStart says whether a line of the answer begins here.
func (p *Parser) lineStart() bool {
	return p.fresh || !p.said[answer] || strings.Contains(p.space, "\n")
}

// either reads calls that may be objects of JSON, or else.
type either struct {
	before      []string // marks before the calls
	json, other reader
}

func (e *either) read(p *Parser) bool {
	if !p.skip(e.before, "") {
		return false
	}
	inner := strings.TrimLeft(strings.TrimPrefix(p.text, "["), space)
	switch {
	case inner == "" && !p.end:
		return false
	case strings.HasPrefix(inner, "{"):
		p.reader = e.json
	default:
		p.reader = e.other
	}
	return true
}
