package toolcall

import (
	"slices"
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

var kindNames = map[string]kinds{
	"string": kindText, "number": kindNumber, "integer": kindNumber, "boolean": kindBool, "null": kindNull, "array": kindList, "object": kindObject,
}

// kinds are what an argument of the tool may be.
func (t *Tool) kinds(argument string) kinds {
	root := t.schema()
	properties, _ := root.At("properties").(*json.Object)
	if properties == nil {
		return 0
	}
	return kindsOf(root, properties.At(argument), 0)
}

// has says whether the tool has an argument.
func (t *Tool) has(argument string) bool {
	properties, _ := t.schema().At("properties").(*json.Object)
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
	properties, _ := p.tool(name).schema().At("properties").(*json.Object)
	return func(i int) string {
		if properties == nil || i >= len(properties.Names) {
			return ""
		}
		return properties.Names[i]
	}
}

// maxSchema is how far references and choices are followed.
const maxSchema = 8

func kindsOf(root *json.Object, schema any, depth int) kinds {
	o, ok := schema.(*json.Object)
	if !ok || depth > maxSchema {
		return 0
	}
	found := kinds(0)
	switch t := o.At("type").(type) {
	case string:
		return kindNames[t]
	case []any:
		for _, name := range t {
			if name, ok := name.(string); ok {
				found |= kindNames[name]
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
			found |= kindsOf(root, choice, depth+1)
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

// referred finds what a reference within the schema means.
func referred(root *json.Object, ref string) any {
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	var at any = root
	for _, name := range strings.Split(path, "/") {
		o, ok := at.(*json.Object)
		if !ok {
			return nil
		}
		at = o.At(strings.NewReplacer("~1", "/", "~0", "~").Replace(name))
	}
	return at
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
