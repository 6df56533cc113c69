package openai

import (
	"iter"
	"strings"

	"quire/engine/json"
)

// streamHeader are the headers of a stream; the last keeps nginx from holding events back.
func streamHeader() [][2]string {
	return [][2]string{{"Content-Type", "text/event-stream; charset=utf-8"}, {"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}
}

// dataEvents writes values as server-sent events, an error as one more, and the end as the reference API does.
func dataEvents[T any](values iter.Seq2[T, error]) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for value, err := range values {
			var told any = value
			if err != nil {
				told = asError(err, "")
			}
			if !yield(dataEvent(told)) {
				return
			}
		}
		yield([]byte("data: [DONE]\n\n"))
	}
}

func dataEvent(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		text, _ = json.Marshal(asError(err, ""))
	}
	event := make([]byte, 0, len(text)+8)
	return append(append(append(event, "data: "...), text...), "\n\n"...)
}

// The headers that answers have of their own.
const (
	HeaderWarning = "Quire-Warning" // a sentence about what of the request was ignored, a header each
	HeaderPrefix  = "Quire-Prefix"  // names the beginning of the conversation, see Prefix
	HeaderID      = "X-Request-Id"  // names the call, as clients and logs do
	PrefixID      = "req_"          // of such names
)

// notes are an answer's headers about its request.
func notes(header [][2]string, prefix string, warnings []string) [][2]string {
	if prefix != "" {
		header = append(header, [2]string{HeaderPrefix, prefix})
	}
	for _, w := range warnings {
		header = append(header, [2]string{HeaderWarning, headerText(w)})
	}
	return header
}

// headerText keeps what a header may hold.
func headerText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
}
