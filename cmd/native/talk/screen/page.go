package screen

import (
	"quire/cmd/native/talk"
)

// page is what the screen keeps of a conversation.
type page struct {
	conversation *talk.Conversation
	notes        []note
	scroll       int    // lines below the last that is seen
	hint         string // in place of the figures, until the next key

	drawn  []drawn  // entries, as they were drawn last
	answer stream   // that comes
	coming []string // its lines, until the next frame
}

// note is a text of the chat's own, which stands before an entry.
type note struct {
	before int
	kind   noteKind
	text   string
}

type noteKind int

const (
	noteInfo noteKind = iota
	noteError
)

// drawn is an entry's lines, and what they were made of.
type drawn struct {
	role, content, reasoning, ending string
	lines                            []string
}

// note adds a text at the end.
func (p *page) note(kind noteKind, text string) {
	before := len(p.conversation.Entries)
	if p.conversation.Answer != nil {
		before++ // it is below the answer
	}
	p.notes = append(p.notes, note{before, kind, text})
}

// clamp moves notes up whose entries were taken back.
func (p *page) clamp() {
	for i := range p.notes {
		p.notes[i].before = min(p.notes[i].before, len(p.conversation.Entries))
	}
	if p.conversation.Turns() == 0 {
		p.notes = nil
	}
}
