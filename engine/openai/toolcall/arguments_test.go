package toolcall

import (
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// anyValue draws what an argument may be; its texts are made of what could mislead a parser.
func anyValue(depth int) *rapid.Generator[any] {
	text := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{
		"a", "'", `"`, `\`, "\n", "\r\n", "\t", "\x01", " ", "é", "🦊", "{", "}", "[", "]", "(", ")", ",", ":", "=", `\n`, "null", "None", "1", "```", "</tool_call>", "<tool_call>", "<|call|>",
		"<|end|>", "<tool_call|>", `<|"`, "<|tool_call_end|>", "[TOOL_CALLS]", "[ARGS]", "<｜tool▁call▁end｜>", "<|/tool_call|>", "functools[", "<think>", "</think>", "</parameter>",
	}), 0, 5), func(pieces []string) any { return strings.Join(pieces, "") })
	plain := rapid.OneOf(text, rapid.SampledFrom([]any{nil, true, false, 0.0, -1.5, 1e21, 12.0}))
	if depth == 0 {
		return plain
	}
	inner := anyValue(depth - 1)
	list := rapid.Map(rapid.SliceOfN(inner, 0, 3), func(v []any) any { return v })
	object := rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b_c", "x1", "ключ"}), inner, 0, 3), func(v map[string]any) any { return v })
	return rapid.OneOf(plain, list, object)
}

// written is a value as JSON.
func written(value any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// otherwise is a value in a notation that has texts, names and words (none, true and false) of its own.
func otherwise(value any, text func(string) string, key func(string) string, words [3]string) string {
	inner := func(v any) string { return otherwise(v, text, key, words) }
	switch v := value.(type) {
	case nil:
		return words[0]
	case bool:
		if v {
			return words[1]
		}
		return words[2]
	case string:
		return text(v)
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, inner(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		var items []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			items = append(items, key(name)+":"+inner(v[name]))
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	return written(value)
}

func pythonText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\r", `\r`, "\x01", `\x01`).Replace(text) + "'"
}

// twoCalls are how families write two calls of now with arguments.
var twoCalls = map[string]func(a, b map[string]any) string{
	"hermes": func(a, b map[string]any) string {
		call := func(v any) string {
			return "<tool_call>\n{\"name\": \"now\", \"arguments\": " + written(v) + "}\n</tool_call>"
		}
		return call(a) + "\n" + call(b)
	},
	"llama3": func(a, b map[string]any) string {
		call := func(v any) string { return `{"name": "now", "parameters": ` + written(v) + `}` }
		return call(a) + "; " + call(b)
	},
	"mistral": func(a, b map[string]any) string {
		return "[TOOL_CALLS]now[ARGS]" + written(a) + "[TOOL_CALLS]now[CALL_ID]abcdefghi[ARGS]" + written(b)
	},
	"lfm2": func(a, b map[string]any) string {
		call := func(v map[string]any) string {
			var items []string
			for _, name := range slices.Sorted(maps.Keys(v)) {
				items = append(items, name+"="+otherwise(v[name], pythonText, pythonText, [3]string{"None", "True", "False"}))
			}
			return "now(" + strings.Join(items, ", ") + ")"
		}
		return "<|tool_call_start|>[" + call(a) + ", " + call(b) + "]<|tool_call_end|>"
	},
	"gemma4": func(a, b map[string]any) string {
		call := func(v any) string {
			quoted := func(text string) string { return `<|"|>` + text + `<|"|>` }
			return "<|tool_call>call:now" + otherwise(v, quoted, func(name string) string { return name }, [3]string{"null", "true", "false"}) + "<tool_call|>"
		}
		return call(a) + call(b)
	},
	"harmony": func(a, b map[string]any) string {
		call := func(v any) string {
			return "<|channel|>commentary to=functions.now <|constrain|>json<|message|>" + written(v) + "<|call|>"
		}
		return call(a) + "<|start|>assistant" + call(b)
	},
	"deepseek": func(a, b map[string]any) string {
		call := func(v any) string {
			return "<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n" + written(v) + "\n```<｜tool▁call▁end｜>"
		}
		return "<｜tool▁calls▁begin｜>" + call(a) + "\n" + call(b) + "<｜tool▁calls▁end｜>"
	},
	"granite": func(a, b map[string]any) string { return "<|tool_call|>" + listed(a, b) },
	"phi":     func(a, b map[string]any) string { return "<|tool_call|>" + listed(a, b) + "<|/tool_call|>" },
}

func listed(a, b any) string {
	return fmt.Sprintf(`[{"name": "now", "arguments": %s}, {"name": "now", "arguments": %s}]`, written(a), written(b))
}

// TestAnyArguments: what a family writes by its rules is read as it was meant, whatever the arguments hold.
func TestAnyArguments(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("a tab is slow, and the code is the same")
	}
	for name, write := range twoCalls {
		t.Run(name, func(t *testing.T) {
			f, err := Named(name)
			require.NoError(t, err)
			arguments := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b_c", "x1", "ключ"}), anyValue(3), 0, 4)
			rapid.Check(t, func(r *rapid.T) {
				a, b := arguments.Draw(r, "a"), arguments.Draw(r, "b")
				text := write(a, b)
				at := rapid.IntRange(0, len(text)).Draw(r, "at")
				got := parse(t, f, testTools, "", text[:at], text[at:])
				if len(got.Calls) != 2 || got.Content != "" || !same(got.Calls[0].Arguments, written(a)) || !same(got.Calls[1].Arguments, written(b)) {
					r.Fatalf("%q came to %+v", text, got)
				}
			})
		})
	}
}
