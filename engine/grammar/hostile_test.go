package grammar

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// hostile are sources that cost as much as such can: most are refused, by a limit.
func hostile() map[string]func() (Kind, string) {
	each := func(n int, between string, item func(i int) string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = item(i)
		}
		return strings.Join(list, between)
	}
	many := func(n int, between, format string) string {
		return each(n, between, func(i int) string { return fmt.Sprintf(format, i) })
	}
	of := func(kind Kind, source func() string) func() (Kind, string) {
		return func() (Kind, string) { return kind, source() }
	}
	schema := func(open string, n int, format, closing string) func() (Kind, string) {
		return of(JSONSchema, func() string { return open + many(n, ",", format) + closing })
	}
	repeated := func(text string) func() (Kind, string) {
		return of(Regex, func() string { return strings.Repeat(text, 1_000_000/len(text)) })
	}
	return map[string]func() (Kind, string){
		"tools":                of(JSONSchema, func() string { return tools(999_000) }),
		"values":               schema(`{"enum":[`, 130_000, "%d", "]}"),
		"value":                schema(`{"const":[`, 130_000, "%d", "]}"),
		"properties":           schema(`{"type":"object","properties":{`, 34_000, `"p%d":{"type":"string"}`, "}}"),
		"different properties": schema(`{"type":"object","properties":{`, 19_000, `"p%[1]d":{"type":"string","maxLength":1%[1]d}`, "}}"),
		"required":             schema(`{"type":"object","required":[`, 100_000, `"p%d"`, "]}"),
		"names":                schema(`{"type":"object","propertyNames":{"enum":[`, 20_000, `"n%d"`, "]}}"),
		"bounds":               schema(`{"anyOf":[`, 23_000, `{"type":"number","minimum":%d}`, "]}"),
		"bounds at once":       schema(`{"allOf":[`, 2000, `{"type":"number","minimum":%d}`, "]}"),
		"patterns":             schema(`{"anyOf":[`, 45_000, `{"pattern":"a%d"}`, "]}"),
		"patterns at once":     of(JSONSchema, func() string { return `{"allOf":[{"pattern":"(a|b)*a[a-u]{9000}$"},{"pattern":"b"}]}` }),
		"names by patterns":    schema(`{"type":"object","patternProperties":{`, 10, `"\\p{L}%d\\p{N}":{"minLength":%[1]d}`, "}}"),
		"pattern":              of(JSONSchema, func() string { return `{"enum":["` + strings.Repeat("a", 900_000) + `"],"pattern":"(a?){1000}b?$"}` }),
		"one of many":          schema(`{"oneOf":[`, 3000, `{"type":"string","minLength":%d}`, "]}"),
		"one of many objects":  schema(`{"oneOf":[`, 1500, `{"type":"object","required":["k"],"properties":{"k":{"const":"v%d"}}}`, "]}"),
		"conditions":           of(JSONSchema, func() string { return conditions(300) }),
		"not many objects":     schema(`{"not":{"properties":{`, 3000, `"p%[1]d":{"minLength":%[1]d}`, "}}}"),
		"not many places":      schema(`{"not":{"prefixItems":[`, 3000, `{"minLength":%d}`, "]}}"),
		"many counted":         schema(`{"prefixItems":[`, 60, `{"minProperties":200,"properties":{"p%d":{},`+many(240, ",", `"p%%[1]d-%d":{}`)+"}}", "]}"),
		"lengths":              schema(`{"anyOf":[`, 60, `{"pattern":"^((aa|a{1%[1]d}b){7}|c{20%[1]d})*$","minLength":90000,"maxLength":900%[1]d}`, "]}"),
		"a long way": of(JSONSchema, func() string {
			return strings.Repeat(`{"properties":{"`+strings.Repeat("n", 2000)+`":`, 240) + `{"anyOf":[` + many(4000, ",", `{"const":%d}`) + "]}" + strings.Repeat("}}", 240)
		}),
		"literal":            repeated("ab"),
		"stars":              repeated("a*"),
		"dots":               repeated("."),
		"groups":             repeated("(a|b)"),
		"places":             repeated("(^|a)"),
		"classes":            repeated(`\w`),
		"folded classes":     of(Regex, func() string { return "(?i)" + strings.Repeat(`[\p{L}]`, 20_000) }),
		"what may be empty":  of(Regex, func() string { return strings.Repeat("(a?b?){50}", 10_000) }),
		"copies":             of(Regex, func() string { return "((^a{90}){90}){90}" }),
		"rule after rule":    of(GBNF, func() string { return "a ::= \"a\"?\nroot ::= " + strings.Repeat("a ", 490_000) }),
		"marks":              of(GBNF, func() string { return "root ::= %free(" + many(3000, ",", `"mark%d"`) + ")" }),
		"a schema many ways": of(GBNF, func() string { return "%schema s " + tools(90_000) + "\nroot ::= " + many(40, "|", `%%json(s, "m%d")`) }),
		"empty rules": of(GBNF, func() string {
			return "root ::= r0\n" + each(500, "\n", func(i int) string {
				return fmt.Sprintf(`r%d ::= "c" | `, i) + each(499-i, " ", func(j int) string { return fmt.Sprintf("r%d?", i+1+j) })
			})
		}),
	}
}

// BenchmarkHostile says how much of a core's time each of them takes, and how it ends: within a second.
func BenchmarkHostile(b *testing.B) {
	for name, make := range hostile() {
		b.Run(name, func(b *testing.B) {
			kind, source := make()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var spent time.Duration
			for b.Loop() {
				start := threadTime()
				_, err := Compile(kind, source, Limits{})
				spent += threadTime() - start
				b.Logf("%d bytes: %v", len(source), err)
			}
			b.ReportMetric(float64(spent.Milliseconds())/float64(b.N), "ms")
		})
	}
}
