package words

import (
	"slices"
	"strings"
)

// rooms are packages that put their name in front of their errors.
var rooms = strings.Fields("gpu quant schedule paging attention kernel runner engine train sample sim session")

// withoutRooms takes the names of packages off a text: at its start, at a line's, and after ": ".
func withoutRooms(text string) string {
	var b strings.Builder
	for {
		text = leaveRooms(text)
		next := len(text)
		for _, before := range []string{": ", "\n"} {
			if i := strings.Index(text, before); i >= 0 {
				next = min(next, i+len(before))
			}
		}
		b.WriteString(text[:next])
		if text = text[next:]; text == "" {
			return b.String()
		}
	}
}

// leaveRooms takes names of packages off a text's start, however many.
func leaveRooms(text string) string {
	for {
		name, rest, ok := strings.Cut(text, ": ")
		if !ok || !slices.Contains(rooms, name) {
			return text
		}
		text = strings.TrimPrefix(rest, "source: ")
	}
}
