package chat

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHostileTemplates: each of these would take all time, memory or stack if nothing bounded it.
func TestHostileTemplates(t *testing.T) {
	doubling := "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = %s %}{% endfor %}{{ ns.x|length }}"
	nested := "{% set ns = namespace(x=[1]) %}{% for i in range(%d) %}{% set ns.x = [%s] %}{% endfor %}"
	for name, text := range map[string]string{
		"loops":            "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
		"output":           "{% for a in range(99999) %}{{ 'x' * 100000 }}{% endfor %}",
		"join by ~":        strings.ReplaceAll(doubling, "%s", "ns.x ~ ns.x"),
		"join by +":        strings.ReplaceAll(doubling, "%s", "ns.x + ns.x"),
		"join by join":     strings.ReplaceAll(doubling, "%s", "[ns.x, ns.x]|join"),
		"replace":          strings.ReplaceAll(doubling, "%s", "ns.x|replace('a', 'aaaaaaaaaaaaa')"),
		"replace nothing":  strings.ReplaceAll(doubling, "%s", "ns.x.replace('', ns.x)"),
		"capture":          "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}{% endfor %}",
		"format":           strings.ReplaceAll(doubling, "%s", "'{0}{0}'.format(ns.x)"),
		"indent":           "{{ ('a\n' * 100000)|indent('x' * 100000) }}",
		"escape":           strings.ReplaceAll(doubling, "%s", "ns.x|e ~ '<'|e ~ ns.x"),
		"lists":            "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
		"repeat":           "{{ 'x' * 99999999999999 }}",
		"range":            "{{ range(10000000000)|list }}",
		"shared text":      strings.NewReplacer("%d", "60", "%s", "ns.x, ns.x").Replace(nested) + "{{ ns.x }}",
		"shared json":      strings.NewReplacer("%d", "60", "%s", "ns.x, ns.x").Replace(nested) + "{{ ns.x|tojson }}",
		"shared equality":  strings.NewReplacer("%d", "60", "%s", "ns.x, ns.x").Replace(nested) + "{{ ns.x == ns.x + [] }}{% set a = ns.x %}" + strings.NewReplacer("%d", "60", "%s", "ns.x, ns.x").Replace(nested) + "{{ a == ns.x }}",
		"deep text":        strings.NewReplacer("%d", "90000", "%s", "ns.x").Replace(nested) + "{{ ns.x }}",
		"deep json":        strings.NewReplacer("%d", "90000", "%s", "ns.x").Replace(nested) + "{{ ns.x|tojson }}",
		"deep json indent": strings.NewReplacer("%d", "150", "%s", "ns.x, ns.x").Replace(nested) + "{{ ns.x|tojson(indent='        ' * 10000) }}",
		"recursion":        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
		"caller recursion": "{% macro m() %}{% call m() %}{% endcall %}{% endmacro %}{{ m() }}",
		"parentheses":      "{{ " + strings.Repeat("(", 100000),
		"brackets":         "{{ " + strings.Repeat("[", 100000),
		"minus":            "{{ " + strings.Repeat("-", 100000) + "1 }}",
		"not":              "{{ " + strings.Repeat("not ", 100000) + "1 }}",
		"sum":              "{{ 1" + strings.Repeat("+1", 100000) + " }}",
		"attributes":       "{{ a" + strings.Repeat("[0]", 100000) + " }}",
		"filters":          "{{ 1" + strings.Repeat("|string", 100000) + " }}",
		"tests":            "{{ 1" + strings.Repeat(" is true", 100000) + " }}",
		"ifs":              strings.Repeat("{% if 1 %}", 10000),
		"elifs":            "{% if 0 %}" + strings.Repeat("{% elif 0 %}", 10000) + "{% endif %}",
		"else":             "{{ " + strings.Repeat("1 if 0 else ", 10000) + "1 }}",
		"choices":          "{{ 1" + strings.Repeat(" if 1", 10000) + " }}",
		"long":             strings.Repeat("x", maxTemplate+1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := render(text, map[string]any{}, time.Time{})
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.ErrorIs(t, err, ErrTemplate)
			assert.NotContains(t, e.Reason, "runtime error")
		})
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
