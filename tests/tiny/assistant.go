package tiny

import "testing"

// assistantTemplate writes conversations as Qwen's templates do, but that a prompt ends with what was said last.
const assistantTemplate = `{%- if tools %}{{- '<|im_start|>system\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\n` +
	`You are provided with function signatures within <tools></tools> XML tags:\n<tools>' }}{%- for tool in tools %}{{- '\n' }}{{- tool | tojson }}{%- endfor %}` +
	`{{- '\n</tools>\n\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\n` +
	`<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call><|im_end|>\n' }}{%- endif %}` +
	`{%- for message in messages %}{{- '<|im_start|>' ~ message.role ~ '\n' }}{%- for call in message.tool_calls or [] %}` +
	`{{- '<tool_call>\n{"name": "' ~ call.function.name ~ '", "arguments": ' }}{{- call.function.arguments | tojson }}{{- '}\n</tool_call>' }}{%- endfor %}` +
	`{{- (message.content or '').split('</think>')[-1] }}{%- if not loop.last %}{{- '<|im_end|>\n' }}{%- endif %}{%- endfor %}`

// Assistant writes a model that calls a tool when it is told "weather", thinks when it is told "think", and tells of the weather
// when it is told "sunny". Told "both", it calls two tools; told "side", it answers in JSON.
func Assistant(t testing.TB) []byte {
	t.Helper()
	return Script(t, "assistant", assistantTemplate,
		[]string{"weather", "<tool_call>", "\n{\"name\": \"get_", "weather\", ", "\"arguments\": {", "\"city\": \"Pa", "ris\"", "}}\n", "</tool_call>"},
		[]string{"both", "<tool_call>\n{\"name\": \"get_weather", "\", \"arguments\": {\"city\": \"Ro", "me\"}}", "\n</tool_call>\n<tool_call>\n", "{\"name\": \"get_time", "\", \"arguments\": {\"zone\"", ": \"CET\"}}\n</", "tool_call>"},
		[]string{"think", "<think>", "\nTwo", " and", " two.", "\n", "</think>", "\n\nFo", "ur."},
		[]string{"sunny", "It", " is", " sun", "ny."},
		[]string{"side", "{\"side\"", ": \"left\"", ", \"sure\"", ": true}"},
	)
}
