package words

import "regexp"

// field finds the engine's names of a request's and the options' fields, not what stands in quotes.
var field = regexp.MustCompile(`(^|[\s(])(N|BestOf|MaxSeqs|MaxTokens|Stop|Logits|Beams(?:\.\w+)?|Sample\.\w+)\b`)

// Fields gives a text about a request with a host's own names of fields.
func Fields(text string, names map[string]string) string {
	return field.ReplaceAllStringFunc(text, func(found string) string {
		parts := field.FindStringSubmatch(found)
		if name, ok := names[parts[2]]; ok {
			return parts[1] + name
		}
		return found
	})
}
