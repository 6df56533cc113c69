package grammar

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBounds has sources that would take more than a limit, which is lowered: each is refused soon, with what bounds it.
func TestBounds(t *testing.T) {
	many := func(n int, format, between string) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(format, i))
		}
		return strings.Join(list, between)
	}
	var twice func(depth int) string
	twice = func(depth int) string { // each holds the next two times
		if depth == 0 {
			return `{"$anchor":"d0","type":"integer"}`
		}
		return `{"$anchor":"d` + strconv.Itoa(depth) + `","allOf":[` + twice(depth-1) + `,{"$ref":"#d` + strconv.Itoa(depth-1) + `"}]}`
	}
	low := Limits{Source: 1 << 20, Depth: 90, States: 5000, Rules: 500, Deterministic: 200, Steps: 400_000}
	for _, c := range []struct {
		name   string
		kind   Kind
		source string
		text   string
	}{
		{"long", Regex, strings.Repeat("a", 2<<20), "bytes, more than"},
		{"deep groups", Regex, strings.Repeat("(", 100) + strings.Repeat(")", 100), "more than 90 deep"},
		{"alternatives", Regex, many(3000, "%dabcd", "|"), "more than 5000 states"},
		{"copies", Regex, "(^a{1000}){9}b", "more than 5000 states"},
		{"deep rules", GBNF, "root ::= " + strings.Repeat("(", 100) + `"a"` + strings.Repeat(")", 100), "more than 90 deep"},
		{"rules", GBNF, "root ::= " + many(900, "r%d", " ") + "\n" + many(900, `r%d ::= "a"`, "\n"), "more than"},
		{"deep schema", JSONSchema, strings.Repeat(`{"items":`, 100) + "true" + strings.Repeat("}", 100), "more than 90 deep"},
		{"properties", JSONSchema, `{"properties":{` + many(3000, `"p%d":{"type":"string"}`, ",") + "}}", "more than 5000 states"},
		{"goals", JSONSchema, `{"anyOf":[` + many(900, `{"const":%d,"type":"integer"}`, ",") + "]}", "more than 500 rules"},
		{"combinations", JSONSchema, `{"allOf":[` + many(20, `{"anyOf":[{"minimum":%[1]d},{"maxLength":%[1]d}]}`, ",") + "]}", "combinations"},
		{"combinations of nothing", JSONSchema, `{"allOf":[` +
			many(20, `{"anyOf":[{"minimum":%[1]d},{"maxLength":%[1]d}]}`, ",") + `,{"type":"string"},{"anyOf":[{"type":"null"},{"type":"boolean"}]}]}`, "combinations"},
		{"patterns at once", JSONSchema, `{"type":"string","allOf":[{"pattern":"a.{12}$"},{"pattern":"b.{11}$"}]}`, "more than 200 states"},
		{"many numbers", JSONSchema, `{"prefixItems":[` + many(230, `{"type":"number","minimum":%d}`, ",") + "]}", "takes more than 400000 steps"},
		{"multiple", JSONSchema, `{"type":"integer","multipleOf":1000}`, "more than 200 states"},
		{"left recursion", GBNF, "root ::= " + many(40, "r%d", " | ") + "\n" + many(40, `r%[1]d ::= root "x" | "y%[1]d"`, "\n"), "begin with one another"},
		{"matching", JSONSchema, `{"enum":["` + strings.Repeat("a", 4000) + `"],"pattern":"(a?){300}b?$"}`, "takes more than 400000 steps"},
		{"identifiers", JSONSchema, strings.Repeat(`{"$id":"`+strings.Repeat("a", 150)+`/","items":`, 20) + "true" + strings.Repeat("}", 20), "more than 2000 characters"},
		{"atoms", Regex, strings.Repeat("a*", 9000), "takes more than 400000 steps"},
		{"checks", JSONSchema, `{"enum":[1,2],"allOf":[` + twice(20) + "]}", "takes more than 400000 steps"},
		{"digits of what must not be", JSONSchema, `{"type":"number","not":{"const":1e3000000}}`, "too many digits"},
		{"counted properties", JSONSchema, `{"minProperties":300,"type":"object","properties":{` + many(300, `"p%d":{}`, ",") + "}}", "with so many properties"},
		{"contains", JSONSchema, `{"contains":{"type":"string"},"minContains":31,"type":"array"}`, "over 30"},
	} {
		start := time.Now()
		limits := low
		if c.text == "combinations" { // which are counted by themselves
			limits.Steps = 0
		}
		_, err := Compile(c.kind, c.source, limits)
		var e *Error
		if assert.ErrorAs(t, err, &e, c.name) {
			assert.Contains(t, e.Text, c.text, c.name)
		}
		assert.Less(t, time.Since(start), 20*time.Second, c.name) // the limits make it milliseconds, wherever it runs
	}
}

// TestErrorsAreShort: names that come back in an error, and where it is, are cut.
func TestErrorsAreShort(t *testing.T) {
	long := strings.Repeat("é", 5000)
	for kind, source := range map[Kind]string{
		JSONSchema: strings.Repeat(`{"properties":{"`+long+`":`, 100) + `{"format":"` + long + `"}` + strings.Repeat("}}", 100),
		Regex:      `\p{` + long + `}`,
		GBNF:       `root ::= ` + strings.Repeat("a", 5000),
	} {
		_, err := Compile(kind, source, Limits{})
		require.Error(t, err)
		assert.Less(t, len(err.Error()), 2500, kind)
		assert.True(t, utf8.ValidString(err.Error()), kind)
	}
	_, err := Compile(JSONSchema, strings.Repeat(`{"properties":{"name":`, 100)+`{"format":"colour"}`+strings.Repeat("}}", 100), Limits{})
	require.ErrorContains(t, err, "JSON Schema: #/properties/name/")
	require.ErrorContains(t, err, "…/")
	require.ErrorContains(t, err, `/name/format: the format "colour"`)
}

// TestPauses: whoever waits for the thread gets it, while a source is compiled and while a matcher is made.
func TestPauses(t *testing.T) {
	n := 0
	g, err := Compile(JSONSchema, tools(100_000), Limits{Pause: func() { n++ }})
	require.NoError(t, err)
	assert.Greater(t, n, 10)
	n = 0
	m := g.Matcher(mixed(0))
	assert.Positive(t, n)
	n = 0
	require.NoError(t, m.Mask(make([]uint32, mixed(0).MaskWords())))
	assert.Zero(t, n)
}

// TestAlternativesShareStates: many alternatives that begin alike, and many copies of large classes, take few states.
func TestAlternativesShareStates(t *testing.T) {
	var words []string
	for i := range 20_000 {
		words = append(words, "word"+strconv.Itoa(i))
	}
	for kind, source := range map[Kind]string{Regex: strings.Join(words, "|"), GBNF: `root ::= "` + strings.Join(words, `" | "`) + `"`} {
		g, err := Compile(kind, source, Limits{})
		require.NoError(t, err)
		assert.Less(t, len(g.states), 3000, kind)
		m := g.Matcher(mixed(10))
		for _, word := range []string{"word0", "word19", "word19999"} {
			assert.True(t, accepts(m, word), word)
		}
		for _, word := range []string{"word", "word20000", "word01", "wor"} {
			assert.False(t, accepts(m, word), word)
		}
	}
	g, err := Compile(Regex, strings.Repeat(`\w`, 3000), Limits{})
	require.NoError(t, err)
	assert.Less(t, len(g.states), 200_000)
	m := g.Matcher(mixed(10))
	assert.True(t, accepts(m, strings.Repeat("aé", 1500)))
	assert.False(t, accepts(m, strings.Repeat("aé", 1501)))
	assert.False(t, accepts(m, strings.Repeat("a", 2900)+"-"+strings.Repeat("a", 99)))
}

// TestEqualSchemasAreShared: 500 tools that differ in what is said of them take no more than one.
func TestEqualSchemasAreShared(t *testing.T) {
	rules := func(copies int) int {
		var list []string
		for i := range copies {
			list = append(list, fmt.Sprintf(`{"type":"object","description":"tool %[1]d","properties":{"title":{"type":"string","maxLength":%[2]d,"title":"%[1]d"},`+
				`"next":{"$ref":"#/$defs/node"},"of":{"enum":[{"title":"a"}]}},"required":["next"]}`, i, 3+i/400))
		}
		g, err := Compile(JSONSchema, `{"anyOf":[`+strings.Join(list, ",")+`],"$defs":{"node":{"type":"array","items":{"$ref":"#/$defs/node"}}}}`, Limits{})
		require.NoError(t, err)
		return len(g.rules)
	}
	assert.Equal(t, rules(1), rules(400))
	assert.Less(t, rules(400), rules(500), "the last hundred have another maxLength")
	m := matcher(t, JSONSchema, `{"prefixItems":[{"const":{"title":1}},{"const":{"title":2}},{"properties":{"title":{"const":3}}},{"properties":{"title":{"const":4}}}],"type":"array"}`)
	assert.True(t, accepts(m, `[{"title":1},{"title":2},{"title":3},{"title":4}]`))
	assert.False(t, accepts(m, `[{"title":1},{"title":1}]`))
	assert.False(t, accepts(m, `[{"title":1},{"title":2},{"title":3},{"title":3}]`))
}

// TestCountsAreNumbers compiles counts that would not fit as copies.
func TestCountsAreNumbers(t *testing.T) {
	for _, schema := range []string{
		`{"type":"string","minLength":99000,"maxLength":100000}`,
		`{"type":"array","items":{"type":"integer"},"minItems":50000,"maxItems":100000}`,
		`{"type":"array","items":{"type":"array","items":{"type":"string","maxLength":100000},"maxItems":100000},"minItems":99999}`,
		`{"type":"string","pattern":"^(abc)*$","maxLength":100000}`,
	} {
		g, err := Compile(JSONSchema, schema, Limits{States: 1000})
		require.NoError(t, err, schema)
		require.Less(t, len(g.states), 500, schema)
	}
	for kind, source := range map[Kind]string{Regex: `[a-z]{5,100000}`, GBNF: `root ::= ("ab" | "c"){5,100000}`} {
		g, err := Compile(kind, source, Limits{})
		require.NoError(t, err)
		require.Less(t, len(g.states), 50, source)
	}
	// The end of a count is exact.
	m := matcher(t, JSONSchema, `{"type":"string","minLength":1000,"maxLength":1003}`)
	assert.True(t, m.AcceptBytes([]byte(`"`+strings.Repeat("é", 999))))
	assert.False(t, m.Clone().AcceptBytes([]byte(`"`)))
	assert.True(t, m.AcceptBytes([]byte("xyz")))
	assert.True(t, m.Clone().AcceptBytes([]byte(`"`)))
	assert.True(t, m.AcceptBytes([]byte("w")))
	assert.Equal(t, `"`, string(m.Forced()))
}

// TestAmbiguous gives up a text that can be read in too many ways, and then goes on.
func TestAmbiguous(t *testing.T) {
	g, err := Compile(Regex, `(?:a|aa|b){100,5000}`, Limits{Threads: 40})
	require.NoError(t, err)
	v := mixed(0)
	m := g.Matcher(v)
	mask := make([]uint32, v.MaskWords())
	var last error
	for range 100 {
		if last = m.Mask(mask); last != nil {
			break
		}
		if !m.Accept('a') {
			break
		}
	}
	if last == nil {
		last = m.Err()
	}
	require.ErrorContains(t, last, "too ambiguous")
	fresh := g.Matcher(v)
	require.NoError(t, fresh.Mask(mask))
	require.True(t, fresh.Accept('b'))
}

// TestForcedIsBounded: looking for what is forced takes a bounded share of work, and what fails there fails nobody else.
func TestForcedIsBounded(t *testing.T) {
	g, err := Compile(Regex, `(?:a|aa){10000}|b{9000}`, Limits{})
	require.NoError(t, err)
	m := g.Matcher(mixed(0))
	other := m.Clone()
	require.True(t, m.Accept('a'))
	require.True(t, other.Accept('b'))
	forced := m.Forced()
	assert.NotEmpty(t, forced)
	assert.Less(t, len(forced), 1000, "each byte takes more ways than the one before")
	assert.Len(t, other.Forced(), longestForced)
	assert.True(t, m.AcceptBytes(forced))

	g, err = Compile(Regex, `(?:a|aa){10000}|b{9000}`, Limits{Threads: 20})
	require.NoError(t, err)
	m = g.Matcher(mixed(0))
	other = m.Clone()
	require.True(t, m.Accept('a'))
	assert.NotEmpty(t, m.Forced())
	assert.True(t, other.Accept('b'), "it is not ambiguous")
	assert.NoError(t, other.Err())
}

// TestManyCallsAtOnce: a choice of very many rules takes no more time for each than one of few.
func TestManyCallsAtOnce(t *testing.T) {
	var rules, names []string
	for i := range 40_000 {
		names = append(names, fmt.Sprintf("r%d", i))
		rules = append(rules, fmt.Sprintf(`r%[1]d ::= "x%[1]d"`, i))
	}
	start := time.Now()
	g, err := Compile(GBNF, "root ::= "+strings.Join(names, "|")+"\n"+strings.Join(rules, "\n"), Limits{})
	require.NoError(t, err)
	m := g.Matcher(mixed(0))
	assert.True(t, accepts(m, "x39999"))
	assert.False(t, accepts(m, "x40000"))
	assert.Less(t, time.Since(start), 20*time.Second) // it took minutes; now less than one second
}

// TestAmbiguousFromTheStart tells of texts that can begin in too many ways before one is drawn.
func TestAmbiguousFromTheStart(t *testing.T) {
	var names, rules []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("r%d", i))
		rules = append(rules, fmt.Sprintf(`r%[1]d ::= [a-z] "x%[1]d"`, i))
	}
	g, err := Compile(GBNF, "root ::= "+strings.Join(names, "|")+"\n"+strings.Join(rules, "\n"), Limits{Threads: 90})
	require.NoError(t, err)
	assert.ErrorContains(t, g.Matcher(mixed(0)).Err(), "too ambiguous")
}

// TestLargeClasses: a class of very many characters, and many classes, take no more time for each than few.
func TestLargeClasses(t *testing.T) {
	var every strings.Builder
	for r := rune(0x10000); r < 0x20000; r += 2 {
		every.WriteRune(r)
	}
	start := time.Now()
	for kind, source := range map[Kind]string{Regex: "[" + every.String() + "]{2}", GBNF: "root ::= [" + every.String() + "]{2}"} {
		g, err := Compile(kind, source, Limits{})
		require.NoError(t, err)
		m := g.Matcher(mixed(0))
		assert.True(t, accepts(m, "\U00010000\U0001FFFE"))
		assert.False(t, accepts(m, "\U00010000\U0001FFFD"))
	}
	g, err := Compile(Regex, strings.Repeat(`[\w\s-]\p{L}`, 4000), Limits{})
	require.NoError(t, err)
	m := g.Matcher(mixed(0))
	assert.True(t, accepts(m, strings.Repeat("-ü", 4000)))
	assert.False(t, accepts(m, strings.Repeat("-ü", 3999)+"é-"))
	assert.Less(t, time.Since(start), 20*time.Second) // it took minutes; now less than one second
}
