package chat

// test is what follows "is".
type test struct {
	signature
	run func(e *evaluator, line int, v any, a []any) bool
}

// tests are Jinja's.
var tests map[string]test

func init() {
	plain := func(f func(v any) bool) test {
		return test{"", func(_ *evaluator, _ int, v any, _ []any) bool { return f(v) }}
	}
	kinds := func(names ...string) test {
		return plain(func(v any) bool {
			for _, name := range names {
				if typeName(v) == name {
					return true
				}
			}
			return false
		})
	}
	comparing := func(op string) test {
		return test{"/other", func(e *evaluator, line int, v any, a []any) bool { return e.compare(line, op, v, a[0]) }}
	}
	remainder := func(n int64) test {
		return test{"", func(e *evaluator, line int, v any, _ []any) bool {
			return e.equal(line, e.arithmetic(line, "%", v, int64(2)), n)
		}}
	}
	isText := func(f func(string) bool) test {
		return test{"", func(e *evaluator, line int, v any, _ []any) bool { return f(e.text(line, v)) }}
	}
	named := func(has func(name string) bool) test {
		return test{"", func(_ *evaluator, line int, v any, _ []any) bool {
			if _, ok := hashable(v); !ok {
				fail(line, "%s is no name", typeName(v))
			}
			name, ok := textOf(v)
			return ok && has(name)
		}}
	}
	tests = map[string]test{}
	is := func(name string, t test) { tests[name] = t } // a map's literal would be more code
	is("undefined", kinds("undefined"))
	is("defined", plain(func(v any) bool { return typeName(v) != "undefined" }))
	is("none", kinds("none"))
	is("boolean", kinds("bool"))
	is("integer", kinds("int"))
	is("float", kinds("float"))
	is("number", kinds("int", "float", "bool"))
	is("string", kinds("str"))
	is("mapping", kinds("dict"))
	is("sequence", kinds("str", "list", "tuple", "dict", "range", "undefined"))
	is("iterable", plain(iterable))
	is("callable", plain(callable))
	is("escaped", plain(func(v any) bool { _, ok := v.(markup); return ok }))
	is("true", plain(func(v any) bool { return v == any(true) }))
	is("false", plain(func(v any) bool { return v == any(false) }))
	is("odd", remainder(1))
	is("even", remainder(0))
	is("divisibleby", test{"num", func(e *evaluator, line int, v any, a []any) bool {
		return e.equal(line, e.arithmetic(line, "%", v, a[0]), int64(0))
	}})
	is("lower", isText(func(s string) bool { return allOf(s, isLower, isUpper) }))
	is("upper", isText(func(s string) bool { return allOf(s, isUpper, isLower) }))
	is("in", test{"seq", func(e *evaluator, line int, v any, a []any) bool { return e.contains(line, a[0], v) }})
	is("sameas", test{"other", func(_ *evaluator, _ int, v any, a []any) bool { return same(v, a[0]) }})
	is("filter", named(func(name string) bool { _, ok := filters[name]; return ok }))
	is("test", named(func(name string) bool { _, ok := tests[name]; return ok }))
	for op, names := range map[string][]string{
		"==": {"==", "eq", "equalto"}, "!=": {"!=", "ne"}, "<": {"<", "lt", "lessthan"}, "<=": {"<=", "le"},
		">": {">", "gt", "greaterthan"}, ">=": {">=", "ge"},
	} {
		for _, name := range names {
			tests[name] = comparing(op)
		}
	}
}

// test asks a test by its name, which may be unknown: a template may hold what is never reached.
func (e *evaluator) test(line int, name string, v any, a values) bool {
	t, ok := tests[name]
	if !ok {
		fail(line, "the test %q is not known", name)
	}
	return t.run(e, line, v, t.bind(line, "the test "+name, a))
}
