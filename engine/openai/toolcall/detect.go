package toolcall

import (
	"fmt"
	"slices"
	"strings"
)

// Detect recognises a format from the text of a chat template.
func Detect(template string) Format {
	var f Format
	for i := range syntaxes {
		s := &syntaxes[i]
		if s.unlike != "" && strings.Contains(template, s.unlike) {
			continue
		}
		if slices.ContainsFunc(s.signs, func(sign []string) bool { return containsAll(template, sign) }) {
			f.syntax, f.spelling = s, s.spellingOf(template)
			break
		}
	}
	for i := range thinkings {
		if slices.ContainsFunc(thinkings[i].signs, func(sign string) bool { return strings.Contains(template, sign) }) {
			f.thinking = &thinkings[i]
			break
		}
	}
	if f.syntax != nil && f.syntax.messages != nil {
		f.thinking = nil
	}
	return f
}

// Named gives a format by the name of its syntax, or by that of vLLM's parser for it. It knows the reasoning of the models that use
// the syntax.
func Named(name string) (Format, error) {
	plain := func(name string) string {
		return strings.NewReplacer("-", "", "_", "", ".", "").Replace(strings.ToLower(name))
	}
	wanted := plain(name)
	for _, alias := range aliases {
		if alias[0] == wanted {
			wanted = alias[1]
			break
		}
	}
	for i := range syntaxes {
		if s := &syntaxes[i]; plain(s.name) == wanted {
			return Format{syntax: s, spelling: s.spellingOf(""), thinking: thinkingOf(s)}, nil
		}
	}
	return Format{}, fmt.Errorf("there is no tool call format %q; there are %s", name, strings.Join(Names(), ", "))
}

// aliases are what vLLM and others call parsers: a list, for a map is 400 bytes of the tab's program for each.
var aliases = [][2]string{
	{"openai", "harmony"}, {"gptoss", "harmony"}, {"qwen", "hermes"}, {"qwen25", "hermes"}, {"granite4", "hermes"}, {"qwen3xml", "qwen3coder"},
	{"llama3json", "llama3"}, {"llama4json", "llama3"}, {"llama4pythonic", "pythonic"}, {"deepseekv3", "deepseek"}, {"deepseekr1", "deepseek"},
	{"deepseekv31", "deepseek"}, {"deepseekv32", "deepseekdsml"}, {"deepseekv4", "deepseekdsml"}, {"phi4minijson", "phi"}, {"glm45", "glm"},
	{"glm47", "glm"}, {"kimik2", "kimi"}, {"minimaxm2", "minimax"}, {"minimaxm1", "toolcalls"}, {"seedoss", "seed"}, {"olmo3", "olmo"},
	{"hunyuana13b", "toolcalls"},
}

// Names are the formats that Named knows.
func Names() []string {
	names := make([]string, len(syntaxes))
	for i, s := range syntaxes {
		names[i] = s.name
	}
	slices.Sort(names)
	return names
}

func containsAll(text string, signs []string) bool {
	return !slices.ContainsFunc(signs, func(sign string) bool { return !strings.Contains(text, sign) })
}
