package toolcall

import (
	"slices"
	"strconv"
	"strings"

	"quire/engine/json"
)

// kinds are what a value may be by its schema; none: anything.
type kinds int

const (
	kindText kinds = 1 << iota
	kindNumber
	kindBool
	kindNull
	kindList
	kindObject
)

// kindNamed is what a schema's type is, 0 for none of these.
func kindNamed(name string) kinds {
	switch name {
	case "string":
		return kindText
	case "number", "integer":
		return kindNumber
	case "boolean":
		return kindBool
	case "null":
		return kindNull
	case "array":
		return kindList
	case "object":
		return kindObject
	}
	return 0
}

// kinds are what an argument of the tool may be.
func (t *Tool) kinds(argument string) kinds {
	if properties := t.properties(); properties != nil {
		return kindsOf(t.schema(), properties.At(argument), 0)
	}
	return 0
}

// properties are the tool's arguments, nil where it does not say.
func (t *Tool) properties() *json.Object {
	root := t.schema()
	at := root
	for depth := 0; at != nil && depth <= maxSchema; depth++ {
		if properties, ok := at.At("properties").(*json.Object); ok {
			return properties
		}
		ref, _ := at.At("$ref").(string)
		at, _ = referred(root, ref).(*json.Object)
	}
	return nil
}

// has says whether the tool has an argument.
func (t *Tool) has(argument string) bool {
	properties := t.properties()
	return properties != nil && slices.Contains(properties.Names, argument)
}

// schema is the arguments' schema, an empty one where there is none.
func (t *Tool) schema() *json.Object {
	if t != nil {
		if value, err := json.Parse(t.Parameters); err == nil {
			if o, ok := value.(*json.Object); ok {
				return o
			}
		}
	}
	return &json.Object{}
}

// positions gives the names of a tool's arguments by their places.
func (p *Parser) positions(name string) func(i int) string {
	properties := p.tool(name).properties()
	return func(i int) string {
		if properties == nil || i >= len(properties.Names) {
			return ""
		}
		return properties.Names[i]
	}
}

// maxSchema is how far references and choices are followed.
const maxSchema = 8

// maxAnchor is how deep an anchor is looked for.
const maxAnchor = 100

func kindsOf(root *json.Object, schema any, depth int) kinds {
	o, ok := schema.(*json.Object)
	if !ok || depth > maxSchema {
		return 0
	}
	found := kinds(0)
	switch t := o.At("type").(type) {
	case string:
		return kindNamed(t)
	case []any:
		for _, name := range t {
			if name, ok := name.(string); ok {
				found |= kindNamed(name)
			}
		}
		return found
	}
	if ref, ok := o.At("$ref").(string); ok {
		return kindsOf(root, referred(root, ref), depth+1)
	}
	for _, name := range []string{"anyOf", "oneOf", "allOf"} {
		choices, _ := o.At(name).([]any)
		for _, choice := range choices {
			k := kindsOf(root, choice, depth+1)
			if k == 0 && name != "allOf" {
				return 0
			}
			found |= k
		}
	}
	values, _ := o.At("enum").([]any)
	for i, name := range o.Names {
		switch name {
		case "const":
			values = append(values, o.Values[i])
		case "properties", "additionalProperties":
			found |= kindObject
		case "items":
			found |= kindList
		}
	}
	for _, value := range values {
		found |= kindOf(value)
	}
	return found
}

// referred finds what a reference within the schema means: a pointer's place, or an anchor's.
func referred(root *json.Object, ref string) any {
	if anchor, ok := strings.CutPrefix(ref, "#"); ok && anchor != "" && anchor[0] != '/' {
		return anchored(root, anchor, 0)
	}
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	var at any = root
	for _, name := range strings.Split(path, "/") {
		name = unescaped(name)
		switch v := at.(type) {
		case *json.Object:
			at = v.At(strings.NewReplacer("~1", "/", "~0", "~").Replace(name))
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			at = v[i]
		default:
			return nil
		}
	}
	return at
}

// unescaped turns the percent signs of a reference into what they stand for.
func unescaped(text string) string {
	var out []byte
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if b, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				out = append(out, byte(b))
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return string(out)
}

// anchored finds the schema of an anchor.
func anchored(value any, anchor string, depth int) any {
	var inner []any
	switch v := value.(type) {
	case *json.Object:
		if v.At("$anchor") == anchor {
			return v
		}
		inner = v.Values
	case []any:
		inner = v
	}
	if depth > maxAnchor {
		return nil
	}
	for _, v := range inner {
		if found := anchored(v, anchor, depth+1); found != nil {
			return found
		}
	}
	return nil
}

func kindOf(value any) kinds {
	switch value.(type) {
	case string:
		return kindText
	case bool:
		return kindBool
	case nil:
		return kindNull
	case []any:
		return kindList
	case *json.Object:
		return kindObject
	}
	return kindNumber
}

// json is a value that was written without quotes. What cannot be of another kind is a text.
func (k kinds) json(text string) string {
	asText := string(appendText(nil, text))
	if k == kindText {
		return asText
	}
	told := convert(text, jsonDialect)
	if told == "" {
		told = convert(text, python)
	}
	if word := strings.TrimSpace(text); told == "" && k&kindBool != 0 && (strings.EqualFold(word, "true") || strings.EqualFold(word, "false")) {
		told = strings.ToLower(word)
	}
	value, err := json.Parse([]byte(told))
	if err != nil {
		return asText
	}
	kind := kindOf(value)
	if (k == 0 || k&kindText != 0) && (kind == kindText || k != 0 && k&kind == 0) {
		return asText
	}
	return told
}
