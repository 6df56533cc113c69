// Package grammartest makes random schemas for tests, and holds texts to them.
package grammartest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// Schemas makes random schemas: every keyword that is supported comes up at every depth.
type Schemas struct{ *rand.Rand }

type object = map[string]any

// Name is a property's name.
func (r Schemas) Name() string { return []string{"a", "b", "ab", "c", "x1", "é\"", "x2"}[r.IntN(7)] }

func (r Schemas) some(n int, each func()) {
	for range 1 + r.IntN(n) {
		each()
	}
}

func (r Schemas) schema(depth int) any {
	switch k := r.IntN(20); {
	case k == 0:
		return true
	case k == 1 && depth < 5:
		return []object{{"$ref": "#/$defs/list"}, {"$ref": "#/$defs/leaf"}, {"$ref": "#tree"}, {"$ref": "pair.json"}, {"$dynamicRef": "#bush"}}[r.IntN(5)]
	case k < 6 && depth > 0:
		return r.combined(depth)
	case depth <= 0 || k < 12:
		return r.scalar()
	case k < 15:
		return r.array(depth)
	}
	return r.object(depth)
}

func (r Schemas) scalar() object {
	s := object{}
	switch r.IntN(6) {
	case 0:
		s["type"] = []any{"null", "boolean", []string{"boolean", "null"}}[r.IntN(3)]
	case 1:
		s["enum"] = []any{"a", 1, nil, true, 2.5, "x1", []any{1, "b"}, object{"a": 1}}[r.IntN(4) : 4+r.IntN(5)]
	case 2:
		s["const"] = []any{"a", 1, -2.5, nil, false, []any{}, object{"b": []any{nil}}}[r.IntN(7)]
	case 3:
		r.text(s)
	default:
		r.number(s)
	}
	return s
}

func (r Schemas) number(s object) {
	s["type"] = []string{"integer", "number"}[r.IntN(2)]
	r.some(3, func() {
		switch r.IntN(5) {
		case 0:
			s["minimum"] = float64(r.IntN(400)-300) / 4
		case 1:
			s["maximum"] = float64(r.IntN(4000)-100) / 4
		case 2:
			s["exclusiveMinimum"] = r.IntN(40) - 30
		case 3:
			s["exclusiveMaximum"] = float64(r.IntN(40)) + 0.25
		case 4:
			s["multipleOf"] = []float64{1, 2, 7, 0.5, 0.25, 0.01, 30, 1.5}[r.IntN(8)]
		}
	})
}

func (r Schemas) text(s object) {
	s["type"] = "string"
	r.some(2, func() {
		switch r.IntN(4) {
		case 0:
			s["minLength"] = r.IntN(5)
		case 1:
			s["maxLength"] = 3 + r.IntN(200)
		case 2:
			s["pattern"] = []string{"^[a-c]+$", "a", "^a|x$", "^(ab)*$", "\\d{2}", "^.{2,4}$", "^[^\"]*$", "\\S", "^\\w+ \\w+$", "[\\n\\t]|é"}[r.IntN(10)]
		case 3:
			s["format"] = []string{"date", "time", "date-time", "uuid", "ipv4", "ipv6", "hostname", "email", "uri", "duration", "uri-reference", "json-pointer"}[r.IntN(12)]
		}
	})
}

func (r Schemas) array(depth int) object {
	s := object{"type": "array"}
	r.some(4, func() {
		switch r.IntN(8) {
		case 7:
			if s["uniqueItems"] == nil {
				s["unevaluatedItems"] = []any{false, r.schema(depth - 1)}[r.IntN(2)]
			}
		case 5:
			s["contains"] = []object{{"type": "string"}, {"type": []string{"integer", "string"}, "minimum": -3}, {"type": "null"}, {"not": object{"type": "array"}}, {"enum": []any{"a", nil, ""}}}[r.IntN(5)]
			s["minContains"] = r.IntN(3)
			if r.IntN(2) == 0 {
				s["maxContains"] = 2 + r.IntN(3)
			}
		case 6:
			s["uniqueItems"] = true
			s["items"] = []any{object{"enum": []any{"a", 1, nil, "x", []any{}}}, object{"type": []string{"boolean", "null"}}}[r.IntN(2)]
		case 0, 1:
			if s["uniqueItems"] == nil {
				s["items"] = r.schema(depth - 1)
			}
		case 2:
			if s["uniqueItems"] != nil {
				return
			}
			s["prefixItems"] = []any{r.schema(depth - 1), r.schema(depth - 1)}[:1+r.IntN(2)]
		case 3:
			s["minItems"] = r.IntN(4)
		case 4:
			s["maxItems"] = 2 + r.IntN(200)
		}
	})
	return s
}

func (r Schemas) object(depth int) object {
	s := object{"type": "object"}
	properties := object{}
	r.some(4, func() { properties[r.Name()] = r.schema(depth - 1) })
	s["properties"] = properties
	r.some(3, func() {
		switch r.IntN(10) {
		case 0, 1:
			s["required"] = []string{r.Name()}
		case 2, 3:
			s["additionalProperties"] = []any{false, r.schema(depth - 1)}[r.IntN(2)]
		case 4:
			s["patternProperties"] = object{[]string{"^x", "b"}[r.IntN(2)]: r.schema(depth - 1)}
		case 5:
			s["propertyNames"] = []any{object{"maxLength": 2 + r.IntN(3)}, object{"pattern": "^[a-y]"}, object{"enum": []any{"a", "b", "q", 1}}}[r.IntN(3)]
		case 6:
			s["minProperties"] = r.IntN(2)
		case 7:
			s["maxProperties"] = 1 + r.IntN(3)
		case 9:
			s["unevaluatedProperties"] = []any{false, r.schema(depth - 1)}[r.IntN(2)]
		case 8:
			switch r.IntN(3) {
			case 0:
				s["dependentRequired"] = object{r.Name(): []string{r.Name()}}
			case 1:
				s["dependentSchemas"] = object{r.Name(): r.object(0)}
			case 2:
				s["dependentRequired"], s["dependentSchemas"] = object{"c": []string{"a", "x2"}}, object{"x2": r.object(0)}
			}
		}
	})
	return s
}

func (r Schemas) combined(depth int) object {
	list := func() []any {
		out := []any{}
		r.some(3, func() { out = append(out, r.schema(depth-1)) })
		return out
	}
	switch r.IntN(7) {
	case 6: // what one part looks at counts for the whole
		parts := []any{r.object(depth - 1), r.array(depth - 1), r.object(depth - 1)}
		s := r.object(depth - 1)
		s[[]string{"anyOf", "allOf"}[r.IntN(2)]] = parts[r.IntN(3):]
		s["if"], s["then"] = object{"properties": object{r.Name(): r.scalar()}}, r.object(0)
		s["unevaluatedProperties"], s["unevaluatedItems"] = r.IntN(2) == 0, []any{false, r.scalar()}[r.IntN(2)]
		delete(s, "type")
		return s
	case 0, 1:
		return object{"anyOf": list()}
	case 2:
		return object{"oneOf": []any{r.scalar(), r.schema(depth - 1)}}
	case 3:
		return object{"allOf": []any{r.schema(depth - 1), r.scalar()}}
	case 4:
		s := r.schema(depth - 1)
		if o, ok := s.(object); ok && r.IntN(2) == 0 {
			o["not"] = r.scalar()
		}
		return object{"allOf": []any{s}}
	}
	return object{"if": r.scalar(), "then": r.schema(depth - 1), "else": r.schema(depth - 1)}
}

// Root gives a schema of depth 5 at most, with definitions that it may refer to.
func (r Schemas) Root() object {
	s := object{"allOf": []any{r.schema(5)}}
	if o, ok := r.schema(5).(object); ok && o["$ref"] == nil {
		s = o
	}
	s["$defs"] = r.definitions()
	return s
}

func (r Schemas) definitions() object {
	return object{
		"leaf": r.scalar(),
		"list": object{"type": "array", "items": object{"$ref": "#/$defs/list"}, "maxItems": 2},
		"tree": object{"$anchor": "tree", "type": "object", "properties": object{"v": r.scalar(), "next": object{"anyOf": []any{object{"type": "null"}, object{"$ref": "#tree"}}}},
			"required": []string{"next"}, "additionalProperties": false},
		"bush": object{"$dynamicAnchor": "bush", "type": []string{"array", "string"}, "items": object{"$dynamicRef": "#bush"}, "maxItems": 2, "maxLength": 9},
		"pair": object{"$id": "pair.json", "prefixItems": []any{object{"$ref": "#/$defs/first"}, object{"type": "null"}}, "items": false, "$defs": object{"first": r.scalar()}},
	}
}

// Validator gives what holds values to a schema, their formats too.
func Validator(t testing.TB, source []byte) *jsonschema.Schema {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(source)))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("schema.json", value))
	s, err := c.Compile("schema.json")
	require.NoError(t, err, string(source))
	return s
}
