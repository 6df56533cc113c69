package json

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep lists and objects may lie in one another: a browser's stack ends the program somewhere beyond.
const maxDepth = 1000

var (
	errEnd  = errors.New("the JSON ends too early")
	errMore = errors.New("more than one JSON value")
	errDeep = errors.New("the JSON is nested too deep")
)

// Parse reads one value: nil, a bool, a string, a Number, a []any or an *Object.
func Parse(text []byte) (any, error) {
	r := reader{text: string(text)}
	value, err := r.value()
	if err != nil {
		return nil, err
	}
	return value, r.end()
}

type reader struct {
	text  string
	at    int
	depth int
}

// peek skips white space and returns the next byte, 0 at the end.
func (r *reader) peek() byte {
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (r *reader) wrong() error {
	if r.at >= len(r.text) {
		return errEnd
	}
	return &syntaxError{r.at}
}

func (r *reader) end() error {
	if r.peek(); r.at < len(r.text) {
		return errMore
	}
	return nil
}

// take takes a byte that must come.
func (r *reader) take(c byte) error {
	if r.peek() != c || r.at >= len(r.text) {
		return r.wrong()
	}
	r.at++
	return nil
}

func (r *reader) value() (any, error) {
	switch c := r.peek(); {
	case c == '{':
		o := &Object{}
		return o, r.object(func(name string) error {
			value, err := r.value()
			o.Names, o.Values = append(o.Names, name), append(o.Values, value)
			return err
		})
	case c == '[':
		list := []any{}
		err := r.list(func() error {
			value, err := r.value()
			list = append(list, value)
			return err
		})
		return list, err
	case c == '"':
		return r.string()
	case c == 't':
		return true, r.word("true")
	case c == 'f':
		return false, r.word("false")
	case c == 'n':
		return nil, r.word("null")
	case c == '-' || isDigit(c):
		return r.number()
	}
	return nil, r.wrong()
}

// object reads an object; value is called where a value stands.
func (r *reader) object(value func(name string) error) error {
	return r.group('{', '}', func() error {
		if r.peek() != '"' {
			return r.wrong()
		}
		name, err := r.string()
		if err == nil {
			err = r.take(':')
		}
		if err != nil {
			return err
		}
		return value(name)
	})
}

func (r *reader) list(value func() error) error { return r.group('[', ']', value) }

func (r *reader) group(open, closing byte, item func() error) error {
	if err := r.take(open); err != nil {
		return err
	}
	if r.depth++; r.depth > maxDepth {
		return errDeep
	}
	defer func() { r.depth-- }()
	if r.peek() == closing {
		r.at++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if r.peek() != ',' {
			return r.take(closing)
		}
		r.at++
	}
}

func (r *reader) word(word string) error {
	for i := range len(word) {
		if r.at >= len(r.text) || r.text[r.at] != word[i] {
			return r.wrong()
		}
		r.at++
	}
	return nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (r *reader) number() (Number, error) {
	start := r.at
	next := func(set string) bool {
		if r.at < len(r.text) && strings.IndexByte(set, r.text[r.at]) >= 0 {
			r.at++
			return true
		}
		return false
	}
	digits := func() error {
		from := r.at
		for r.at < len(r.text) && isDigit(r.text[r.at]) {
			r.at++
		}
		if r.at == from {
			return r.wrong()
		}
		return nil
	}
	next("-")
	if !next("0") {
		if err := digits(); err != nil {
			return "", err
		}
	}
	if next(".") {
		if err := digits(); err != nil {
			return "", err
		}
	}
	if next("eE") {
		next("+-")
		if err := digits(); err != nil {
			return "", err
		}
	}
	return Number(r.text[start:r.at]), nil
}

// string reads a text. What is no UTF-8, and halves of surrogate pairs, become U+FFFD.
func (r *reader) string() (string, error) {
	r.at++
	start := r.at
	for r.at < len(r.text) && r.text[r.at] != '"' && r.text[r.at] != '\\' && r.text[r.at] >= ' ' {
		r.at++
	}
	if r.at < len(r.text) && r.text[r.at] == '"' {
		r.at++
		return valid(r.text[start : r.at-1]), nil
	}
	out := []byte(r.text[start:r.at])
	for r.at < len(r.text) {
		c := r.text[r.at]
		switch {
		case c == '"':
			r.at++
			return valid(string(out)), nil
		case c < ' ':
			return "", r.wrong()
		case c == '\\':
			r.at++
			letter, err := r.escaped()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, letter)
		default:
			out = append(out, c)
			r.at++
		}
	}
	return "", errEnd
}

func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// escaped reads what follows a backslash.
func (r *reader) escaped() (rune, error) {
	if r.at >= len(r.text) {
		return 0, errEnd
	}
	c := r.text[r.at]
	if c == 'u' {
		r.at++
		first, err := r.hex()
		if err != nil || !utf16.IsSurrogate(first) {
			return first, err
		}
		if strings.HasPrefix(r.text[r.at:], `\u`) {
			back := r.at
			r.at += 2
			second, err := r.hex()
			if err != nil {
				return 0, err
			}
			if letter := utf16.DecodeRune(first, second); letter != utf8.RuneError {
				return letter, nil
			}
			r.at = back
		}
		return utf8.RuneError, nil
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if i < 0 {
		return 0, r.wrong()
	}
	r.at++
	return rune("\"\\/\b\f\n\r\t"[i]), nil
}

// hex reads four digits.
func (r *reader) hex() (rune, error) {
	for end := r.at + 4; r.at < end; r.at++ {
		if r.at >= len(r.text) || strings.IndexByte("0123456789abcdefABCDEF", r.text[r.at]) < 0 {
			return 0, r.wrong()
		}
	}
	n, err := strconv.ParseUint(r.text[r.at-4:r.at], 16, 32)
	return rune(n), err
}
