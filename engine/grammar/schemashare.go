package grammar

import (
	"encoding/binary"

	"quire/engine/json"
)

// share numbers the objects of a source: schemas that say the same, whatever they are annotated with, have the same number, and so
// each is read, and compiled, once. keyword is the one that the value belongs to.
func (r *schemaReader) share(value any, keyword string) int32 {
	r.limits.spend(6, "")
	if keyword == "enum" || keyword == "const" {
		r.key = appendExact(r.key[:0], value)
		r.limits.spend(len(r.key)/64, "")
		return r.numbered(r.key)
	}
	first := len(r.parts)
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			r.parts = append(r.parts, r.share(item, keyword))
		}
		r.key = append(r.key[:0], '[')
	case *json.Object:
		named := hasNames(keyword)
		for i, name := range v.Names {
			inner := name
			if named {
				inner = ""
			}
			if !named && annotation(name) && !holdsSchemas(name) {
				continue
			}
			part := r.share(v.Values[i], inner)
			if named || !annotation(name) {
				r.key = appendExact(r.key[:0], name)
				r.parts = append(r.parts, r.numbered(r.key), part)
			}
		}
		r.key = append(r.key[:0], '(')
		if named {
			r.key[0] = '{'
		}
		r.key = appendExact(r.key, r.bases[v])
	default:
		r.key = appendExact(r.key[:0], v)
		return r.numbered(r.key)
	}
	for _, part := range r.parts[first:] {
		r.key = binary.LittleEndian.AppendUint32(r.key, uint32(part))
	}
	r.parts = r.parts[:first]
	r.limits.spend(len(r.key)/64, "")
	n := r.numbered(r.key)
	if o, ok := value.(*json.Object); ok {
		r.shared[o] = n
	}
	return n
}

// numbered is the same for equal keys.
func (r *schemaReader) numbered(key []byte) int32 {
	n, ok := r.alike[string(key)]
	if !ok {
		n = int32(len(r.alike))
		r.alike[string(key)] = n
	}
	return n
}

// appendExact writes a value so that no other is written alike.
func appendExact(to []byte, value any) []byte {
	text := func(kind byte, s string) []byte {
		return append(binary.LittleEndian.AppendUint32(append(to, kind), uint32(len(s))), s...)
	}
	switch v := value.(type) {
	case string:
		return text('"', v)
	case json.Number:
		return text('0', string(v))
	case []any:
		to = append(to, '[')
		for _, item := range v {
			to = appendExact(to, item)
		}
		return append(to, ']')
	case *json.Object:
		to = append(to, '{')
		for i, name := range v.Names {
			to = appendExact(appendExact(to, name), v.Values[i])
		}
		return append(to, '}')
	}
	return append(to, writeValue(value)[0])
}
