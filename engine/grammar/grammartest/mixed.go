package grammartest

import "encoding/json"

// Mixed gives a schema of depth 3 at most whose keywords are put together regardless of the types that they are about, each beside $ref too,
// and negated where they may be.
func (r Schemas) Mixed() object {
	s := r.keywords(3)
	definitions := r.definitions()
	definitions["apart"] = object{"not": object{"enum": []any{[]any{1}, object{"a": 1}}}, "items": object{"$ref": "#/$defs/apart"}}
	s["$defs"] = definitions
	return s
}

func (r Schemas) mixed(depth int) any {
	if r.IntN(12) == 0 {
		return r.IntN(3) > 0
	}
	return r.keywords(depth)
}

func (r Schemas) keywords(depth int) object {
	s := object{}
	r.some(4, func() {
		switch k := r.IntN(20); {
		case depth <= 0 || k < 6:
			r.aboutScalars(s)
		case k < 9:
			r.aboutLists(s, depth-1)
		case k < 14:
			r.aboutObjects(s, depth-1)
		default:
			r.aboutWholes(s, depth-1)
		}
	})
	return s
}

func (r Schemas) aboutScalars(s object) {
	types := []string{"null", "boolean", "integer", "number", "string", "array", "object"}
	switch r.IntN(6) {
	case 0:
		s["type"] = types[r.IntN(7)]
	case 1:
		i := r.IntN(6)
		s["type"] = types[i : i+2]
	case 2:
		s["enum"] = []any{"a", 1, nil, true, 2.5, "x1", []any{1, "b"}, object{"a": 1}, object{"b": []any{nil}, "a": []any{}}, "", json.Number("1e2"), "😀"}[r.IntN(6) : 6+r.IntN(7)]
	case 3:
		s["const"] = []any{"a", 1, json.Number("1.0"), nil, []any{1}, object{"b": []any{nil}}, object{}}[r.IntN(7)]
	case 4:
		bound := []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}[r.IntN(5)]
		s[bound] = json.Number([]string{"0.5", "1", "2.50", "1e1", "30e-1", "1.20E+2"}[r.IntN(6)])
	case 5:
		switch r.IntN(5) {
		case 0:
			s["minLength"] = r.IntN(4)
		case 1:
			s["maxLength"] = r.IntN(5)
		case 2: // which may be at odds
			s["minLength"], s["maxLength"] = r.IntN(4), r.IntN(4)
		case 3:
			s["pattern"] = []string{"^[a-c]+$", "a", "^a|x$", "^(ab)*$", "\\d{2}", "^[^\"]*$", "é|😀", "^$", "^(?:a|b|ab)$"}[r.IntN(9)]
		case 4:
			s["format"] = []string{"date", "time", "date-time", "uuid", "ipv4", "ipv6", "hostname", "email", "duration", "json-pointer"}[r.IntN(10)]
		}
	}
}

func (r Schemas) aboutLists(s object, depth int) {
	switch r.IntN(6) {
	case 0:
		s["items"] = r.mixed(depth)
	case 1:
		s["prefixItems"] = []any{r.mixed(depth), r.mixed(depth)}[:1+r.IntN(2)]
	case 2: // of values that are likely to be drawn
		s["contains"] = []any{true, object{"type": "string"}, object{"type": []string{"null", "array"}}, object{"not": object{"type": "array"}}, object{"multipleOf": 2}, object{"minItems": 1}}[r.IntN(6)]
		s["minContains"], s["maxContains"] = r.IntN(3), r.IntN(4)
	case 3:
		s["minItems"] = r.IntN(4)
	case 4:
		s["maxItems"] = r.IntN(4)
	case 5:
		s["unevaluatedItems"] = r.mixed(depth)
	}
}

func (r Schemas) aboutObjects(s object, depth int) {
	switch r.IntN(10) {
	case 0, 1:
		s["properties"] = object{r.Name(): r.mixed(depth), r.Name(): r.mixed(depth)}
	case 2:
		s["patternProperties"] = object{[]string{"^x", "b", "^[^a]*$"}[r.IntN(3)]: r.mixed(depth)}
	case 3:
		s["additionalProperties"] = r.mixed(depth)
	case 4:
		s["required"] = []string{r.Name()}
	case 5:
		s["propertyNames"] = r.mixed(min(depth, 1))
	case 6:
		s[[]string{"minProperties", "maxProperties"}[r.IntN(2)]] = r.IntN(3)
	case 7:
		s["dependentRequired"] = object{r.Name(): []string{r.Name()}}
	case 8:
		s["dependentSchemas"] = object{r.Name(): r.mixed(depth)}
	case 9:
		s["unevaluatedProperties"] = r.mixed(depth)
	}
}

func (r Schemas) aboutWholes(s object, depth int) {
	list := func() (out []any) {
		r.some(3, func() { out = append(out, r.mixed(depth)) })
		return out
	}
	switch r.IntN(7) {
	case 0:
		s["allOf"] = list()
	case 1:
		s["anyOf"] = list()
	case 2:
		s["oneOf"] = list()
	case 3:
		s["not"] = r.mixed(depth)
	case 4, 5:
		s["if"] = r.mixed(depth)
		s[[]string{"then", "else"}[r.IntN(2)]] = r.mixed(depth)
	case 6:
		s["$ref"] = []string{"#/$defs/list", "#/$defs/leaf", "#tree", "pair.json", "#bush", "#/$defs/apart"}[r.IntN(6)]
	}
}
