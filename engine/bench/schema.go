package bench

import "quire/engine"

// listed is a JSON Schema of a list that goes on for longer than anything measured, of what people ask schemas for: texts of a length,
// numbers within bounds, choices, an array and an object in the object.
const listed = `{"type": "array", "minItems": 1000000, "items": {"type": "object", "properties": {
	"name": {"type": "string", "minLength": 1, "maxLength": 40}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
	"tags": {"type": "array", "items": {"type": "string", "maxLength": 30}, "maxItems": 5}, "kind": {"enum": ["person", "place", "thing"]},
	"address": {"type": "object", "properties": {"street": {"type": "string", "maxLength": 60}, "zip": {"type": "string", "pattern": "^[0-9]{5}$"}},
		"required": ["street", "zip"], "additionalProperties": false}
	}, "required": ["name", "age", "tags", "kind", "address"], "additionalProperties": false}}`

// under is what decode is measured under.
func under(schema bool) *engine.Grammar {
	if !schema {
		return nil
	}
	return &engine.Grammar{Kind: engine.JSONSchema, Source: listed}
}
