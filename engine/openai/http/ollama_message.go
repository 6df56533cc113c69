package http

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"quire/engine/openai"
)

// fitMessage gives a message the fields that the core knows.
func fitMessage(m map[string]any, i int) *openai.Error {
	if images, list := m["images"].([]any); len(images) > 0 || !list && m["images"] != nil {
		return invalid(http.StatusBadRequest, "", fmt.Sprintf("messages[%d].images: no model here sees images", i))
	}
	delete(m, "images")
	if thinking, ok := m["thinking"]; ok {
		delete(m, "thinking")
		m["reasoning_content"] = thinking
	}
	if name, ok := m["tool_name"]; ok {
		delete(m, "tool_name")
		m["name"] = name
	}
	calls, _ := m["tool_calls"].([]any)
	for n, call := range calls {
		call, _ := call.(map[string]any)
		function, _ := call["function"].(map[string]any)
		if function == nil {
			return invalid(http.StatusBadRequest, "", fmt.Sprintf("messages[%d].tool_calls[%d].function must be an object", i, n))
		}
		if function["arguments"] == nil {
			function["arguments"] = map[string]any{}
		}
		if _, text := function["arguments"].(string); !text {
			arguments, err := json.Marshal(function["arguments"])
			if err != nil {
				return invalid(http.StatusBadRequest, "", err.Error())
			}
			function["arguments"] = string(arguments)
		}
		if call["id"] == nil {
			call["id"] = fmt.Sprintf("call_%d_%d", i, n)
		}
		call["type"] = "function"
	}
	return nil
}

// pairCalls has a tool's answer name its call, which ollama's clients need not do: it is the first open one, of its tool where it
// names that. It gives the calls that are open then.
func pairCalls(m map[string]any, open []map[string]any) []map[string]any {
	calls, _ := m["tool_calls"].([]any)
	for _, call := range calls {
		open = append(open, call.(map[string]any))
	}
	if m["role"] != "tool" {
		return open
	}
	id, _ := m["tool_call_id"].(string)
	name, _ := m["name"].(string)
	at := slices.IndexFunc(open, func(call map[string]any) bool {
		if id != "" {
			return call["id"] == any(id)
		}
		return name == "" || call["function"].(map[string]any)["name"] == any(name)
	})
	if at < 0 {
		return open
	}
	m["tool_call_id"] = open[at]["id"]
	return slices.Delete(open, at, at+1)
}
