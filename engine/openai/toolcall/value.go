package toolcall

import "strings"

// dialect is how a syntax writes values.
type dialect struct {
	quotes  []string // that begin and end a text, the longer first
	python  bool     // arguments stand in parentheses with =, lists may too, and texts have Python's escapes
	bare    bool     // texts may stand without quotes
	compact bool     // white space is left out
}

var (
	jsonDialect   = dialect{quotes: []string{`"`, `'`}}
	python        = dialect{quotes: []string{`"""`, `'''`, `"`, `'`}, python: true, compact: true}
	gemma         = dialect{quotes: []string{`<|"|>`, `"`, `'`}, bare: true, compact: true}
	functionGemma = dialect{quotes: []string{"<escape>", `"`, `'`}, bare: true, compact: true}
)

// verdict is what a value has come to.
type verdict int

const (
	going  verdict = iota
	needs          // more text, to tell what comes next
	whole          // the value ends here
	broken         // this is no value
)

// place is what may come next.
type place int

const (
	atValue place = iota
	atItem        // of a list: a value, or its end
	atKey         // or an object's end
	atColon
	atNext // a comma, or an end
	inText
	inKey // without quotes
	inWord
)

// value turns a value into JSON as it comes. What a JSON parser would refuse is mended where its meaning is plain: line breaks in
// texts, quotes of the other kind, names without quotes, commas too many, Python's words and numbers.
//
// JSON is told only up to where it may be ended: the comma and the name before a value wait for the value's beginning, and a number
// for its end. So what is told, with the brackets that are open, is whole.
type value struct {
	dialect
	position func(i int) string // the name of an argument without one

	place  place
	stack  []byte // brackets that are open; 'k' for the parentheses around arguments
	quote  string // of the text that comes
	key    bool   // the text is a name
	word   []byte
	held   []byte // JSON that waits
	source []byte // what was read since JSON was told last
	out    []byte // JSON that is told, until it is taken
	count  int    // of arguments without a name
	told   bool   // anything

	ends  []string // marks at which a text ends whose quote is missing
	ended *ended   // where one stood in a text that has not ended since
}

// take gives the JSON that came since. What comes after a mark that may have ended all waits.
func (v *value) take() string {
	if v.ended != nil {
		return ""
	}
	out := string(v.out)
	v.out = v.out[:0]
	return out
}

// read reads on, and says how far.
func (v *value) read(text string, end bool) (int, verdict) {
	at := 0
	for at < len(text) {
		if v.place == inText && v.ended == nil && !v.key && len(v.ends) > 0 {
			switch v.tail(text[at:]) {
			case whole:
				v.mark()
			case needs:
				if !end {
					return at, needs
				}
			}
		}
		n, verdict := v.step(text[at:], end)
		v.ended.read(text[at : at+n])
		v.source = append(v.source, text[at:at+n]...)
		at += n
		if len(v.held) == 0 && v.place != inWord && v.place != inKey {
			v.source = v.source[:0]
		}
		if verdict != going {
			return at, verdict
		}
	}
	return at, needs
}

func (v *value) step(text string, end bool) (int, verdict) {
	c := text[0]
	switch v.place {
	case inText:
		return v.text(text, end)
	case inWord:
		return v.letter(c)
	case inKey:
		return v.name(c)
	}
	if strings.IndexByte(space, c) >= 0 {
		if !v.compact {
			v.held = append(v.held, c)
		}
		return 1, going
	}
	switch v.place {
	case atValue, atItem:
		return v.begin(text, end)
	case atKey:
		return v.member(text, end)
	case atColon:
		if c != ':' && (c != '=' || v.top() != 'k') {
			return 0, broken
		}
		v.held, v.place = append(v.held, ':'), atValue
		return 1, going
	}
	switch {
	case c == ',':
		v.held = append(v.held, ',')
		if v.place = atItem; v.top() == '{' || v.top() == 'k' {
			v.place = atKey
		}
		return 1, going
	default:
		return v.end(c)
	}
}

// begin reads the first letters of a value.
func (v *value) begin(text string, end bool) (int, verdict) {
	c := text[0]
	switch {
	case c == '{' || c == '[' || c == '(' && v.python:
		v.push(c)
		return 1, going
	case v.place == atItem && strings.IndexByte("])", c) >= 0:
		return v.end(c)
	case isWord(c) || v.bare && isName(c):
		v.place = inWord
		v.word = append(v.word[:0], c)
		return 1, going
	}
	return v.open(text, end, false)
}

// push opens a bracket. The outermost one waits.
func (v *value) push(c byte) {
	v.place = atItem
	bracket := byte('[')
	if c == '{' || c == 'k' {
		v.place, bracket = atKey, '{'
	}
	v.held = append(v.held, bracket)
	if len(v.stack) > 0 {
		v.tell()
	}
	v.stack = append(v.stack, c)
}

// end closes a bracket.
func (v *value) end(c byte) (int, verdict) {
	closing := closers[v.top()]
	if closing == "" || closing[0] != c {
		return 0, broken
	}
	if strings.IndexByte(string(v.held), ',') >= 0 { // one too many
		v.held = v.held[:0]
	}
	v.tell()
	v.out = append(v.out, closing[1])
	v.stack = v.stack[:len(v.stack)-1]
	return 1, v.after()
}

// closers are, by the bracket that opens, the one that closes in the text and in JSON.
var closers = [256]string{'{': "}}", '[': "]]", '(': ")]", 'k': ")}"}

// after is where a value has ended.
func (v *value) after() verdict {
	if v.place = atNext; len(v.stack) == 0 {
		return whole
	}
	return going
}

func (v *value) top() byte {
	if len(v.stack) == 0 {
		return 0
	}
	return v.stack[len(v.stack)-1]
}

func (v *value) tell() {
	v.out = append(v.out, v.held...)
	v.held = v.held[:0]
	v.told = true
}

// rest is the JSON that waits: what a text that is cut off still has.
func (v *value) rest() string {
	if v.place == inKey {
		return string(appendText(v.held, string(v.word)))
	}
	return string(v.held) + string(v.word)
}

// close ends what was told with the brackets that are open.
func (v *value) close() string {
	var out []byte
	for i := len(v.stack) - 1; i >= 0; i-- {
		out = append(out, closers[v.stack[i]][1])
	}
	return string(out)
}

// member reads the beginning of a name, or the end of an object.
func (v *value) member(text string, end bool) (int, verdict) {
	c := text[0]
	if closing := closers[v.top()]; c == closing[0] {
		return v.end(c)
	}
	if v.top() == 'k' {
		return v.argument(text, end)
	}
	if isName(c) {
		v.place = inKey
		v.word = append(v.word[:0], c)
		return 1, going
	}
	return v.open(text, end, true)
}

// argument reads the name of a Python argument with its =, or gives it one.
func (v *value) argument(text string, end bool) (int, verdict) {
	name := 0
	for name < len(text) && isName(text[name]) {
		name++
	}
	after := strings.TrimLeft(text[name:], space)
	switch {
	case after == "" || after == "=" && !end:
		return 0, needs
	case name > 0 && (strings.HasPrefix(after, "=") && !strings.HasPrefix(after, "==") || strings.HasPrefix(after, ":") && !v.python):
		v.held = appendText(v.held, text[:name])
		v.place = atColon
		return name, going
	}
	given := ""
	if v.position != nil {
		given = v.position(v.count)
	}
	if v.count++; given == "" {
		return 0, broken
	}
	v.held = append(appendText(v.held, given), ':')
	v.place = atValue
	return 0, going
}

// name reads a name without quotes.
func (v *value) name(c byte) (int, verdict) {
	switch {
	case c == ':':
		v.held = appendText(v.held, strings.TrimRight(string(v.word), space))
		v.word, v.place = v.word[:0], atColon
		return 0, going
	case strings.IndexByte("{}[](),\"'\n", c) >= 0 || len(v.word) > maxHead:
		return 0, broken
	}
	v.word = append(v.word, c)
	return 1, going
}

// letter reads a number or a word on.
func (v *value) letter(c byte) (int, verdict) {
	if isWord(c) || v.bare && strings.IndexByte(",{}[]()<\n", c) < 0 {
		v.word = append(v.word, c)
		return 1, going
	}
	word := strings.TrimRight(string(v.word), space)
	literal := literalOf(word)
	if literal == "" && v.bare && len(v.stack) > 0 {
		literal = string(appendText(nil, word))
	}
	if literal == "" {
		return 0, broken
	}
	v.tell()
	v.out = append(v.out, literal...)
	v.word = v.word[:0]
	return 0, v.after()
}

func isWord(c byte) bool { return isLetter(c) || c == '-' || c == '+' || c == '.' }

func isName(c byte) bool { return isLetter(c) || c == '$' || c >= 0x80 }

func isLetter(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}
