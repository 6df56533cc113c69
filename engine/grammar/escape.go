package grammar

import (
	"strings"
	"unicode"
)

var (
	asciiDigit = newSet(span{'0', '9'})
	asciiWord  = newSet(span{'0', '9'}, span{'A', 'Z'}, spanOf('_'), span{'a', 'z'})
	ecmaSpace  = newSet(span{'\t', '\r'}, spanOf(' '), spanOf(0xA0), spanOf(0x1680), span{0x2000, 0x200A},
		span{0x2028, 0x2029}, spanOf(0x202F), spanOf(0x205F), spanOf(0x3000), spanOf(0xFEFF))
)

func (p *regexParser) digits() runeSet {
	if p.dialect == ecmaDialect {
		return asciiDigit
	}
	return p.table("\\d", unicode.Nd)
}

func (p *regexParser) words() runeSet {
	if p.dialect == ecmaDialect {
		return asciiWord
	}
	return p.table("\\w", unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control)
}

func (p *regexParser) spaces() runeSet {
	if p.dialect == ecmaDialect {
		return ecmaSpace
	}
	return p.table("\\s", unicode.White_Space)
}

// escape reads what a backslash begins.
func (p *regexParser) escape(inClass bool) runeSet {
	start := p.at
	p.at++
	if !p.more() {
		p.wrong("a \\ ends it")
	}
	letter := p.rune()
	switch letter {
	case 'd':
		return p.digits()
	case 'D':
		return p.once("\\D", func() runeSet { return p.digits().not() })
	case 'w':
		return p.words()
	case 'W':
		return p.once("\\W", func() runeSet { return p.words().not() })
	case 's':
		return p.spaces()
	case 'S':
		return p.once("\\S", func() runeSet { return p.spaces().not() })
	case 'p', 'P':
		set := p.folded(p.property())
		if letter == 'P' {
			return set.not()
		}
		return set
	case 'b':
		if inClass {
			return runeSet{spanOf('\b')}
		}
		p.at = start
		p.wrong("the boundary of a word, \\b, is not supported")
	case 'k':
		p.at = start
		p.wrong("what refers back to a group, \\k, is not supported")
	case 'B', 'G', 'K', 'X', 'R':
		p.at = start
		p.wrong("\\%c is not supported", letter)
	}
	return p.folded(runeSet{spanOf(p.character(start, letter))})
}

// character is the one character that an escape stands for.
func (p *regexParser) character(start int, letter rune) rune {
	switch letter {
	case 't':
		return '\t'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 'v':
		return '\v'
	case 'f':
		return '\f'
	case 'a':
		if p.dialect == unicodeDialect {
			return '\a'
		}
	case '0':
		if !p.more() || p.text[p.at] < '0' || p.text[p.at] > '9' {
			return 0
		}
	case 'c':
		if p.more() {
			if c := p.text[p.at] | 0x20; 'a' <= c && c <= 'z' {
				p.at++
				return rune(c & 31)
			}
		}
	case 'x', 'u', 'U':
		if p.dialect == ecmaDialect && (letter == 'U' || letter == 'x' && p.has("{")) {
			break
		}
		digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[letter]
		r := p.hex(start, digits)
		if letter == 'u' && 0xD800 <= r && r < 0xDC00 && p.take(`\u`) {
			return 0x10000 + (r-0xD800)<<10 + p.hex(start, 4) - 0xDC00
		}
		if 0xD800 <= r && r < 0xE000 || r > lastRune {
			p.at = start
			p.wrong("it names no character")
		}
		return r
	}
	switch {
	case '1' <= letter && letter <= '9', letter == '0':
		p.at = start
		p.wrong("what refers back to a group, \\%c, is not supported", letter)
	case 'a' <= letter && letter <= 'z' || 'A' <= letter && letter <= 'Z':
		p.at = start
		p.wrong("\\%c is not supported", letter)
	}
	return letter
}

func (p *regexParser) hex(start, digits int) rune {
	text := ""
	if p.take("{") {
		end := strings.IndexByte(p.text[p.at:], '}')
		if end < 0 {
			p.at = start
			p.wrong("a { is not closed")
		}
		text = p.text[p.at : p.at+end]
		p.at += end + 1
	} else if p.at+digits <= len(p.text) {
		text = p.text[p.at : p.at+digits]
		p.at += digits
	}
	r := rune(0)
	for _, c := range text {
		i := strings.IndexRune("0123456789abcdef", unicode.ToLower(c))
		if i < 0 || r > lastRune {
			text = ""
			break
		}
		r = r<<4 | rune(i)
	}
	if text == "" {
		p.at = start
		p.wrong("%d hexadecimal digits are missing", digits)
	}
	return r
}

// property reads the name of a property of Unicode.
func (p *regexParser) property() runeSet {
	start := p.at
	name := ""
	if p.take("{") {
		if end := strings.IndexByte(p.text[p.at:], '}'); end > 0 {
			name = p.text[p.at : p.at+end]
			p.at += end + 1
		}
	} else if p.more() && p.dialect == unicodeDialect {
		name = string(p.rune())
	}
	tables := propertyTables(name)
	if kind, value, given := strings.Cut(name, "="); given {
		switch kind {
		case "gc", "General_Category", "sc", "Script":
			tables = propertyTables(value)
		}
	}
	if len(tables) == 0 {
		p.at = start
		p.wrong("the property %q of Unicode is not supported", name)
	}
	return p.table(name, tables...)
}

// once gives a set that has a name, which may come very often.
func (p *regexParser) once(name string, make func() runeSet) runeSet {
	set, ok := p.named[name]
	if !ok {
		if p.named == nil {
			p.named = map[string]runeSet{}
		}
		set = make()
		p.named[name] = set
	}
	return set
}

// table gives the runes of tables of package unicode, once.
func (p *regexParser) table(name string, tables ...*unicode.RangeTable) runeSet {
	return p.once(name, func() runeSet {
		var spans []span
		add := func(lo, hi, stride rune) {
			if stride == 1 {
				spans = append(spans, span{lo, hi})
				return
			}
			for r := lo; r <= hi; r += stride {
				spans = append(spans, spanOf(r))
			}
		}
		for _, t := range tables {
			for _, r := range t.R16 {
				add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
			}
			for _, r := range t.R32 {
				add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
			}
		}
		return newSet(spans...)
	})
}

// properties are those of Unicode that have a name here. Each is named by itself, so that no others are linked.
var properties = []struct {
	names  string
	tables tables
}{
	{" L Letter ", tables{&unicode.L}}, {" Lu Uppercase_Letter ", tables{&unicode.Lu}},
	{" Ll Lowercase_Letter ", tables{&unicode.Ll}}, {" Lt ", tables{&unicode.Lt}},
	{" Lm ", tables{&unicode.Lm}}, {" Lo ", tables{&unicode.Lo}},
	{" M Mark ", tables{&unicode.M}}, {" N Number ", tables{&unicode.N}},
	{" Nd Decimal_Number ", tables{&unicode.Nd}}, {" Nl ", tables{&unicode.Nl}},
	{" No ", tables{&unicode.No}}, {" P Punctuation ", tables{&unicode.P}},
	{" Pc ", tables{&unicode.Pc}}, {" Pd ", tables{&unicode.Pd}},
	{" S Symbol ", tables{&unicode.S}}, {" Sc ", tables{&unicode.Sc}},
	{" Sm ", tables{&unicode.Sm}}, {" Z Separator ", tables{&unicode.Z}},
	{" Zs ", tables{&unicode.Zs}}, {" Cc ", tables{&unicode.Cc}},
	{" Alphabetic ", tables{&unicode.L, &unicode.Nl, &unicode.Other_Alphabetic}},
	{" White_Space ", tables{&unicode.White_Space}}, {" Latin ", tables{&unicode.Latin}},
	{" Greek ", tables{&unicode.Greek}}, {" Cyrillic ", tables{&unicode.Cyrillic}},
	{" Han ", tables{&unicode.Han}}, {" Hiragana ", tables{&unicode.Hiragana}},
	{" Katakana ", tables{&unicode.Katakana}}, {" Hangul ", tables{&unicode.Hangul}},
	{" Arabic ", tables{&unicode.Arabic}}, {" Hebrew ", tables{&unicode.Hebrew}},
	{" Thai ", tables{&unicode.Thai}}, {" Devanagari ", tables{&unicode.Devanagari}},
}

type tables = [3]**unicode.RangeTable

// propertyTables are the tables of a property's name, none for one that is not known.
func propertyTables(name string) (list []*unicode.RangeTable) {
	if name == "" || strings.Contains(name, " ") {
		return nil
	}
	for _, p := range properties {
		if strings.Contains(p.names, " "+name+" ") {
			for _, t := range p.tables {
				if t != nil {
					list = append(list, *t)
				}
			}
		}
	}
	return list
}

func (p *regexParser) posix(name string) runeSet {
	switch name {
	case "alpha":
		return newSet(span{'A', 'Z'}, span{'a', 'z'})
	case "digit":
		return asciiDigit
	case "alnum":
		return newSet(span{'0', '9'}, span{'A', 'Z'}, span{'a', 'z'})
	case "upper":
		return newSet(span{'A', 'Z'})
	case "lower":
		return newSet(span{'a', 'z'})
	case "space":
		return newSet(span{'\t', '\r'}, spanOf(' '))
	case "punct":
		return newSet(span{'!', '/'}, span{':', '@'}, span{'[', '`'}, span{'{', '~'})
	case "xdigit":
		return newSet(span{'0', '9'}, span{'A', 'F'}, span{'a', 'f'})
	case "word":
		return asciiWord
	}
	p.wrong("the class [:%s:] is not supported", name)
	return nil
}
