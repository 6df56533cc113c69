package chat

import "quire/engine/chat/big"

// Values are nil (none), undefined, bool, int64, *big.Int (what int64 does not hold), float64, string, markup, *list, *dict, *view,
// *span, *iterator, *namespace, *loop, *macro, *function, *cycler and *joiner.
type (
	undefined struct{ name string }
	// markup is text that is safe in HTML: what is joined to it is escaped.
	markup string
	list   struct {
		items []any
		tuple bool
		group bool // a tuple of groupby, whose items have the names grouper and list
	}
	namespace struct{ vars *dict }
	function  struct {
		name string
		call func(e *evaluator, line int, a values) any
	}
)

// textOf gives a value's text, if it is one.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case markup:
		return string(v), true
	}
	return "", false
}

// like makes s safe if v is.
func like(v any, s string) any {
	if _, safe := v.(markup); safe {
		return markup(s)
	}
	return s
}

func truth(v any) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case markup:
		return v != ""
	}
	n, ok := length(v)
	return !ok || n > 0
}

// length gives a value's number of items, if it has one.
func length(v any) (int64, bool) {
	switch v := v.(type) {
	case undefined:
		return 0, true
	case string:
		return int64(runeCount(v)), true
	case markup:
		return int64(runeCount(string(v))), true
	case *list:
		return int64(len(v.items)), true
	case *dict:
		return int64(len(v.keys)), true
	case *view:
		return int64(len(v.of.keys)), true
	case *span:
		return v.length(), true
	case *loop:
		return v.length(), true
	}
	return 0, false
}

func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case undefined:
		return "undefined"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string, markup:
		return "str"
	case *list:
		if v.tuple {
			return "tuple"
		}
		return "list"
	case *dict:
		return "dict"
	case *view:
		return "dict_" + v.part
	case *span:
		return "range"
	case *iterator:
		return "generator"
	case *namespace:
		return "namespace"
	case *loop:
		return "loop"
	case *macro:
		return "macro"
	case *cycler:
		return "cycler"
	case *joiner:
		return "joiner"
	}
	return "function"
}
