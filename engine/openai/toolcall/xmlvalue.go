package toolcall

import (
	"slices"
	"strings"
)

// isText says whether the value is told as it comes.
func (x *xmlCall) isText() bool { return x.kinds == kindText && !x.cdata }

// readValue reads a value up to its end.
func (x *xmlCall) readValue(p *Parser) bool {
	if !x.inside {
		if p.text == "" && !p.end {
			return false
		}
		x.inside = true
		if strings.HasPrefix(p.text, "\n") {
			p.next(1)
		}
	}
	before, mark := p.cut([]string{x.close, x.end, x.argument})
	ends, ok := true, true
	if mark != "" {
		ends, ok = x.endsHere(p, before, mark, p.text[len(before)+len(mark):])
	}
	switch {
	case !ok || mark == "" && !p.end:
		if x.lines {
			before = strings.TrimSuffix(before, "\n")
		}
		x.take(p, p.next(len(before)))
		return false
	case mark == "":
		if x.take(p, p.next(len(before))); !x.isText() {
			x.tellKey(p, string(x.value))
		}
		x.cut(p)
	case !ends:
		x.take(p, p.next(len(before)+len(mark)))
	default:
		x.endValue(p, before, mark)
	}
	return true
}

// endsHere says whether a mark ends the value: a value may hold marks, but after its own there is another argument or the end. Where
// its own is missing, the function's end does it, or a line that begins an argument which the tool has and the call has not.
func (x *xmlCall) endsHere(p *Parser, before, mark, after string) (ends, ok bool) {
	follow := x.around
	if mark == x.argument {
		key, _, found := strings.Cut(after, x.keyed)
		switch {
		case !x.lines || !strings.HasSuffix(before, "\n"):
			return false, true
		case !found:
			return false, p.end || len(after) > maxHead
		}
		return p.tool(x.name).has(key) && !slices.Contains(x.keys, key), true
	}
	if mark == x.close {
		follow = append([]string{x.argument, x.end}, x.around...)
	}
	after = strings.TrimLeft(after, space)
	switch {
	case at(after, follow) != "":
		return true, true
	case p.end:
		return after == "" || begins(after, follow), true
	}
	return false, after != "" && !begins(after, follow)
}

// take takes a piece of the value.
func (x *xmlCall) take(p *Parser, text string) {
	if !x.isText() {
		x.value = append(x.value, text...)
		return
	}
	var out []byte
	for i := range len(text) {
		out = appendByte(out, text[i])
	}
	p.argue(string(out))
}

// endValue takes the last piece of a value.
func (x *xmlCall) endValue(p *Parser, text, mark string) {
	p.next(len(text))
	if x.lines {
		text = strings.TrimSuffix(text, "\n")
	}
	if mark == x.close {
		p.next(len(mark))
	}
	x.take(p, text)
	if x.isText() {
		p.argue(`"`)
	} else {
		x.tellKey(p, x.kinds.json(x.text()))
	}
	x.state = atArgument
	p.try(0, p.reader)
}

// text is the value as it was written.
func (x *xmlCall) text() string {
	text := string(x.value)
	if inner, ok := strings.CutPrefix(strings.TrimLeft(text, space), "<![CDATA["); ok && x.cdata {
		if inner, ok = strings.CutSuffix(strings.TrimRight(inner, space), "]]>"); ok {
			x.kinds = kindText
			return inner
		}
	}
	return text
}
