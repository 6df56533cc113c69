package grammar

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// accepts tells whether a text belongs to a grammar.
func accepts(m *Matcher, text string) bool {
	m = m.Clone()
	return m.AcceptBytes([]byte(text)) && m.Accepting()
}

func matcher(t testing.TB, kind Kind, source string) *Matcher {
	t.Helper()
	g, err := Compile(kind, source, Limits{})
	require.NoError(t, err, source)
	return g.Matcher(mixed(300))
}

func TestSchemas(t *testing.T) {
	for _, c := range []struct {
		schema   string
		yes, not []string
	}{
		{`true`, []string{`1`, `"a"`, `[1, {"a":null}]`, `-1.5e-7`, "{\n  \"a\": [\n    1\n  ]\n}"},
			[]string{``, `01`, `[1,]`, `"\x"`, `"\ud800"`, `1e999`, ` 1`, `[1 ,2]`, "\"\xff\"", "\"\n\""}},
		{`{"type":"object","properties":{"a":{"type":"integer","minimum":-5,"maximum":120},"b":{"type":"string","maxLength":3}},"required":["a"],"additionalProperties":false}`,
			[]string{`{"a": 119, "b":"xy\n"}`, `{"a":-5}`, `{"a":-0}`, `{"a":0,"b":"日本語"}`, `{"a":0,"b":"\ud83d\ude00aa"}`, `{"a":0,"b":"\ud83d\ude00\uDBFF\uDfffz"}`},
			[]string{`{"a":0,"b":"\ud83d\ude00aaa"}`, `{"b":"x"}`, `{"b":"x","a":1}`, `{"a":121}`, `{"a":-6}`, `{"a":1,"b":"xxxx"}`, `{}`, `{"a":1,"c":2}`, `{"a":01}`, `{"a":0,"b":"日本語x"}`, `{"a":1.0}`}},
		{`{"enum":["a",1,null,{"x":[1,2]}]}`, []string{`"a"`, `1`, `null`, `{"x":[1, 2]}`}, []string{`"b"`, `2`, `{"x":[1]}`}},
		{`{"const":"\u0001\"é"}`, []string{`"\u0001\"é"`}, []string{"\"\x01\\\"é\"", `"é"`}},
		{`{"type":"array","items":{"$ref":"#"},"maxItems":3}`, []string{`[]`, `[[],[[]]]`, `[[],[],[]]`}, []string{`[[],[],[],[]]`, `[1]`}},
		{`{"type":"array","items":{"type":"null"},"minItems":2}`, []string{`[null,null]`, `[null, null,null]`}, []string{`[]`, `[null]`}},
		{`{"type":"string","pattern":"^a+b?$","minLength":3}`, []string{`"aab"`, `"aaa"`}, []string{`"ab"`, `"aabb"`, `"aa"`}},
		{`{"type":"string","pattern":"b\\d"}`, []string{`"b1"`, `"xb1\n"`}, []string{`"b"`, `""`, `"b٣"`}},
		{`{"type":"string","pattern":"^a|b$"}`, []string{`"ax"`, `"xb"`, `"ab"`}, []string{`"xa"`, `"bx"`}},
		{`{"type":"string","minLength":2,"maxLength":2}`, []string{`"😀é"`, `"\n\u00e9"`}, []string{`"a"`, `"abc"`}},
		{`{"type":"number","multipleOf":0.25,"exclusiveMinimum":0}`, []string{`0.25`, `1`, `1.50`, `7.750`}, []string{`0`, `0.1`, `-1`, `0.0`, `1.6`, `1e1`}},
		{`{"type":"integer","multipleOf":7}`, []string{`0`, `-7`, `49`, `7000000000000000000021`}, []string{`1`, `6`, `50`}},
		{`{"minimum":1.5,"exclusiveMaximum":10,"type":"number"}`, []string{`1.5`, `1.50`, `9.999`, `2`}, []string{`1.49`, `10`, `10.0`, `1`, `-2`, `11`}},
		{`{"maximum":-1.5,"exclusiveMinimum":-100,"type":"number"}`, []string{`-1.5`, `-99.9`, `-2`}, []string{`-1.4`, `-100`, `0`, `-100.0`, `-0`}},
		{`{"exclusiveMaximum":0,"type":"number"}`, []string{`-1`, `-0.1`}, []string{`0`, `-0`, `-0.0`, `1`}},
		{`{"anyOf":[{"type":"string"},{"type":"null"}]}`, []string{`"a"`, `null`}, []string{`1`}},
		{`{"oneOf":[{"type":"integer"},{"minimum":2}]}`, []string{`1`, `2.5`, `"x"`}, []string{`3`, `3.0`, `1.5`}},
		{`{"not":{"type":"string"}}`, []string{`1`, `[]`, `{"a":"b"}`}, []string{`"a"`}},
		{`{"not":{"required":["a"]}}`, []string{`{"b":1}`, `{}`}, []string{`1`, `{"a":1}`, `{"b":1,"a":2}`}},
		{`{"not":{"const":1}}`, []string{`2`, `1.5`, `"1"`, `11`}, []string{`1`, `1.0`}},
		{`{"not":{"enum":["ab","c"]},"type":"string"}`, []string{`"a"`, `"abc"`, `""`}, []string{`"ab"`, `"c"`}},
		{`{"type":"object","minProperties":1,"maxProperties":2,"properties":{"a":{},"b":{},"c":{}},"additionalProperties":false}`,
			[]string{`{"a":1}`, `{"b":1,"c":1}`}, []string{`{}`, `{"a":1,"b":1,"c":1}`}},
		{`{"type":"object","properties":{"a":{}},"minProperties":2}`, []string{`{"a":1,"x":2}`, `{"a":1,"x":2,"x":3}`}, []string{`{"x":1,"x":2}`, `{"a":1}`}},
		{`{"type":"object","minProperties":2,"maxProperties":3,"properties":{"a":{},"b":{}}}`,
			[]string{`{"a":1,"b":2}`, `{"a":1,"x":2,"y":3}`, `{"b":1,"x":1}`}, []string{`{"x":1,"x":2}`, `{"a":1}`, `{"a":1,"b":1,"x":1,"y":1}`}},
		{`{"type":"object","minProperties":2,"properties":{"a":{},"b":{}},"required":["b"]}`, []string{`{"a":1,"b":2}`, `{"b":2,"x":3}`}, []string{`{"b":1}`}},
		{`{"maxLength":2147483647,"maxItems":1e20,"maxProperties":9007199254740991}`, []string{`"a"`, `[1]`, `{"a":1}`}, nil},
		{`{"type":"object","maxProperties":1}`, []string{`{}`, `{"a":1}`}, []string{`{"a":1,"b":1}`}},
		{`{"type":"object","patternProperties":{"^x":{"type":"integer"}},"additionalProperties":{"type":"boolean"}}`,
			[]string{`{"x":1}`, `{"y":true,"xx":2}`, `{}`}, []string{`{"x":true}`, `{"y":1}`}},
		{`{"type":"object","propertyNames":{"maxLength":2},"properties":{"abc":{},"ab":{}}}`, []string{`{"ab":1}`, `{"x":1}`}, []string{`{"abc":1}`, `{"xyz":1}`}},
		{`{"type":"object","propertyNames":{"minLength":3,"maxLength":1}}`, []string{`{}`}, []string{`{"a":1}`, `{"abc":1}`}},
		{`{"allOf":[{"properties":{"a":{"type":"integer"}}},{"required":["a"],"type":"object"}]}`, []string{`{"a":1}`, `{"a":1,"b":[]}`}, []string{`{}`, `{"a":"x"}`}},
		{`{"type":"object","properties":{"a":{}},"allOf":[{"properties":{"b":{}}},{"properties":{"c":{}},"allOf":[{"properties":{"d":{}}}]},{"properties":{"e":{}}}]}`,
			[]string{`{"a":1,"b":1,"c":1,"d":1,"e":1}`}, []string{`{"c":1,"b":1}`, `{"e":1,"a":1}`}},
		{`{"allOf":[{"type":"string","pattern":"^a"},{"pattern":"b$","maxLength":3}]}`, []string{`"ab"`, `"axb"`}, []string{`"a"`, `"axxb"`, `"xb"`}},
		{`{"if":{"properties":{"k":{"const":1}},"required":["k"]},"then":{"required":["x"]},"else":{"required":["y"]},"type":"object","properties":{"k":{"type":"integer"}}}`,
			[]string{`{"k":1,"x":0}`, `{"k":2,"y":0}`, `{"y":0}`}, []string{`{"k":1,"y":0}`, `{"k":2,"x":0}`, `{}`}},
		{`{"dependentRequired":{"a":["b"]},"type":"object"}`, []string{`{}`, `{"b":1}`, `{"a":1,"b":1}`}, []string{`{"a":1}`}},
		{`{"oneOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}],"discriminator":{"propertyName":"k","mapping":{"a":"#/$defs/a","b":"#/$defs/b"}},"$defs":{"a":{"type":"object","properties":{"k":{"const":"a"}},"required":["k"],"xml":{"name":"a"}},"b":{"type":"object","properties":{"k":{"const":"b"}},"required":["k"]}}}`,
			[]string{`{"k":"a"}`, `{"k":"b","c":1}`}, []string{`{"k":"c"}`, `{}`}},
		{`{"type":"string","format":"uri-reference"}`, []string{`""`, `"/a//b?c"`, `"http://a:80//b#c"`, `"#a"`, `"a"`, `"../b/c:d?e"`}, []string{`"//a:b"`, `"//%41"`, `"1:b"`, `"a b"`}},
		{`{"type":"string","format":"hostname"}`, []string{`"a"`, `"a-b.c0-1"`}, []string{`"xn--a"`, `"a--b"`, `"-a"`, `"a-"`, `""`}},
		{`{"type":"string","not":{"format":"uri"}}`, []string{`"a b"`, `"/x"`}, []string{`"http://a"`, `"mailto:a@b.c"`, `"a:#\n"`}},
		{`{"oneOf":[{"const":"auto"},{"type":"string","format":"uri"}]}`, []string{`"auto"`, `"http://a"`}, []string{`"b"`}},
		{`{"type":"number","exclusiveMinimum":false,"exclusiveMaximum":true,"maximum":5}`, []string{`4.9`, `-1`}, []string{`5`, `6`}},
		{`{"type":"number","exclusiveMinimum":true,"minimum":5,"exclusiveMaximum":true,"maximum":7}`, []string{`6`, `5.5`}, []string{`5`, `7`}},
		{`{"type":"integer","enum":[1e-99999999,1.0,20e1]}`, []string{`1`, `1.0`, `200`, `20e1`}, []string{`1e-99999999`}},
		{`{"multipleOf":1234567890123456789,"enum":[2469135780246913578,2469135780246913579]}`, []string{`2469135780246913578`}, []string{`2469135780246913579`}},
		{`{"type":"array","prefixItems":[{}],"maxItems":0}`, []string{`[]`}, []string{`[ ]`, `[1]`}},
		{`{"$id":"http://a/b","properties":{"enum":{"$id":"c","properties":{"x":{"$ref":"#/$defs/t"}},"$defs":{"t":{"type":"null"}}}},"$defs":{"t":{"type":"integer"}},"type":"object"}`,
			[]string{`{"enum":{"x":null}}`}, []string{`{"enum":{"x":1}}`}},
		{`{"type":"object","allOf":[{"properties":{"a":{}}},{"patternProperties":{"^x":{}}}],"properties":{"b":{}},"unevaluatedProperties":false}`,
			[]string{`{}`, `{"b":1,"a":2,"x1":3}`}, []string{`{"c":1}`, `{"a":1,"y":1}`}},
		{`{"type":"object","properties":{"k":{"enum":[1,2]}},"if":{"properties":{"k":{"const":1}},"required":["k"]},"then":{"properties":{"x":{}}},"else":{"properties":{"y":{}}},"unevaluatedProperties":{"type":"null"}}`,
			[]string{`{"k":1,"x":5}`, `{"k":2,"y":5}`, `{"k":1,"y":null}`}, []string{`{"k":1,"y":5}`, `{"k":2,"x":5}`, `{"z":1}`}},
		{`{"type":"object","anyOf":[{"properties":{"a":{"type":"null"}},"required":["a"]},{"properties":{"b":{"type":"null"}},"required":["b"]}],"unevaluatedProperties":false}`,
			[]string{`{"a":null}`, `{"b":null}`, `{"a":null,"b":null}`}, []string{`{}`, `{"a":null,"b":1}`, `{"a":null,"c":1}`}},
		{`{"type":"object","$ref":"#/$defs/t","unevaluatedProperties":false,"$defs":{"t":{"properties":{"a":{}},"dependentSchemas":{"a":{"properties":{"b":{}}}}}}}`,
			[]string{`{"a":1}`, `{"a":1,"b":2}`}, []string{`{"b":2}`}},
		{`{"type":"object","allOf":[{"unevaluatedProperties":{"type":"integer"}}],"unevaluatedProperties":false}`, []string{`{"a":1}`}, []string{`{"a":"x"}`}},
		{`{"type":"array","prefixItems":[{}],"contains":{"type":"string"},"anyOf":[{"prefixItems":[{},{"type":"null"}]},{"minItems":1}],"unevaluatedItems":{"type":"boolean"}}`,
			[]string{`["a"]`, `[1,"a",true]`, `[1,null,"b"]`, `["a",true]`}, []string{`[1]`, `[1,2,"a"]`, `[1,"a",null]`}},
		{`{"enum":[{"a":1},{"b":1},[1],[]],"properties":{"a":{}},"unevaluatedProperties":false,"unevaluatedItems":false}`, []string{`{"a":1}`, `[]`}, []string{`{"b":1}`, `[1]`}},
		{`{"type":"object","properties":{"l":{"$id":"Node","type":"object","description":"left","properties":{"k":{"type":"array","items":{"$ref":"Node"}}},"required":["k"],"additionalProperties":false},"r":{"$id":"Node","type":"object","description":"right","properties":{"k":{"type":"array","items":{"$ref":"Node"}}},"required":["k"],"additionalProperties":false}}}`,
			[]string{`{"l":{"k":[{"k":[]}]},"r":{"k":[]}}`}, []string{`{"l":{"k":[1]}}`, `{"r":{"k":[{}]}}`}}, // copies of one schema may have its name
		{`{"$defs":{"a":{"$id":"n","type":"null","$defs":{"x":{"type":"null"}}},"b":{"$id":"n","type":"null","$defs":{"x":{"type":"null","title":"b"}}}},"items":{"$ref":"n#/$defs/x"},"type":"array"}`, []string{`[null]`}, []string{`[1]`}},
		{`{"properties":{"title":{"enum":["a"],"description":"\ud83d","examples":[{"a":"\ud83d"}]}},"default":{"title":"\udfff"},"title":"\"\ud83d","type":"object"}`,
			[]string{`{"title":"a"}`}, []string{`{"title":"b"}`}}, // annotations may be cut anywhere
		{`{"format":"hostname","enum":["xn--bcher-kva.de","a"]}`, []string{`"xn--bcher-kva.de"`}, nil},
		{`{"format":"email","enum":["a@xn--bcher-kva.de"]}`, []string{`"a@xn--bcher-kva.de"`}, nil},
		{`{"format":"uri","const":"https://xn--bcher-kva.de/a"}`, []string{`"https://xn--bcher-kva.de/a"`}, nil},
		{`{"format":"hostname","type":"string"}`, []string{`"a-b.de"`}, []string{`"xn--bcher-kva.de"`, `"a--b"`}},
		{`{"format":"date"}`, []string{`"2024-02-29"`, `3`}, []string{`"2023-02-29"`, `"x"`}},
		{`{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"},"minItems":2}`,
			[]string{`[1,"a"]`, `[1,"a",null]`}, []string{`[1]`, `[]`, `[1,"a",1]`}},
		{`{"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#t"},{"type":"null"}]}},"required":["v","next"],"additionalProperties":false,"$anchor":"t"}}}`,
			[]string{`{"v":1,"next":{"v":2,"next":null}}`}, []string{`{"v":1}`, `{"v":1,"next":{}}`}},
		{`{"type":"array","$dynamicAnchor":"a","items":{"$dynamicRef":"#a"}}`, []string{`[]`, `[[],[[]]]`}, []string{`[1]`}},
		{`{"type":"array","contains":{"const":1},"items":{"type":"integer"},"maxItems":3}`, []string{`[1]`, `[2,1]`, `[1,1,1]`, `[3,4,1]`}, []string{`[]`, `[2]`, `[2,2,2,1]`, `["a",1]`}},
		{`{"type":"array","contains":{"type":"string"},"minContains":2,"maxContains":2,"minItems":3}`, []string{`["a",1,"b"]`, `["a","b",null,1]`}, []string{`["a","b"]`, `["a","b","c"]`, `[1,2,"a"]`}},
		{`{"type":"array","prefixItems":[{"type":"null"}],"contains":{"type":"integer"},"minContains":0,"maxContains":1}`, []string{`[]`, `[null]`, `[null,1,"a"]`}, []string{`[1]`, `[null,1,2]`}},
		{`{"type":"array","uniqueItems":true,"items":{"enum":["a","b",1]}}`, []string{`[]`, `["b",1,"a"]`, `[1]`}, []string{`["a","a"]`, `[1,"a",1]`}},
		{`{"type":"array","uniqueItems":true,"minItems":2,"prefixItems":[{"type":"boolean"}],"items":{"type":["null","boolean"]}}`, []string{`[true,null]`, `[false,true,null]`}, []string{`[true]`, `[null,true]`, `[true,true]`}},
		{`{"not":{"enum":[[1],{"a":[]}]},"type":["array","object"]}`, []string{`[]`, `[2]`, `[1,1]`, `{}`, `{"a":1}`, `{"a":[0]}`}, []string{`[1]`, `{"a":[]}`, `[1.0]`}},
		{`{"not":{"const":{"a":1,"a":2}},"type":"object"}`, []string{`{"a":1}`, `{}`}, []string{`{"a":2}`}}, // the last counts
		{`{"enum":[{"a":1,"a":2},{"a":1,"b":2}],"minProperties":2}`, []string{`{"a":1,"b":2}`}, []string{`{"a":1,"a":2}`}},
		{`{"type":["array","number"],"not":{"enum":[[1],{"a":1}]},"items":{"$ref":"#"}}`, []string{`[[2]]`, `[1,1]`, `[]`}, []string{`[1]`, `[2,[1]]`}},
		{conditions(40), []string{`{"k":3,"r3":1}`, `{"k":39,"r39":null,"x":1}`, `{"k":77}`, `{}`, `{"r3":1}`}, []string{`{"k":3}`, `{"k":3,"r4":1}`, `{"k":"3"}`}},
		{`{"oneOf":[` + strings.Repeat(`{"const":1},`, 2) + `{"const":2},{"const":[2]}]}`, []string{`2`, `[2]`}, []string{`1`}},
		{`{"oneOf":[{"enum":[1,2]},{"const":2.5},{"enum":["1",null]}]}`, []string{`1`, `2`, `2.5`, `"1"`, `null`}, []string{`3`}},
		{`{"type":"array","then":{"$ref":"#"},"else":{"$ref":"#"}}`, []string{`[]`}, []string{`1`}}, // without if they say nothing
		{`{"type":"string","pattern":"^(ab)*$","minLength":1,"maxLength":3}`, []string{`"ab"`}, []string{`""`, `"a"`, `"aba"`, `"abab"`}},
	} {
		m := matcher(t, JSONSchema, c.schema)
		for _, text := range c.yes {
			assert.True(t, accepts(m, text), "%s: %s", c.schema, text)
		}
		for _, text := range c.not {
			assert.False(t, accepts(m, text), "%s: %s", c.schema, text)
		}
	}
}

// conditions is a schema of objects that need another property for each value of one.
func conditions(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"if":{"properties":{"k":{"const":%[1]d}},"required":["k"]},"then":{"required":["r%[1]d"]}}`, i))
	}
	return `{"type":"object","properties":{"k":{"type":"integer"}},"allOf":[` + strings.Join(list, ",") + `]}`
}

// TestPruned has texts that would lead nowhere.
func TestPruned(t *testing.T) {
	m := matcher(t, JSONSchema, `{"type":"string","pattern":"^(abc)*$","minLength":2,"maxLength":5}`)
	assert.True(t, m.AcceptBytes([]byte(`"abc`)))
	assert.False(t, m.Clone().AcceptBytes([]byte(`a`)), "only 6 characters could follow")
	assert.Equal(t, `"`, string(m.Forced()))
	m = matcher(t, JSONSchema, `{"anyOf":[{"type":"object","properties":{"a":false},"required":["a"]},{"type":"array","items":false,"minItems":1},{"const":"x"}]}`)
	assert.Equal(t, `"x"`, string(m.Forced()))
	m = matcher(t, GBNF, "root ::= \"a\" | x y\nx ::= \"b\"\ny ::= \"c\" y")
	assert.Equal(t, `a`, string(m.Forced()), "no text ends behind b")
}

func TestRefusedSchemas(t *testing.T) {
	for _, c := range []struct{ schema, where, text string }{
		{`{`, ``, `ends too early`},
		{`{"type":"strin"}`, `#/type`, `must be null, boolean`},
		{`{"properties":{"a":{"maxLenght":3}}}`, `#/properties/a/maxLenght`, `not supported`},
		{`{"$dynamicRef":"#a"}`, `#/$dynamicRef`, `not in the schema`},
		{`{"$dynamicAnchor":"a","items":{"$dynamicRef":"#a"},"$defs":{"b":{"$dynamicAnchor":"a"}}}`, `#/items/$dynamicRef`, `several schemas`},
		{`{"not":{"unevaluatedProperties":false}}`, `#/not/unevaluatedProperties`, `must not hold`},
		{`{"unevaluatedProperties":false,"anyOf":[` + strings.Repeat(`{"required":["a"]},`, 9) + `{}]}`, `#/anyOf`, `too many alternatives`},
		{`{"properties":{"a/b":{"format":"foo"}}}`, `#/properties/a~1b/format`, `"foo" is not supported`},
		{`{"pattern":"(?=a)"}`, `#/pattern, character 1`, `looking ahead`},
		{`{"pattern":"a\\1"}`, `#/pattern, character 2`, `refers back`},
		{`{"pattern":"[[:alpha:]]"}`, `#/pattern, character 2`, `[:alpha:] is not supported`},
		{`{"pattern":"\\x{41}"}`, `#/pattern, character 1`, `\x is not supported`},
		{`{"pattern":"\\p{x=Lu}"}`, `#/pattern, character 3`, `"x=Lu" of Unicode`},
		{`{"patternProperties":{"a/(":{}}}`, `#/patternProperties/a~1(, character 4`, `not closed`},
		{`{"enum":["mailto:a@b.c"],"format":"uri"}`, `#/format`, `"mailto:a@b.c" has it is not known`},
		{`{"enum":[1e300],"multipleOf":12345678901234567891}`, `#/multipleOf`, `too many digits`},
		{`{"contains":{"type":"null"},"prefixItems":[` + strings.Repeat("{},", 200) + `{}]}`, `#/contains`, `more than 200 prefixItems`},
		{`{"enum":["é",{"\ud83d\ude00":"\ud83d x"}]}`, `character 31`, `\ud83d is half`},
		{`{"properties":{"\udfff\ud83d":{}}}`, `character 17`, `\udfff is half`},
		{`{"$defs":{"a":{"$anchor":"n","type":"null"},"b":{"$anchor":"n","type":"integer"}},"items":{"$ref":"#n"}}`, `#/items/$ref`, `two schemas are called`},
		{`{"$defs":{"a":{"$id":"n","type":"null"},"b":{"$id":"n"}},"items":{"$ref":"n#/type"}}`, `#/items/$ref`, `two schemas are called`},
		{`{"$defs":{"a":{"$anchor":"n","type":"null"},"b":{"$anchor":"n","$dynamicAnchor":"n"}},"items":{"$ref":"#n"}}`, `#/items/$ref`, `two schemas are called`},
		{`{"$defs":{"a":{"$id":"n","$defs":{"x":{"type":"null"}}},"b":{"$id":"n","$defs":{"x":{}}}},"items":{"$ref":"n#/$defs/x"}}`, `#/items/$ref`, `two schemas are called`},
		{`{"$id":"n","type":"array","$defs":{"a":{"$id":"n"}},"items":{"$ref":"n"}}`, `#/items/$ref`, `two schemas are called`},
		{`{"$defs":{"a":{"$id":"n"}},"contentSchema":{"$id":"n","type":"null"},"items":{"$ref":"n"}}`, `#/items/$ref`, `two schemas are called`},
		{`{"properties":{"title":{"title":"\ud83d","const":{"title":"\ud83d"}}}}`, `character 60`, `\ud83d is half`},
		{`{"title":"\ud83d","$defs":{"a":{"const":"\ud83d"}}}`, `character 42`, `\ud83d is half`},
		{`{"prefixItems":[{}],"additionalItems":false}`, `#/additionalItems`, `beside prefixItems`},
		{`{"type":"integer","exclusiveMinimum":true}`, `#/exclusiveMinimum`, `no bound`},
		{`{"maximum":3,"exclusiveMinimum":true}`, `#/exclusiveMinimum`, `no bound`},
		{`{"dependentRequired":{"a":{"required":["b"]}}}`, `#/dependentRequired/a`, `list of names`},
		{`{"dependentSchemas":{"a":["b"]}}`, `#/dependentSchemas/a`, `must be an object`},
		{`{"title description":""}`, `#/title description`, `not supported`},
		{`{"$ref":"#/$defs/x"}`, `#/$ref`, `not in the schema`},
		{`{"$ref":"https://example.com/x"}`, `#/$ref`, `not in the schema`},
		{`{"$ref":"#"}`, `#`, `itself`},
		{`{"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"allOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}`, `#/$defs/a`, `itself`},
		{`{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}`, `#`, `never ends`},
		{`{"type":"object","properties":{"a":{"type":"string","minLength":3,"maxLength":2}},"required":["a"]}`, `#/properties/a`, `nothing can satisfy`},
		{`{"type":"integer","minimum":3,"maximum":2}`, `#`, `nothing can satisfy`},
		{`{"type":"integer","minimum":0.1,"maximum":0.9}`, `#`, `nothing can satisfy`},
		{`{"properties":{"a":{"minimum":"1"}}}`, `#/properties/a/minimum`, `must be a number`},
		{`{"minLength":2147483647}`, `#/minLength`, `below 1,000,000,000`},
		{`{"maxLength":-1}`, `#/maxLength`, `0 or more`},
		{`{"required":[1]}`, `#/required/0`, `must be a text`},
		{`{"properties":{"a":{"type":"array","uniqueItems":true,"items":{"type":"string"}}}}`, `#/properties/a/uniqueItems`, `only for items`},
		{`{"contains":{},"minContains":1000,"type":"array"}`, `#/contains`, `counts over 30`},
		{`{"contains":{},"minContains":3,"maxItems":2,"type":"array"}`, `#`, `nothing can satisfy`},
		{`false`, `#`, `nothing can satisfy`},
		{`{"allOf":[{"type":"string"},{"type":"null"}]}`, `#`, `nothing can satisfy`},
		{`{"multipleOf":0.0000001,"type":"number","maximum":1e7}`, ``, ``},
		{`{"multipleOf":123456789}`, `#/multipleOf`, `more than`},
	} {
		_, err := Compile(JSONSchema, c.schema, Limits{})
		if c.text == "" {
			require.NoError(t, err, c.schema)
			continue
		}
		var e *Error
		require.ErrorAs(t, err, &e, c.schema)
		assert.Equal(t, c.where, e.Where, c.schema)
		assert.Contains(t, e.Text, c.text, c.schema)
		assert.True(t, strings.HasPrefix(err.Error(), "JSON Schema: "))
	}
}
