package grammar

import (
	"strings"

	"quire/engine/json"
	"quire/engine/sha256"
)

type sum = [sha256.Size]byte

// sum is the same for schemas that say the same, whatever they are annotated with; so each is read, and compiled, once.
// keyword is the one that the value belongs to.
func (r *schemaReader) sum(value any, keyword string) sum {
	var text []byte
	switch v := value.(type) {
	case []any:
		text = append(text, '[')
		for _, item := range v {
			part := r.sum(item, keyword)
			text = append(text, part[:]...)
		}
	case *json.Object:
		plain := keyword == "enum" || keyword == "const"
		names := strings.Contains(named, " "+keyword+" ")
		text = append(append(text, '{', '0'), r.bases[v]...)
		if plain || names {
			text[1] = '1'
		}
		for i, name := range v.Names {
			inner := name
			if plain {
				inner = keyword
			} else if names {
				inner = ""
			}
			part := r.sum(v.Values[i], inner)
			if plain || names || !annotation(name) {
				text = append(append(text, quoted(name)...), part[:]...)
			}
		}
		r.sums[v] = sha256.Sum256(text)
		return r.sums[v]
	default:
		text = append(text, writeValue(value)...)
	}
	return sha256.Sum256(text)
}
