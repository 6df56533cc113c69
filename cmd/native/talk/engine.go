package talk

import (
	"context"
	"io"

	"quire/engine"
	"quire/engine/chat"
	"quire/engine/openai/toolcall"
	"quire/engine/tokenizer"
)

// Engine is what a chat asks of a model.
type Engine interface {
	Info() engine.Info
	Stats() engine.Stats
	HasTemplate() bool
	FitChatPrompt(messages []chat.Message, o chat.Options, answer int) (ids []int32, dropped int, err error)
	TextPrompt(text string) ([]int32, error)
	Encode(text string) []int32 // of a part of what is said
	Submit(ctx context.Context, r engine.Request) (Stream, error)

	// Read gives what takes the answer to a prompt apart: what the model thinks, and what it says. marks says that special tokens are
	// to be shown in the text for it; EndText is then that of a token that ends an answer.
	Read(prompt []int32) (p *toolcall.Parser, marks bool)
	EndText(id int32) string

	Save(w io.Writer, tokens []int32, note []byte) error
	Restore(r io.ReadSeeker) (note []byte, err error)
}

// Stream is an answer as it comes: *engine.Stream.
type Stream interface {
	Next() (c engine.Chunk, more bool)
	Cancel()
	Result() engine.Result
}

// Of makes an engine one to chat with.
func Of(e *engine.Engine) Engine { return opened{e} }

type opened struct{ *engine.Engine }

// Encode implements Engine.
func (o opened) Encode(text string) []int32 {
	return o.Tokenizer().Encode(text, tokenizer.EncodeOptions{})
}

// promptEnd is how many of a prompt's last tokens say how the answer begins.
const promptEnd = 64

// Read implements Engine.
func (o opened) Read(prompt []int32) (p *toolcall.Parser, marks bool) {
	t := o.Tokenizer()
	format := toolcall.Detect(o.Info().Template)
	for _, mark := range format.Marks() {
		ids := t.Encode(mark, tokenizer.EncodeOptions{Special: true})
		marks = marks || len(ids) == 1 && t.Hidden(ids[0]) != ""
	}
	p = format.Parser(nil)
	p.Prompt(string(t.Decode(prompt[max(0, len(prompt)-promptEnd):], tokenizer.DecodeOptions{Special: true})))
	return p, marks
}

// EndText implements Engine.
func (o opened) EndText(id int32) string {
	if t := o.Tokenizer(); t.IsEnd(id) {
		return t.Token(id).Text
	}
	return ""
}

// Submit implements Engine.
func (o opened) Submit(ctx context.Context, r engine.Request) (Stream, error) {
	s, err := o.Engine.Submit(ctx, r)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Save implements Engine.
func (o opened) Save(w io.Writer, tokens []int32, note []byte) error {
	s := o.NewSession(tokens...)
	s.SetNote(note)
	return s.Save(w)
}

// Restore implements Engine.
func (o opened) Restore(r io.ReadSeeker) (note []byte, err error) {
	s, err := o.Engine.Restore(r)
	if err != nil {
		return nil, err
	}
	return s.Note(), nil
}
