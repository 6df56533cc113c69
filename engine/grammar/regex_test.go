package grammar

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRegexes(t *testing.T) {
	for _, c := range []struct {
		source   string
		yes, not []string
	}{
		{`a|bc*`, []string{"a", "b", "bccc"}, []string{"", "ab", "c"}},
		{`^(?:yes|no)$`, []string{"yes", "no"}, []string{"yesno", "xyes"}},
		{`(^a|b)c($|d)`, []string{"ac", "bc", "acd"}, []string{"acdd"}},
		{`\d{3}-\d{2,}`, []string{"123-45", "٣٣٣-3456"}, []string{"12-45", "123-4"}},
		{`(?i)straße\u00e9`, []string{"STRAßEÉ", "straßeé"}, []string{"strasseé"}},
		{`(?i)\p{Lu}[\P{Lu}]`, []string{"a1", "A1"}, []string{"aa", "11"}},
		{`[^a-c]`, []string{"d", "é", "\n", "😀"}, []string{"a", "\xff", "\xc3"}},
		{`.`, []string{"é"}, []string{"\n"}},
		{`(?s:.)`, []string{"\n"}, nil},
		{`[[:alpha:]_-]+`, []string{"a_-Z"}, []string{"1"}},
		{`\p{Greek}\P{L}`, []string{"α1"}, []string{"a1", "αβ"}},
		{`a{0}b{2,3}?`, []string{"bb", "bbb"}, []string{"b", "abb"}},
		{`a{2,100000}`, []string{"aa", "aaaaaaaaa"}, []string{"a"}},
		{`(ab|abab){3}`, []string{"ababab", "abababababab", "ababababab"}, []string{"abab", "ababababababab"}},
		{`(a{2,400}b){2,300}`, []string{"aabaab"}, []string{"aab", "abaab"}},
		{``, []string{""}, []string{"a"}},
	} {
		m := matcher(t, Regex, c.source)
		for _, text := range c.yes {
			assert.True(t, accepts(m, text), "%s: %q", c.source, text)
		}
		for _, text := range c.not {
			assert.False(t, accepts(m, text), "%s: %q", c.source, text)
		}
	}
}

func TestRefusedRegexes(t *testing.T) {
	for _, c := range []struct{ source, where, text string }{
		{`a(b`, "character 4", "not closed"},
		{`ab)`, "character 3", "has no ( before it"},
		{`é*+`, "character 3", "possessive"},
		{`a**`, "character 4", "nothing to repeat"},
		{`(a)\1`, "character 4", "refers back"},
		{`(?P<n>a)(?P=n)`, "character 9", "refers back"},
		{`(?<n>a)\k<n>`, "character 8", "refers back"},
		{`a(?=b)`, "character 2", "looking ahead"},
		{`\bword`, "character 1", "boundary"},
		{`[z-a]`, "character 5", "reverse"},
		{`[a`, "character 2", "not closed"},
		{`a{3,2}`, "character 2", "least count"},
		{`[a[b]]`, "character 3", `must be written \[`},
		{`\p{Foo}`, "character 3", `"Foo"`},
		{"\xff", "character 1", "not UTF-8"},
		{`a^b`, "", "nothing can satisfy"},
	} {
		_, err := Compile(Regex, c.source, Limits{})
		var e *Error
		require.ErrorAs(t, err, &e, c.source)
		assert.Equal(t, c.where, e.Where, c.source)
		assert.Contains(t, e.Text, c.text, c.source)
	}
}

func TestGrammars(t *testing.T) {
	for _, c := range []struct {
		source   string
		yes, not []string
	}{
		{"root ::= expr\nexpr ::= expr \"+\" term | term # left recursion\nterm ::= [0-9]+ | \"(\" expr \")\"\n",
			[]string{"1", "1+2+(3+4)", "((12))"}, []string{"", "1+", "(1", "+1"}},
		{"root ::= a\na ::= b \"x\" | \"1\"\nb ::= a \"y\" | c\nc ::= a? \"z\"", // indirect, through what may be empty
			[]string{"1", "1yx", "zx", "1zx", "1yxyx", "zxzxyx"}, []string{"x", "y", "1x", "1y"}},
		{`root ::= "a" root "b" | ""`, []string{"", "ab", "aaabbb"}, []string{"aab", "ba"}},
		{`root ::= root root | "(" root ")" | "()"`, []string{"()", "()()(())", "(()())"}, []string{"(", ")("}},
		{"root ::= (\n  \"a\" |\n  \"b\"\n){2,3} tail?\ntail ::= [^\\n]* \"\\n\"", []string{"ab", "aba", "abxyz\n"}, []string{"a", "abab"}},
		{`root ::= "\u00e9\x41" [\-\]a-c] .`, []string{"éA-x", "éA]\n"}, []string{"éAdx"}},
		{"root ::= ws \"{\" ws \"}\"\nws ::= [ \\t\\n]*", []string{"{}", "  {\n}"}, []string{"{} "}},
		{`root ::= ("a" "b"?){2,200} "c"`, []string{"aac", "ababac"}, []string{"ac"}},
		// Texts without quotes beside such with them.
		{`%schema t {"properties":{"d":{"type":"string","pattern":"^[ab]$"},"o":{"type":"object","properties":{"d":{"type":"string","pattern":"^[ab]$"}},"required":["d"],"additionalProperties":false}},"required":["d","o"]}` +
			"\n" + `root ::= %marked(t, "<", ">", ";", "=", ";", "|")`, []string{`<d>a;<o={"d":"b"};`}, []string{`<d>a;<o={"d":"b};`, `<d>"a";<o={"d":"b"};`}},
		// Texts that are read as other values come only where a property can be nothing but a text.
		{`%schema t {"properties":{"c":{"enum":["12","true","x"]}},"required":["c"]}` + "\n" + `root ::= %marked(t, "<", ">", ";", ">", ";", "|")`, []string{"<c>12;", "<c>x;", "<c>true;"}, []string{"<c>1;"}},
		{`%schema t {"properties":{"c":{"enum":["12",0,"x"]}},"required":["c"]}` + "\n" + `root ::= %marked(t, "<", ">", ";", ">", ";", "|")`, []string{"<c>0;", "<c>x;"}, []string{"<c>12;"}},
		{`%schema t {"properties":{"c":{"anyOf":[{"type":"string","const":"12h"},{"oneOf":[{"const":"30m"},{"const":"x"}]}]}},"required":["c"]}` + "\n" + `root ::= %marked(t, "<", ">", ";", ">", ";", "|")`, []string{"<c>12h;", "<c>30m;", "<c>x;"}, []string{"<c>12;"}},
		{`%schema t {"anyOf":[{"properties":{"c":{"enum":["-0","x"]}},"required":["c"]},{"properties":{"c":false},"required":["c"]}]}` + "\n" + `root ::= %marked(t, "<", ">", ";", ">", ";", "|")`, []string{"<c>x;"}, []string{"<c>-0;"}},
	} {
		m := matcher(t, GBNF, c.source)
		for _, text := range c.yes {
			assert.True(t, accepts(m, text), "%s: %q", c.source, text)
		}
		for _, text := range c.not {
			assert.False(t, accepts(m, text), "%s: %q", c.source, text)
		}
	}
}

func TestRefusedGrammars(t *testing.T) {
	for _, c := range []struct{ source, where, text string }{
		{``, "", "root is not defined"},
		{"root ::= a\n", "line 1, column 10", "the rule a is not defined"},
		{"root ::= \"a\n", "rule root, line 1, column 10", "not closed"},
		{"root ::= (\"a\"", "rule root, line 1, column 14", "not closed"},
		{"root = \"a\"", "rule root, line 1, column 6", "::= is missing"},
		{"root ::= \"a\"\nroot ::= \"b\"", "rule root, line 2, column 1", "twice"},
		{"root ::= root \"a\"", "rule root", "never ends"},
		{"root ::= \"x\" a\na ::= \"y\" a", "rule root", "never ends"},
		{"root ::= <|think|>", "rule root, line 1, column 10", "tokens"},
		{`root ::= "a"{3,1}`, "rule root, line 1, column 18", "least count"},
		{`root ::= "\q"`, "rule root, line 1, column 11", "escape"},
	} {
		_, err := Compile(GBNF, c.source, Limits{})
		var e *Error
		require.ErrorAs(t, err, &e, c.source)
		assert.Equal(t, c.where, e.Where, c.source)
		assert.Contains(t, e.Text, c.text, c.source)
	}
}
