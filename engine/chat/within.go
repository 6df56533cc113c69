package chat

import (
	"slices"
	"sort"
)

// Fit gives the prompt of a conversation for a context of so many tokens, with room for an answer of so many, at most an eighth of the
// context, which 0 asks for too. A conversation that is longer loses its oldest turns, as Within has it: a quarter of the context is
// freed at once then, so that the turns to come go on from what was computed of this one.
func Fit(messages []Message, context, answer int, prompt func([]Message) ([]int32, error)) (ids []int32, dropped int, err error) {
	room := max(1, context/8)
	if answer > 0 {
		room = min(room, answer)
	}
	if ids, dropped, err = Within(messages, context-room, prompt); err == nil && dropped > 0 {
		ids, dropped, err = Within(messages, context-max(1, context/4), prompt)
	}
	return ids, dropped, err
}

// Within gives the prompt of a conversation that may be longer than so many tokens: prompt says what a list of messages becomes.
// Where it is longer, the oldest turns are left out, as few as will do, but no system message and never the last turn, which
// may then be too long itself. A turn is a user's message with all up to the next one. dropped is how many messages that are.
func Within(messages []Message, tokens int, prompt func([]Message) ([]int32, error)) (ids []int32, dropped int, err error) {
	if ids, err = prompt(messages); err != nil || len(ids) <= tokens {
		return ids, 0, err
	}
	starts := turns(messages)
	if len(starts) < 2 {
		return ids, 0, nil
	}
	starts = starts[1:] // where the conversation may begin
	found := sort.Search(len(starts)-1, func(i int) bool {
		if err != nil {
			return true
		}
		var shorter []int32
		shorter, err = prompt(from(messages, starts[i]))
		return len(shorter) <= tokens
	})
	if err != nil {
		return nil, 0, err
	}
	kept := from(messages, starts[found])
	ids, err = prompt(kept)
	return ids, len(messages) - len(kept), err
}

// turns lists where turns begin. What comes before the first user's message is part of the first.
func turns(messages []Message) (starts []int) {
	for i, m := range messages {
		if m.Role == "user" {
			starts = append(starts, i)
		}
	}
	return starts
}

// from leaves out all before a message, but for system messages.
func from(messages []Message, start int) []Message {
	kept := slices.DeleteFunc(slices.Clone(messages[:start]), func(m Message) bool { return !m.System() })
	return append(kept, messages[start:]...)
}

// System reports whether the message instructs the model, instead of being a part of what is said.
func (m Message) System() bool { return m.Role == "system" || m.Role == "developer" }
