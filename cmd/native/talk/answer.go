package talk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"quire/engine"
	"quire/engine/chat"
	"quire/engine/openai/toolcall"
)

// Answer is an answer that comes. Next may run in a goroutine of its own; all else belongs to who has the Chat.
type Answer struct {
	Content, Reasoning string // so far
	Dropped            int    // messages that the model no longer sees, since this answer

	conversation *Conversation
	before       []Entry // what the conversation was
	unseen       int     // how much of that the model did not see
	said         string  // what is answered, unless it had an answer before
	stream       Stream
	parser       *toolcall.Parser   // of what the model thinks; nil: it goes on with a text
	endText      func(int32) string // of a token that ended the answer and is shown; nil: none is
	prompt       []int32
	written      int // bytes that Next has given
	tokens       int
	first, now   time.Time // of the first token, and the last
	limit        int       // the context
	most         int       // tokens that were asked for
}

// Piece is what has newly come of an answer.
type Piece struct {
	Content, Reasoning string
	tokens             int
}

// ErrBusy says that the conversation's last answer has not ended.
var ErrBusy = errors.New("an answer is coming; Ctrl-C stops it")

// Say says something, and begins the answer. Where it cannot be answered, nothing has been said.
func (c *Chat) Say(ctx context.Context, text string) (*Answer, error) {
	v := c.Current()
	if v.Answer != nil {
		return nil, ErrBusy
	}
	before := slices.Clone(v.Entries)
	v.Entries = append(v.Entries, Entry{Message: chat.Message{Role: "user", Content: text}})
	v.tries = 0
	return c.answer(ctx, before, v.unseen, text)
}

// Regenerate begins another answer to what was said last: the effect of /regenerate.
func (c *Chat) Regenerate(ctx context.Context) (*Answer, error) {
	v := c.Current()
	before, unseen := slices.Clone(v.Entries), v.unseen
	v.cut(v.last("user") + 1)
	return c.answer(ctx, before, unseen, "")
}

// answer begins an answer to what was said last. Where nothing comes of it, the conversation is what it was before, and said is given
// back.
func (c *Chat) answer(ctx context.Context, before []Entry, unseen int, said string) (*Answer, error) {
	v := c.Current()
	a := &Answer{conversation: v, before: before, unseen: unseen, said: said, limit: c.engine.Info().Context, most: v.Params.MaxTokens}
	if err := c.begin(ctx, a); err != nil {
		v.Entries, v.unseen = before, unseen
		return nil, err
	}
	v.tries++
	v.Answer = a
	return a, nil
}

// begin finds the prompt, and asks the model.
func (c *Chat) begin(ctx context.Context, a *Answer) (err error) {
	v := a.conversation
	if a.prompt, a.Dropped, err = c.prompt(v); err != nil {
		return err
	}
	r := v.Params.request(a.prompt, v.tries)
	if !c.raw {
		if a.parser, r.Special = c.engine.Read(a.prompt); r.Special {
			a.endText = c.engine.EndText
		}
	}
	if a.stream, err = c.engine.Submit(ctx, r); err != nil {
		return err
	}
	v.drop(a.Dropped)
	return nil
}

// Next waits for the next piece; false means that the answer has ended, and End is to be called.
func (a *Answer) Next() (Piece, bool) {
	chunk, more := a.stream.Next()
	if !more {
		return Piece{}, false
	}
	a.written += len(chunk.Text)
	p := a.read(chunk.Text, chunk.Token.ID, false)
	p.tokens = 1
	return p, true
}

// read takes text apart that came with a token; last says that no more comes.
func (a *Answer) read(text string, id int32, last bool) (p Piece) {
	if a.endText != nil {
		text = strings.TrimSuffix(text, a.endText(id))
	}
	if a.parser == nil {
		return Piece{Content: text}
	}
	deltas := a.parser.Push(text)
	if last {
		deltas = append(deltas, a.parser.Finish()...)
	}
	for _, d := range deltas {
		p.Content += d.Content
		p.Reasoning += d.Reasoning
	}
	return p
}

// Add takes a piece up.
func (a *Answer) Add(p Piece) {
	a.Content += p.Content
	a.Reasoning += p.Reasoning
	a.tokens += p.tokens
	a.now = time.Now()
	if a.first.IsZero() {
		a.first = a.now
	}
}

// Cancel ends the answer; what has come stays.
func (a *Answer) Cancel() { a.stream.Cancel() }

// Conversation is whose answer it is.
func (a *Answer) Conversation() *Conversation { return a.conversation }

// Rate is how many tokens have come a second; 0 while that is not known.
func (a *Answer) Rate() float64 {
	if a.tokens < 2 {
		return 0
	}
	return float64(a.tokens-1) / a.now.Sub(a.first).Seconds()
}

// End puts the answer into its conversation, after the last piece. Where nothing came of it, what was said is taken back, and given
// so that it can be said again.
func (a *Answer) End() (again string, err error) {
	r := a.stream.Result()
	last := int32(-1)
	if n := len(r.IDs); n > 0 {
		last = r.IDs[n-1]
	}
	a.Add(a.read(r.Text[min(a.written, len(r.Text)):], last, true)) // what may have been the beginning of a stop text
	v := a.conversation
	v.Answer = nil
	if r.Reason == engine.FinishError {
		err = r.Err
	}
	if a.Content == "" && a.Reasoning == "" && (err != nil || r.Reason == engine.FinishCancelled) {
		v.Entries, v.unseen = a.before, a.unseen
		return a.said, err
	}
	said := Entry{Message: chat.Message{Role: "assistant", Content: a.Content}, Ending: a.ending(r), Figures: r.Figures}
	if a.Reasoning != "" {
		said.Fields = map[string]any{reasoningField: a.Reasoning}
	}
	if err == nil {
		said.tokens = slices.Concat(a.prompt, r.IDs)
	}
	v.Entries = append(v.Entries, said)
	return "", err
}

// ending says why an answer ended, where it is not the model that ended it.
func (a *Answer) ending(r engine.Result) string {
	switch {
	case r.Reason == engine.FinishCancelled:
		return "stopped"
	case r.Reason == engine.FinishError:
		return "cut off by an error"
	case r.Reason == engine.FinishLength && r.Limit == engine.LimitContext:
		return fmt.Sprintf("cut off: the context of %s is full", Count(a.limit, "token"))
	case r.Reason == engine.FinishLength:
		return fmt.Sprintf("cut off at max_tokens, %s", Count(a.most, "token"))
	}
	return ""
}

// DroppedNote says what the model no longer sees; empty where it sees all.
func (a *Answer) DroppedNote() string {
	if a.Dropped == 0 {
		return ""
	}
	return fmt.Sprintf("The context of %s is full: the model no longer sees the first %s of this conversation.",
		Count(a.limit, "token"), Count(a.conversation.unseenSaid(), "message"))
}

// unseenSaid is how many messages the model no longer sees.
func (v *Conversation) unseenSaid() (n int) {
	for _, e := range v.Entries[:v.unseen] {
		if !e.System() {
			n++
		}
	}
	return n
}
