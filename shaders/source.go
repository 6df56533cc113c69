package shaders

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// source is a file of shaders/ with what it takes, by the directives of its first lines.
type source struct {
	path    string
	text    string
	takes   []place       // libraries, in order
	consts  []declaration // of the header, or of a file that includes this one
	most    []declaration // what a launch is at most
	defined []string      // constants that the text defines itself
	used    []use         // constants that the text uses

	functions []function
}

// place is where a file takes a library: a fixed one, or a slot that has several to choose from.
type place struct {
	name    string
	choices []string // patterns of path.Match; none: the library of the name
}

func (p place) fixed() bool { return len(p.choices) == 0 }

func (p place) allows(library string) bool {
	return slices.ContainsFunc(p.choices, func(pattern string) bool {
		ok, _ := path.Match(pattern, library) // the patterns were tried when they were read
		return ok
	})
}

// declaration is a constant that a file takes.
type declaration struct{ name, kind, meaning string }

// use is a constant's name and the line where it stands first.
type use struct {
	name string
	line int
}

// directiveMark begins a directive, which has a line of its own.
const directiveMark = "//!"

// directive cuts a line such as "//! include: step" into its first word, "include:", and the rest.
func directive(line string) (word, rest string, ok bool) {
	said, ok := strings.CutPrefix(strings.TrimSpace(line), directiveMark)
	if said, spaced := strings.CutPrefix(said, " "); spaced {
		word, rest, _ = strings.Cut(said, " ")
		return word, strings.TrimSpace(rest), ok
	}
	return said, "", ok
}

// parse reads a file. What it takes stands before its code.
func parse(name, text string) (*source, error) {
	s := &source{path: name, text: text}
	if !strings.HasSuffix(text, "\n") {
		s.text += "\n"
	}
	head, number := true, 0
	for line := range strings.Lines(s.text) {
		number++
		if !strings.Contains(line, "//") { // as most
			head = head && strings.TrimSpace(line) == ""
			s.read(line, number)
			continue
		}
		word, rest, ok := directive(line)
		if !ok {
			code := uncommented(line)
			head = head && strings.TrimSpace(code) == ""
			if strings.Contains(line, directiveMark) {
				return nil, s.at(number, "a directive has a line of its own")
			}
			s.read(code, number)
			continue
		}
		if err := s.direct(word, rest, number, head); err != nil {
			return nil, s.at(number, err.Error())
		}
	}
	s.text = Bare(s.text)
	s.functions = functionsOf(s.text)
	return s, nil
}

func (s *source) at(line int, says string) error {
	return fmt.Errorf("shaders/%s:%d: %s", s.path, line, says)
}

// direct takes one directive.
func (s *source) direct(word, rest string, line int, head bool) error {
	switch word {
	case "unroll", "inline", "turns:":
		if head && word != "inline" || (word != "turns:") != (rest == "") {
			return fmt.Errorf("before a loop stands %q or %q, before a function %q", mark, turnsMark+" …", inlineMark)
		}
		s.read(rest, line)
		return nil
	case "include:", "slot", "const", "most":
	default:
		return fmt.Errorf("unknown directive %q; there are include:, slot, const, most, turns:, unroll and inline", word)
	}
	if !head {
		return fmt.Errorf("%q stands before all code", directiveMark+" "+word)
	}
	if word == "include:" {
		for name := range strings.FieldsSeq(rest) {
			s.takes = append(s.takes, place{name: name})
		}
		return nil
	}
	name, rest, ok := strings.Cut(rest, ":")
	if !ok || name == "" || strings.Contains(name, " ") {
		return fmt.Errorf("%q wants a name and a colon", directiveMark+" "+word)
	}
	if word == "slot" {
		return s.slot(name, strings.Fields(rest))
	}
	return s.declare(word, name, rest)
}

func (s *source) slot(name string, choices []string) error {
	if len(choices) == 0 {
		return fmt.Errorf("slot %s has no choices", name)
	}
	for _, c := range choices {
		if _, err := path.Match(c, ""); err != nil {
			return fmt.Errorf("slot %s: %q is no name of a library and no pattern", name, c)
		}
	}
	s.takes = append(s.takes, place{name, choices})
	return nil
}

// declare takes "name: type  meaning" of a constant, or of what a launch is at most.
func (s *source) declare(word, name, rest string) error {
	kind, meaning, _ := strings.Cut(strings.TrimSpace(rest), " ")
	d := declaration{name, kind, strings.TrimSpace(meaning)}
	switch {
	case !isConstant(name):
		return fmt.Errorf("%s: a constant's name has capitals, digits and _", name)
	case kind != "u32" && kind != "f32" && kind != "bool":
		return fmt.Errorf("%s: type %q, it may be u32, f32 or bool", name, kind)
	case word == "most" && kind != "u32":
		return fmt.Errorf("%s: what a launch is at most is u32", name)
	case d.meaning == "":
		return fmt.Errorf("%s: what does it mean?", name)
	case s.declares(name):
		return fmt.Errorf("%s is declared twice", name)
	}
	if word == "most" {
		s.most = append(s.most, d)
	} else {
		s.consts = append(s.consts, d)
	}
	return nil
}

func (s *source) declares(name string) bool {
	named := func(d declaration) bool { return d.name == name }
	return slices.ContainsFunc(s.consts, named) || slices.ContainsFunc(s.most, named)
}

// read notes the constants of a line of code: it cuts words, for all files are read before the first kernel is made.
func (s *source) read(code string, line int) {
	defines := false // the word before is const
	for at := 0; at < len(code); {
		c, from := code[at], at
		if c == ' ' || c == '\t' {
			at++
			continue
		}
		if !isLetter(c) && !isDigit(c) {
			defines = false
			at++
			continue
		}
		for at < len(code) && (isLetter(code[at]) || isDigit(code[at])) {
			at++
		}
		word := code[from:at]
		switch {
		case c > 'Z' || !isConstant(word): // or a number
		case defines:
			s.defined = append(s.defined, word)
		case !slices.ContainsFunc(s.used, func(u use) bool { return u.name == word }):
			s.used = append(s.used, use{word, line})
		}
		defines = word == "const"
	}
}

// isConstant tells whether a word is written as constants are.
func isConstant(word string) bool {
	if word == "" || word[0] < 'A' || word[0] > 'Z' {
		return false
	}
	return !strings.ContainsFunc(word, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
}
