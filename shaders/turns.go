package shaders

import (
	"fmt"
	"maps"
	"strings"
)

// Turns returns the most turns that the loops of one invocation make in all, nested loops counted together and each loop's end
// as a turn: some drivers end an invocation's loops after so many, without a word. Small loops of a few turns between
// constants, with no loop in them that stays, are not counted, for compilers write them out. most says what stands for names in lines
//
//	//! turns: EXPRESSION
//
// before loops whose bounds are known only when the kernel runs; such a loop without one is an error. So is an expression
// that some compilers refuse though it is never run: what divides or takes a remainder by what folds to 0, shifts by 32, or
// takes an element past an array's end.
func Turns(text string, most map[string]int) (int, error) {
	c := counter{text: text, functions: map[string][]token{}, counts: map[string]int{}, sizes: map[string]int{}, known: map[string]value{}}
	for name, n := range most {
		c.known[name] = integer(float64(n))
	}
	tokens := scan(text)
	var constants []int
	var arrays [][2]int
	for i := 0; i < len(tokens); i++ {
		switch {
		case tokens[i].turns:
		case tokens[i].text == "const":
			constants = append(constants, i)
			i = c.statementEnd(tokens, i)
		case tokens[i].text == "var":
			end := c.statementEnd(tokens, i)
			arrays = append(arrays, [2]int{i, end})
			i = end
		case tokens[i].text == "fn":
			body := i
			for body < len(tokens) && tokens[body].text != "{" {
				body++
			}
			end := matching(tokens, body)
			if end == len(tokens) {
				return 0, fmt.Errorf("shaders: function %s has no end", tokens[i+1].text)
			}
			c.functions[tokens[i+1].text] = tokens[i : end+1]
			c.order = append(c.order, tokens[i+1].text)
			i = end
		}
	}
	// Constants may stand for those behind them.
	outside := &scope{names: c.known}
	for before := -1; before < len(c.known); {
		before = len(c.known)
		for _, at := range constants {
			c.declare(tokens, at, outside)
		}
		maps.DeleteFunc(c.known, func(_ string, v value) bool { return !v.known })
	}
	for _, a := range arrays {
		measure(tokens[a[0]:a[1]], outside)
	}
	for _, name := range c.order {
		if _, err := c.function(name); err != nil {
			return 0, err
		}
	}
	return c.counts["main"], nil
}

// What compilers are sure to write out: so many turns, and so many words of text when that is done. Mesa's bounds are four
// times the turns and as many instructions.
const (
	writtenOut  = 8
	writtenSize = 800
)

type counter struct {
	text      string
	functions map[string][]token // from "fn" to the closing brace
	order     []string
	counts    map[string]int
	sizes     map[string]int   // in words, with what they call
	known     map[string]value // constants, and what launches say
}

// line gives a line of the text, to quote.
func (c *counter) line(n int) string { return strings.TrimSpace(strings.Split(c.text, "\n")[n-1]) }

// declare notes what "const name: type = expression;" or a let stands for and returns the place of its semicolon.
func (c *counter) declare(tokens []token, at int, known *scope) int {
	end := at
	equals := -1
	for end < len(tokens) && tokens[end].text != ";" {
		if tokens[end].text == "=" && equals < 0 {
			equals = end
		}
		end++
	}
	if equals > 0 {
		known.set(tokens[at+1].text, fold(tokens[equals+1:end], known))
	}
	return end
}

// function counts a function once.
func (c *counter) function(name string) (int, error) {
	if n, ok := c.counts[name]; ok {
		return n, nil
	}
	c.counts[name] = 0 // WGSL has no recursion
	tokens := c.functions[name]
	open := 0
	known := newScope(c.known)
	for ; tokens[open].text != "{"; open++ {
		if open+1 < len(tokens) && tokens[open+1].text == ":" {
			known.set(tokens[open].text, value{}) // parameters
			known.set(length(tokens[open].text), value{})
		}
	}
	n, _, err := c.block(tokens[open+1:len(tokens)-1], known)
	c.counts[name] = n
	return n, err
}

// block counts statements; ends says that none behind them runs.
func (c *counter) block(tokens []token, known *scope) (total int, ends bool, err error) {
	defer known.leave(known.enter())
	said := []token(nil)
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if said != nil && (t.turns || t.text != "for" && t.text != "while" && t.text != "loop") {
			return 0, false, fmt.Errorf("shaders: %q: %q stands before no loop", c.line(t.line), turnsMark)
		}
		switch {
		case t.turns:
			said = scan(t.text)
			continue
		case t.text == "{":
			end := matching(tokens, i)
			n, _, err := c.block(tokens[i+1:end], known)
			if err != nil {
				return 0, false, err
			}
			total, i = c.add(total, n, ends), end
		case t.text == "if":
			n, end, stop, err := c.branch(tokens, i, known)
			if err != nil {
				return 0, false, err
			}
			total, i = c.add(total, n, ends), end
			ends = ends || stop
		case t.text == "for" || t.text == "while" || t.text == "loop":
			n, end, err := c.loop(tokens, i, said, known)
			if err != nil {
				return 0, false, err
			}
			total, i = c.add(total, n, ends), end
		case t.text == "let" || t.text == "var":
			end := c.statementEnd(tokens, i)
			n, err := c.expression(tokens[i:end], known)
			if err != nil {
				return 0, false, err
			}
			total = c.add(total, n, ends)
			if t.text == "let" {
				c.declare(tokens[:end], i, known)
			} else {
				measure(tokens[i:end], known)
			}
			i = end
		default:
			end := c.statementEnd(tokens, i)
			n, err := c.expression(tokens[i:end], known)
			if err != nil {
				return 0, false, err
			}
			total = c.add(total, n, ends)
			ends = ends || t.text == "return"
			i = end
		}
		said = nil
	}
	return total, ends, nil
}

func (c *counter) add(total, n int, ends bool) int {
	if ends {
		return total
	}
	return total + n
}

func (c *counter) statementEnd(tokens []token, at int) int {
	for at < len(tokens) && tokens[at].text != ";" {
		at++
	}
	return at
}

// branch counts an if with its elses: those that constants leave over.
func (c *counter) branch(tokens []token, at int, known *scope) (n, end int, ends bool, err error) {
	open := at + 1
	for tokens[open].text != "{" {
		open++
	}
	condition := tokens[at+1 : open]
	if n, err = c.expression(condition, known); err != nil {
		return 0, 0, false, err
	}
	taken := fold(condition, known)
	end = matching(tokens, open)
	inside, stop, err := c.block(tokens[open+1:end], known)
	if err != nil {
		return 0, 0, false, err
	}
	if !taken.known || taken.x != 0 {
		n += inside
		ends = taken.known && stop
	}
	if end+1 < len(tokens) && tokens[end+1].text == "else" {
		other := 0
		if tokens[end+2].text == "if" {
			other, end, stop, err = c.branch(tokens, end+2, known)
		} else {
			open = end + 2
			end = matching(tokens, open)
			other, stop, err = c.block(tokens[open+1:end], known)
		}
		if err != nil {
			return 0, 0, false, err
		}
		if !taken.known || taken.x == 0 {
			n += other
			ends = ends || taken.known && stop
		}
	}
	return n, end, ends, nil
}

// expression counts the loops of the functions that are called, and finds what some compilers refuse.
func (c *counter) expression(tokens []token, known *scope) (total int, err error) {
	for i, t := range tokens {
		if t.turns || i+1 == len(tokens) {
			continue
		}
		switch t.text {
		case "/", "%", "/=", "%=", "<<", ">>", "<<=", ">>=":
			f := folder{tokens: tokens, at: i + 1, known: known}
			var v value
			if strings.HasSuffix(t.text, "=") {
				v = f.binary(0)
			} else {
				v = f.unary()
			}
			shift := t.text[0] == '<' || t.text[0] == '>'
			if v.known && v.integer && (!shift && v.x == 0 || shift && v.x >= 32) {
				return 0, fmt.Errorf("shaders: %q: %s by %v, which some compilers refuse though it is never run", c.line(t.line), t.text, v.x)
			}
		case "[":
			size := value{}
			if i > 0 && (i < 2 || tokens[i-2].text != ".") {
				size = known.of(length(tokens[i-1].text))
			}
			v := fold(tokens[i+1:matching(tokens, i)], known)
			if v.known && size.known && v.x >= size.x {
				return 0, fmt.Errorf("shaders: %q: element %v of %v, which some compilers refuse though it is never run", c.line(t.line), v.x, size.x)
			}
		}
		if tokens[i+1].text == "(" && c.functions[t.text] != nil {
			n, err := c.function(t.text)
			if err != nil {
				return 0, err
			}
			total += n
		}
	}
	return total, nil
}
