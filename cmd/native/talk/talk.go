// Package talk is quire chat: conversations with a model that is loaded, on a terminal (package talk/screen draws it) or line by line
// through pipes. A Chat holds them, and carries out commands such as /fork for both.
package talk

import (
	"errors"
	"fmt"
	"strconv"

	"quire/engine"
	"quire/engine/chat"
)

// Chat is a model and the conversations with it, of which one is at hand.
type Chat struct {
	engine  Engine
	raw     bool // no chat template: what is said goes on as it is
	replace Replace
	all     []*Conversation
	at      int
}

// Options say how a chat begins.
type Options struct {
	System string // the system message; "": none
	Raw    bool   // use no chat template
	Params Params

	Replace Replace // how /save writes
}

// New returns a chat of one conversation in which nothing has been said.
func New(e Engine, o Options) (*Chat, error) {
	if e.Info().NoText {
		return nil, errors.New("this model gives embeddings or scores, and no text to chat with")
	}
	c := &Chat{engine: e, raw: o.Raw || !e.HasTemplate(), replace: o.Replace, all: []*Conversation{{Name: "1", Params: o.Params, start: o.Params}}}
	if o.System != "" {
		if c.raw {
			return nil, errSystem
		}
		c.Current().setSystem(o.System)
	}
	return c, nil
}

var errSystem = errors.New("without a chat template there is no system message; begin the text with what it should say")

// Current is the conversation at hand.
func (c *Chat) Current() *Conversation { return c.all[c.at] }

// Conversations lists all, in the order they began.
func (c *Chat) Conversations() []*Conversation { return c.all }

// Raw reports whether no chat template is used: what is said goes on as it is.
func (c *Chat) Raw() bool { return c.raw }

// Greeting says what is worth knowing before the first word; empty: nothing.
func (c *Chat) Greeting() string {
	switch {
	case !c.raw:
		return ""
	case c.engine.HasTemplate():
		return "The chat template is not used (--raw): the model goes on with your text as it is."
	}
	return "This model has no chat template: it goes on with your text as it is, and may not answer questions."
}

// About describes the model.
func (c *Chat) About() engine.Info { return c.engine.Info() }

// Stats tells what the model does right now.
func (c *Chat) Stats() engine.Stats { return c.engine.Stats() }

// fork makes a conversation that goes on from the one at hand, which stays, and takes it up.
func (c *Chat) fork(name string) (*Conversation, error) {
	if name == "" {
		for n := len(c.all) + 1; name == "" || c.named(name) >= 0; n++ {
			name = strconv.Itoa(n)
		}
	}
	if c.named(name) >= 0 {
		return nil, fmt.Errorf("there is a conversation %q already", name)
	}
	c.all = append(c.all, c.Current().fork(name))
	c.at = len(c.all) - 1
	return c.Current(), nil
}

// named finds a conversation by its name; -1: there is none.
func (c *Chat) named(name string) int {
	for i, conversation := range c.all {
		if conversation.Name == name {
			return i
		}
	}
	return -1
}

// switchTo takes up a conversation, or the next one where none is named.
func (c *Chat) switchTo(name string) error {
	at := (c.at + 1) % len(c.all)
	switch {
	case name != "":
		if at = c.named(name); at < 0 {
			return fmt.Errorf("there is no conversation %q", name)
		}
	case len(c.all) == 1:
		return errors.New("there is one conversation only; /fork makes another that goes on from here")
	}
	c.at = at
	return nil
}

// prompt gives what the model is to go on from, and how many messages that leaves out, for which the context has no room.
func (c *Chat) prompt(v *Conversation) (ids []int32, dropped int, err error) {
	if !c.raw {
		return c.engine.FitChatPrompt(v.seen(), TemplateOptions(v.Params.Template), v.Params.MaxTokens)
	}
	return chat.Fit(v.seen(), c.engine.Info().Context, v.Params.MaxTokens, func(messages []chat.Message) ([]int32, error) {
		text := ""
		for _, m := range messages {
			text += Text(m)
		}
		return c.engine.TextPrompt(text)
	})
}
