package chat

import "math/rand/v2"

// globals are what every template may call.
var globals map[string]*function

func init() {
	globals = map[string]*function{}
	for name, call := range map[string]func(*evaluator, int, values) any{
		"range":           rangeOf,
		"dict":            func(e *evaluator, line int, a values) any { return e.dictOf(line, "dict", a) },
		"namespace":       newNamespace,
		"cycler":          newCycler,
		"joiner":          newJoiner,
		"lipsum":          lipsum,
		"raise_exception": raise,
		"strftime_now":    formatNow,
	} {
		globals[name] = &function{name, call}
	}
}

const oneMessage, oneFormat = signature("message"), signature("format")

func raise(e *evaluator, line int, a values) any {
	message := oneMessage.bind(line, "raise_exception", a)[0]
	panic(&Error{Line: line, Reason: e.text(line, message), Raised: true})
}

func formatNow(e *evaluator, line int, a values) any {
	return strftime(e.now, wantText(line, oneFormat.bind(line, "strftime_now", a)[0], "the format"))
}

func newNamespace(e *evaluator, line int, a values) any {
	ns := &namespace{vars: newDict()}
	given := e.dictOf(line, "namespace", a)
	for _, key := range given.keys {
		if name, ok := textOf(key); ok {
			ns.set(line, name, given.at(key))
		} else {
			ns.vars.set(key, given.at(key))
		}
	}
	return ns
}

const fromKeysOf = signature("/iterable value?")

func fromKeys(e *evaluator, line int, a values) any {
	v := fromKeysOf.bind(line, "fromkeys", a)
	d := newDict()
	for key := range e.each(line, v[0]) {
		e.put(line, d, key, or(v[1], nil))
	}
	return d
}

// cycler gives its items one after another, again and again.
type cycler struct {
	items []any
	at    int
}

func newCycler(_ *evaluator, line int, a values) any {
	if len(a.positional) == 0 || len(a.names()) > 0 {
		fail(line, "cycler needs items, without names")
	}
	return &cycler{items: a.positional}
}

func (c *cycler) attribute(name string) (any, bool) {
	const none = signature("")
	switch name {
	case "items":
		return &list{items: c.items, tuple: true}, true
	case "pos":
		return int64(c.at), true
	case "current":
		return c.items[c.at], true
	case "next":
		return &function{name, func(_ *evaluator, line int, a values) any {
			none.bind(line, name, a)
			item := c.items[c.at]
			c.at = (c.at + 1) % len(c.items)
			return item
		}}, true
	case "reset":
		return &function{name, func(_ *evaluator, line int, a values) any {
			none.bind(line, name, a)
			c.at = 0
			return nil
		}}, true
	}
	return nil, false
}

// joiner gives nothing the first time, and then its separator.
type joiner struct {
	separator any
	used      bool
}

const separatorOf = signature("sep?")

func newJoiner(_ *evaluator, line int, a values) any {
	return &joiner{separator: or(separatorOf.bind(line, "joiner", a)[0], ", ")}
}

func (j *joiner) call(line int, a values) any {
	signature("").bind(line, "the joiner", a)
	if !j.used {
		j.used = true
		return ""
	}
	return j.separator
}

func (j *joiner) attribute(name string) (any, bool) {
	switch name {
	case "sep":
		return j.separator, true
	case "used":
		return j.used, true
	}
	return nil, false
}

const lipsumOf = signature("n? html? min? max?")

// lipsum makes paragraphs of random words that mean nothing.
func lipsum(e *evaluator, line int, a values) any {
	v := lipsumOf.bind(line, "lipsum", a)
	paragraphs, html := wantInteger(line, or(v[0], int64(5)), "n"), truth(or(v[1], true))
	low, high := wantInteger(line, or(v[2], int64(20)), "min"), wantInteger(line, or(v[3], int64(100)), "max")
	if low >= high {
		fail(line, "lipsum needs a min below its max")
	}
	words := [...]string{"lorem", "ipsum", "dolor", "sit", "amet", "consectetuer", "adipiscing", "elit"}
	out, between := "", "\n\n"
	if html {
		between = "\n"
	}
	for i := range paragraphs {
		text := ""
		for j := range low + rand.IntN(high-low) {
			if j > 0 {
				text = e.join(line, text, " ")
			}
			text = e.join(line, text, words[rand.IntN(len(words))])
		}
		text = e.join(line, capitalize(text), ".")
		if html {
			text = "<p>" + text + "</p>"
		}
		if i > 0 {
			out = e.join(line, out, between)
		}
		out = e.join(line, out, text)
	}
	if html {
		return markup(out)
	}
	return out
}
