package chat

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// few are limits that small templates reach.
var few = limits{template: 400, nesting: 20, depth: 40, steps: 3000, text: 400, items: 50, numbers: 30, bits: 100}

// TestLimits: what a template may cost is bounded, whatever it spends it on. The templates are harmless anywhere: the limits are low.
func TestLimits(t *testing.T) {
	doubling := "{% set ns = namespace(x='ab') %}{% for i in range(9) %}{% set ns.x = %s %}{% endfor %}{{ ns.x|length }}"
	nested := "{% set ns = namespace(x=[1]) %}{% for i in range(%d) %}{% set ns.x = [%s] %}{% endfor %}"
	for name, c := range map[string]struct{ text, reason string }{
		"loops":            {"{% for a in range(20) %}{% for b in range(20) %}{% for c in range(20) %}{% endfor %}{% endfor %}{% endfor %}", "steps"},
		"output":           {"{% for a in range(20) %}{{ 'x' * 30 }}{% endfor %}", "bytes"},
		"join by ~":        {strings.ReplaceAll(doubling, "%s", "ns.x ~ ns.x"), "bytes"},
		"join by +":        {strings.ReplaceAll(doubling, "%s", "ns.x + ns.x"), "bytes"},
		"join by join":     {strings.ReplaceAll(doubling, "%s", "[ns.x, ns.x]|join"), "bytes"},
		"join by method":   {strings.ReplaceAll(doubling, "%s", "ns.x.join('abc')"), "bytes"},
		"replace":          {strings.ReplaceAll(doubling, "%s", "ns.x|replace('a', 'aaa')"), "bytes"},
		"replace nothing":  {strings.ReplaceAll(doubling, "%s", "ns.x.replace('', ns.x)"), "bytes"},
		"capture":          {"{% set ns = namespace(x='ab') %}{% for i in range(9) %}{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}{% endfor %}", "bytes"},
		"format":           {strings.ReplaceAll(doubling, "%s", "'{0}{0}'.format(ns.x)"), "bytes"},
		"format width":     {"{{ '{:500}'.format(1) }}", "bytes"},
		"format precision": {"{{ '{:.500f}'.format(1.0) }}", "bytes"},
		"percent":          {strings.ReplaceAll(doubling, "%s", "'%s%s' % (ns.x, ns.x)"), "bytes"},
		"percent width":    {"{{ '%500d' % 1 }}", "bytes"},
		"center":           {"{{ 'x'|center(500) }}", "bytes"},
		"left":             {"{{ 'x'.ljust(500) }}", "bytes"},
		"zeros":            {"{{ 'x'.zfill(500) }}", "bytes"},
		"tabs":             {"{{ '\t'.expandtabs(500) }}", "bytes"},
		"indent":           {"{{ ('a\n' * 50)|indent('x' * 50) }}", "bytes"},
		"indent by number": {"{{ 'a\nb'|indent(500) }}", "bytes"},
		"escape":           {strings.ReplaceAll(doubling, "%s", "ns.x|forceescape ~ '<'|e ~ ns.x"), "bytes"},
		"upper":            {"{{ ('\u1f52' * 120)|upper }}", "bytes"},
		"urlize":           {"{{ ('<a ' * 100)|urlize }}", "bytes"},
		"wordwrap":         {"{{ ('a ' * 99)|wordwrap(1, wrapstring='-----') }}", "bytes"},
		"lists":            {"{% set ns = namespace(x=[1]) %}{% for i in range(9) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", "items"},
		"lists repeated":   {"{{ [1] * 60 }}", "items"},
		"characters":       {"{{ ('x' * 60)|list }}", "items"},
		"split":            {"{{ ('x,' * 60).split(',') }}", "items"},
		"batch":            {"{{ [1]|batch(60, 0)|list }}", "items"},
		"repeat":           {"{{ 'x' * 500 }}", "bytes"},
		"repeat often":     {"{{ 'x' * 100000 }}", "bytes"},
		"range":            {"{{ range(40)|list }}", "range"},
		"power":            {"{{ 2 ** 200 }}", "bits"},
		"product":          {"{% set ns = namespace(x=3) %}{% for i in range(9) %}{% set ns.x = ns.x * ns.x %}{% endfor %}", "bits"},
		"rounded":          {"{{ 5|round(60, 'floor') }}", "bits"},
		"shared text":      {strings.NewReplacer("%d", "12", "%s", "ns.x, ns.x").Replace(nested) + "{{ ns.x }}", "bytes"},
		"shared json":      {strings.NewReplacer("%d", "12", "%s", "ns.x, ns.x").Replace(nested) + "{{ ns.x|tojson }}", "bytes"},
		"shared sorted":    {strings.NewReplacer("%d", "14", "%s", "ns.x, ns.x").Replace(nested) + "{{ ns.x|pprint }}", "steps"},
		"shared equality": {strings.NewReplacer("%d", "12", "%s", "ns.x, ns.x").Replace(nested) + "{% set a = ns.x %}" +
			strings.NewReplacer("%d", "12", "%s", "ns.x, ns.x").Replace(nested) + "{{ a == ns.x }}", "steps"},
		"deep text":        {"{% set ns = namespace(x=[]) %}{% for j in [1, 2] %}{% for i in range(25) %}{% set ns.x = [ns.x] %}{% endfor %}{% endfor %}{{ ns.x }}", "deeper"},
		"deep json":        {"{% set ns = namespace(x=[]) %}{% for j in [1, 2] %}{% for i in range(25) %}{% set ns.x = [ns.x] %}{% endfor %}{% endfor %}{{ ns.x|tojson }}", "deeper"},
		"deep json indent": {"{% set ns = namespace(x=[]) %}{% for i in range(25) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x|tojson(indent=9) }}", "bytes"},
		"recursion":        {"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "deeper"},
		"caller recursion": {"{% macro m() %}{{ caller }}{% call m() %}{% endcall %}{% endmacro %}{{ m() }}", "deeper"},
		"loop recursion":   {"{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}", "deeper"},
		"parentheses":      {"{{ " + strings.Repeat("(", 50) + strings.Repeat(")", 50) + " }}", "deeper"},
		"brackets":         {"{{ " + strings.Repeat("[", 50) + strings.Repeat("]", 50) + " }}", "deeper"},
		"minus":            {"{{ " + strings.Repeat("-", 50) + "1 }}", "deeper"},
		"not":              {"{{ " + strings.Repeat("not ", 50) + "1 }}", "deeper"},
		"sum":              {"{{ 1" + strings.Repeat("+1", 50) + " }}", "deeper"},
		"attributes":       {"{% set a = [] %}{{ a" + strings.Repeat("[0]", 50) + " }}", "deeper"},
		"filters":          {"{{ 1" + strings.Repeat("|string", 50) + " }}", "deeper"},
		"targets":          {"{% set " + strings.Repeat("(", 50) + "a" + strings.Repeat(")", 50) + " = 1 %}", "deeper"},
		"ifs":              {strings.Repeat("{% if 1 %}", 30), "deeper"},
		"elifs":            {"{% if 0 %}" + strings.Repeat("{% elif 0 %}", 25) + "{% endif %}", "deeper"},
		"else":             {"{{ " + strings.Repeat("1 if 0 else ", 30) + "1 }}", "deeper"},
		"choices":          {"{{ 1" + strings.Repeat(" if 1", 50) + " }}", "deeper"},
		"long":             {strings.Repeat("x", few.template+1), "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := renderWithin(few, c.text, map[string]any{}, time.Time{})
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.ErrorIs(t, err, ErrTemplate)
			assert.Contains(t, e.Reason, c.reason)
		})
	}
}

// TestUsualLimits: every limit is set, and low enough for a browser's tab.
func TestUsualLimits(t *testing.T) {
	l := usualLimits
	for _, limit := range []int{l.template, l.nesting, l.depth, l.steps, l.text, l.items, l.numbers, l.bits} {
		assert.Greater(t, limit, 0)
		assert.LessOrEqual(t, limit, 1<<24)
	}
}

func TestRaised(t *testing.T) {
	template, err := New("a\n{% if true %}\n{{ raise_exception('only users, please') }}{% endif %}", "", "")
	require.NoError(t, err)
	_, err = template.Render(nil, Options{})
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, Error{Line: 3, Reason: "only users, please", Raised: true}, *e)
}

func FuzzTemplate(f *testing.F) {
	f.Add("{% for m in messages %}{{ m.role|upper }}{{ m['content'][::-1] }}{% endfor %}")
	f.Add("{%- macro m(a, b='x') -%}{{ caller() }}{%- endmacro -%}{% call m(1) %}{% raw %}{{{% endraw %}{% endcall %}")
	f.Add("{{ {'a': [1, -2.5e3, 'x\\n']}|tojson(indent=2) ~ 'a,b'.split(',')[0] is string }}{# c -#}")
	f.Add("{% set ns = namespace(x=1) %}{% set ns.x = ns.x // 2 %}{{ range(3)|map('string')|join(', ') }}{{ ns.x ** -1 }}")
	f.Fuzz(func(t *testing.T, text string) {
		template, err := New(text, "<s>", "</s>")
		if err == nil {
			_, err = template.Render([]Message{{Role: "user", Content: "héllo"}}, Options{})
		}
		if err != nil {
			require.ErrorIs(t, err, ErrTemplate)
			require.NotContains(t, err.Error(), "runtime error")
		}
	})
}
