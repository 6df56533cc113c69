package chat

import "strings"

// values are the arguments of a call.
type values struct {
	positional []any
	named      *dict // by name, in their order; it may be nil
}

func (a values) names() []any {
	if a.named == nil {
		return nil
	}
	return a.named.keys
}

// missing stands for an optional argument that is not given.
type missing struct{}

// or gives v, or another value where v is missing.
func or(v, absent any) any {
	if _, ok := v.(missing); ok {
		return absent
	}
	return v
}

// signature says what arguments a function takes: "a b? c?" are names, optional ones with a question mark, after a slash if they
// have no names for the caller.
type signature string

// bind gives an argument for each parameter.
func (s signature) bind(line int, what string, a values) []any {
	text, byPlace := strings.CutPrefix(string(s), "/")
	names := strings.Fields(text)
	out := make([]any, len(names))
	for i := range out {
		out[i] = missing{}
	}
	if len(a.positional) > len(out) {
		fail(line, "%s takes %d arguments at most, not %d", what, len(out), len(a.positional))
	}
	copy(out, a.positional)
	for _, key := range a.names() {
		at := -1
		for i, name := range names {
			if strings.TrimSuffix(name, "?") == key && !byPlace {
				at = i
			}
		}
		switch {
		case at < 0:
			fail(line, "%s takes no argument of the name %s", what, key)
		case at < len(a.positional):
			fail(line, "%s is given its argument %s twice", what, key)
		}
		out[at] = a.named.at(key)
	}
	for i, name := range names {
		if _, none := out[i].(missing); none && !strings.HasSuffix(name, "?") {
			fail(line, "%s needs an argument %s", what, name)
		}
	}
	return out
}

func wantText(line int, v any, what string) string {
	s, ok := textOf(v)
	if !ok {
		fail(line, "%s must be a str, not %s", what, typeName(v))
	}
	return s
}

// wantInteger gives an integer argument, limited to what a text or list can have of anything.
func wantInteger(line int, v any, what string) int {
	n, ok := large(v)
	if !ok {
		fail(line, "%s must be an integer, not %s", what, typeName(v))
	}
	const most = 1 << 40
	if !n.IsInt64() {
		return n.Sign() * most
	}
	return int(min(max(n.Int64(), -most), most))
}
