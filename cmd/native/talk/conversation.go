package talk

import (
	"slices"

	"quire/engine"
	"quire/engine/chat"
)

// Conversation is what has been said, and how the next answer is drawn.
type Conversation struct {
	Name    string
	Params  Params
	Entries []Entry
	Answer  *Answer // while one comes

	start  Params // what "/params reset" goes back to
	unseen int    // of the entries, those that the context has no room for any more
	tries  int    // answers to the last message: each is drawn with another seed
}

// Entry is a message, and what is known of how it came.
type Entry struct {
	chat.Message
	Ending  string         // why an answer ended, where it is not the model that ended it
	Figures engine.Figures // what an answer took; zero where it was read from a file

	tokens []int32 // of an answer: the prompt's, and its own
}

// System is the system message; empty: there is none.
func (v *Conversation) System() string {
	if len(v.Entries) > 0 && v.Entries[0].System() {
		return Text(v.Entries[0].Message)
	}
	return ""
}

// setSystem sets the system message; empty: there is none. What the model has computed of the conversation is of no use then.
func (v *Conversation) setSystem(text string) {
	v.Entries = slices.DeleteFunc(v.Entries, func(e Entry) bool { return e.System() })
	if text != "" {
		v.Entries = slices.Insert(v.Entries, 0, Entry{Message: chat.Message{Role: "system", Content: text}})
	}
	for i := range v.Entries {
		v.Entries[i].tokens = nil
	}
	v.unseen = 0
}

// Unseen is how many entries the model no longer sees: the context has no room for them.
func (v *Conversation) Unseen() int { return v.unseen }

// seen lists the messages that the model is to see.
func (v *Conversation) seen() (messages []chat.Message) {
	for i, e := range v.Entries {
		if i >= v.unseen || e.System() {
			messages = append(messages, e.Message)
		}
	}
	return messages
}

// drop has the model no longer see so many of the messages that it has seen so far, the oldest.
func (v *Conversation) drop(messages int) {
	for ; messages > 0 && v.unseen < len(v.Entries); v.unseen++ {
		if !v.Entries[v.unseen].System() {
			messages--
		}
	}
}

// last is the place of the last message of a role; -1: there is none.
func (v *Conversation) last(role string) int {
	for i, e := range slices.Backward(v.Entries) {
		if e.Role == role {
			return i
		}
	}
	return -1
}

// lastEnding is why the last answer ended, where it is not the model that ended it.
func (v *Conversation) lastEnding() string {
	if len(v.Entries) == 0 {
		return ""
	}
	return v.Entries[len(v.Entries)-1].Ending
}

// LastFigures are what the last answer took.
func (v *Conversation) LastFigures() engine.Figures {
	if at := v.last("assistant"); at >= 0 {
		return v.Entries[at].Figures
	}
	return engine.Figures{}
}

// cut takes back all from an entry on.
func (v *Conversation) cut(from int) {
	v.Entries = v.Entries[:from]
	v.unseen = 0 // there is room again
}

// fork gives a conversation of another name in which the same has been said.
func (v *Conversation) fork(name string) *Conversation {
	return &Conversation{Name: name, Params: v.Params.clone(), Entries: slices.Clone(v.Entries), start: v.start, unseen: v.unseen, tries: v.tries}
}

// Tokens is how much of the context the conversation took when it was last computed.
func (v *Conversation) Tokens() int {
	if v.Answer != nil {
		return len(v.Answer.prompt) + v.Answer.tokens
	}
	if at := v.last("assistant"); at >= 0 {
		return len(v.Entries[at].tokens)
	}
	return 0
}

// Turns is how many messages the user has sent.
func (v *Conversation) Turns() (n int) {
	for _, e := range v.Entries {
		if e.Role == "user" {
			n++
		}
	}
	return n
}
