package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"quire/engine/chat"
	"quire/engine/tokenizer"
)

// answered stands for an answer where a template is asked what it puts after one.
const answered = "This is the answer."

// ChatPrompt returns the prompt of the conversation's next turn: its tokens so far, what the model's chat template puts between
// an answer and the user's next message, the message, and the beginning of the next answer.
func (s *Session) ChatPrompt(content string) ([]int32, error) {
	e := s.engine
	if e.template == nil {
		_, err := e.ChatPrompt(nil, chat.Options{}) // says why
		return nil, err
	}
	text, err := e.template.Render([]chat.Message{{Role: "user", Content: "?"}, {Role: "assistant", Content: answered},
		{Role: "user", Content: content}}, chat.Options{AddGenerationPrompt: true, Now: time.Now()})
	if err != nil {
		return nil, err
	}
	_, rest, found := strings.Cut(text, answered)
	if !found {
		return nil, fmt.Errorf("%w: the model's chat template leaves answers out of a conversation; go on with its text as it is (--raw)", ErrUnsupportedModel)
	}
	ids := e.tokenizer.Encode(rest, tokenizer.EncodeOptions{Special: true})
	if n := len(s.tokens); n > 0 && len(ids) > 0 && ids[0] == s.tokens[n-1] {
		ids = ids[1:] // the answer ended itself, with the token that the template puts there
	}
	return slices.Concat(s.tokens, ids), nil
}

// FitChatPrompt is ChatPrompt of a conversation that may be longer than the context has room for, with an answer of so many tokens (0: an
// eighth of the context): the oldest turns are left out then, but no system message and never the last turn. dropped is how many
// messages that are.
func (e *Engine) FitChatPrompt(messages []chat.Message, o chat.Options, answer int) (prompt []int32, dropped int, err error) {
	return chat.Fit(messages, e.info.Context, answer, func(m []chat.Message) ([]int32, error) { return e.ChatPrompt(m, o) })
}

// TextPrompt returns the conversation's tokens so far and those of a text that goes on from there, its special tokens parsed.
func (s *Session) TextPrompt(text string) []int32 {
	return slices.Concat(s.tokens, s.engine.tokenizer.Encode(text, tokenizer.EncodeOptions{Special: true}))
}
