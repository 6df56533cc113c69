package shaders

import (
	"fmt"
	"math"
)

// loop counts a loop with all in it.
func (c *counter) loop(tokens []token, at int, said []token, known *scope) (n, end int, err error) {
	open := at + 1
	var head []token
	if tokens[at].text != "loop" {
		if tokens[open].text == "(" {
			close := matching(tokens, open)
			head, open = tokens[open+1:close], close+1
		}
		for tokens[open].text != "{" {
			open++
		}
		if head == nil {
			head = tokens[at+1 : open]
		}
	}
	defer known.leave(known.enter())
	parts := split(head, ";")
	turns := value{}
	if said != nil {
		turns = fold(said, known)
	}
	if tokens[at].text == "for" && len(parts[0]) > 1 && parts[0][0].text == "var" {
		known.set(parts[0][1].text, value{})
	}
	if said == nil && tokens[at].text == "for" && len(parts) == 3 {
		turns = counted(parts[0], parts[1], parts[2], known)
	}
	if !turns.known {
		return 0, 0, fmt.Errorf("shaders: %q: no line %q says how many turns the loop makes", c.line(tokens[at].line), turnsMark+" …")
	}
	end = matching(tokens, open)
	body, _, err := c.block(tokens[open+1:end], known)
	if err != nil {
		return 0, 0, err
	}
	each, err := c.expression(head, known)
	if err != nil {
		return 0, 0, err
	}
	if said == nil && turns.x <= writtenOut && body+each == 0 && fold(parts[0][min(3, len(parts[0])):], known).known &&
		turns.x*float64(c.size(tokens[open+1:end])) <= writtenSize {
		return 0, end, nil
	}
	return int(turns.x)*(1+body+each) + 1, end, nil
}

// size is how many words a piece of text has with the functions that it calls.
func (c *counter) size(tokens []token) int {
	n := len(tokens)
	for i, t := range tokens {
		if i+1 == len(tokens) || tokens[i+1].text != "(" || c.functions[t.text] == nil {
			continue
		}
		size, ok := c.sizes[t.text]
		if !ok {
			size = c.size(c.functions[t.text][2:]) // without its own name
			c.sizes[t.text] = size
		}
		n += size
	}
	return n
}

// counted gives the turns of a loop over a counter from a first value, 0 where that is not known, to a constant.
func counted(first, condition, step []token, known *scope) value {
	name := ""
	if len(first) > 3 {
		name = first[1].text
	}
	if len(condition) < 3 || condition[0].text != name || len(step) < 2 || step[0].text != name {
		return value{}
	}
	from := fold(first[3:], known)
	to := fold(condition[2:], known)
	if !to.known {
		return value{}
	}
	up := condition[1].text == "<" || condition[1].text == "<="
	if condition[1].text == "<=" {
		to.x++
	}
	by := integer(1)
	op := step[1].text
	switch {
	case op == "++":
	case op == "=" && len(step) > 4 && step[2].text == name:
		op, by = step[3].text+"=", fold(step[4:], known)
	default:
		by = fold(step[2:], known)
	}
	switch {
	case !by.known || by.x <= 0:
	case up && (op == "++" || op == "+="):
		return integer(math.Max(0, math.Ceil((to.x-from.x)/by.x)))
	case up && op == "*=" && from.known && from.x > 0 && by.x > 1:
		return integer(math.Max(0, math.Ceil(math.Log(to.x/from.x)/math.Log(by.x))))
	case condition[1].text == ">" && to.x == 0 && op == "/=" && from.known && by.x > 1:
		return integer(math.Floor(math.Log(math.Max(1, from.x))/math.Log(by.x)) + 1)
	}
	return value{}
}
