package chat

// tests are what follows "is".
var tests map[string]func(e *evaluator, line int, v any, a values) bool

func init() {
	of := func(names ...string) func(*evaluator, int, any, values) bool {
		return func(_ *evaluator, _ int, v any, _ values) bool {
			for _, name := range names {
				if typeName(v) == name {
					return true
				}
			}
			return false
		}
	}
	comparing := func(op string) func(*evaluator, int, any, values) bool {
		return func(e *evaluator, line int, v any, a values) bool {
			return e.compare(line, op, v, a.at(0, "other", undefined{}))
		}
	}
	remainder := func(n int64) func(*evaluator, int, any, values) bool {
		return func(_ *evaluator, line int, v any, _ values) bool {
			i, ok := integer(v)
			if !ok {
				fail(line, "%s is neither odd nor even", typeName(v))
			}
			return i&1 == n
		}
	}
	text := func(f func(string) bool) func(*evaluator, int, any, values) bool {
		return func(_ *evaluator, _ int, v any, _ values) bool {
			s, ok := v.(string)
			return ok && f(s)
		}
	}
	tests = map[string]func(*evaluator, int, any, values) bool{
		"undefined": of("undefined"),
		"defined":   func(_ *evaluator, _ int, v any, _ values) bool { return typeName(v) != "undefined" },
		"none":      of("none"),
		"boolean":   of("bool"),
		"integer":   of("int"),
		"float":     of("float"),
		"number":    of("int", "float", "bool"),
		"string":    of("str"),
		"mapping":   of("dict"),
		"sequence":  of("str", "list", "tuple", "dict", "undefined"),
		"iterable":  of("str", "list", "tuple", "dict", "undefined"),
		"callable":  of("function"),
		"true":      func(_ *evaluator, _ int, v any, _ values) bool { return v == any(true) },
		"false":     func(_ *evaluator, _ int, v any, _ values) bool { return v == any(false) },
		"odd":       remainder(1),
		"even":      remainder(0),
		"divisibleby": func(_ *evaluator, line int, v any, a values) bool {
			i, ok := integer(v)
			n, both := integer(a.at(0, "num", nil))
			if !ok || !both || n == 0 {
				fail(line, "divisibleby needs integers that are not 0")
			}
			return i%n == 0
		},
		"in":     comparing("in"),
		"lower":  text(isLower),
		"upper":  text(isUpper),
		"sameas": comparing("=="),
		"filter": func(_ *evaluator, _ int, v any, _ values) bool {
			name, _ := v.(string)
			return filters[name] != nil
		},
	}
	for op, names := range map[string][]string{
		"==": {"==", "eq", "equalto"}, "!=": {"!=", "ne"}, "<": {"<", "lt", "lessthan"}, "<=": {"<=", "le"},
		">": {">", "gt", "greaterthan"}, ">=": {">=", "ge"},
	} {
		for _, name := range names {
			tests[name] = comparing(op)
		}
	}
}
