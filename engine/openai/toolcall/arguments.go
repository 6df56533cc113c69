package toolcall

// arguments are the arguments of one call, as they come.
type arguments struct {
	value
	name, id string // of the call
	opened   bool
}

// marksOf are those of some marks that no text holds but one about calls.
func marksOf(marks []string) (ends []string) {
	for _, m := range marks {
		if m != "```" {
			ends = append(ends, m)
		}
	}
	return ends
}

// read reads the arguments on and tells them, and with their beginning the call. At broken the parser has to fail.
func (a *arguments) read(p *Parser) verdict {
	n, verdict := a.value.read(p.text, p.end)
	p.next(n)
	if e := a.ended; e != nil && verdict != going && (verdict != needs || p.end) {
		if a.ended = nil; verdict != whole {
			verdict, a.value = broken, e.before
			p.text = e.after() + p.text
		}
	}
	if out := a.take(); out != "" {
		a.tell(p)
		p.argue(out)
	}
	switch {
	case verdict == broken && a.opened:
		p.argue(a.close())
		p.try(0, p.reader)
		p.tried = a.source
	case verdict == whole:
		p.try(0, p.reader)
	case verdict == needs && p.end:
		a.tell(p)
		p.argue(a.rest())
		p.next(len(p.text))
		p.settle()
	}
	return verdict
}

// tell opens the call, if it is not open yet.
func (a *arguments) tell(p *Parser) {
	if !a.opened {
		a.opened = true
		p.open(a.name, a.id)
	}
}
