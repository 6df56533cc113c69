package openai

import (
	"math"
	"strconv"
)

// checker keeps the first value that is out of its range.
type checker struct{ err *Error }

func (c *checker) fail(err *Error) {
	if c.err == nil {
		c.err = err
	}
}

// number holds a number to a range.
func (c *checker) number(param string, x *float64, low, high float64) {
	switch {
	case x == nil:
	case !(*x >= low): // NaN too
		c.fail(invalid(param, "decimal_below_min_value", "%q is %g, it must be at least %g.", param, *x, low))
	case *x > high:
		c.fail(invalid(param, "decimal_above_max_value", "%q is %g, it must be at most %g.", param, *x, high))
	}
}

// integer holds a whole number to a range.
func (c *checker) integer(param string, n *int, low, high int) {
	switch {
	case n == nil:
	case *n < low:
		c.fail(invalid(param, "integer_below_min_value", "%q is %d, it must be at least %d.", param, *n, low))
	case *n > high:
		c.fail(invalid(param, "integer_above_max_value", "%q is %d, it must be at most %d.", param, *n, high))
	}
}

// length holds a list's length to a range.
func (c *checker) length(param string, n, low, high int) {
	switch {
	case n < low && n == 0:
		c.fail(invalid(param, "empty_array", "%q is empty.", param))
	case n < low:
		c.fail(invalid(param, "array_below_min_length", "%q has length %d, it must have at least %d.", param, n, low))
	case n > high:
		c.fail(invalid(param, "array_above_max_length", "%q has length %d, it must have at most %d.", param, n, high))
	}
}

// choice holds a text to what it can be.
func (c *checker) choice(param, value string, of ...string) {
	list := ""
	for i, o := range of {
		if value == o {
			return
		}
		switch {
		case i > 0 && i == len(of)-1:
			list += " or "
		case i > 0:
			list += ", "
		}
		list += strconv.Quote(o)
	}
	c.fail(invalid(param, "invalid_value", "%q is %s, it must be %s.", param, quoted(value), list))
}

// quoted shows a client's text, which may be long.
func quoted(text string) string {
	return strconv.Quote(short(text))
}

// short cuts a client's text that an answer repeats.
func short(text string) string {
	const most = 100
	if len(text) > most {
		return string([]rune(text[:most])) + "…"
	}
	return text
}

const anyNumber = math.MaxInt32
