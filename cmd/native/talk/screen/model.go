package screen

import (
	"context"
	"time"

	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"
	"charm.land/glamour/v2"

	"quire/cmd/native/talk"
)

// frame is how often an answer that comes is drawn.
const frame = time.Second / 25

// Model is the screen: tea.Model.
type Model struct {
	ctx     context.Context
	chat    *talk.Chat
	say     func(error) string
	history *talk.History

	input         textarea.Model
	width, height int
	styles        styles
	renderer      *glamour.TermRenderer // of Markdown, for this width; nil: to be made
	pages         map[*talk.Conversation]*page
	drawing       bool // a frame is due
	leaving       bool
}

// New returns a chat's screen, before its size is known.
func New(ctx context.Context, c *talk.Chat, o Options) *Model {
	m := &Model{ctx: ctx, chat: c, say: o.Say, history: o.History, pages: map[*talk.Conversation]*page{}, styles: stylesFor(true), width: 80, height: 24}
	if m.history == nil {
		m.history = talk.OpenHistory("")
	}
	m.input = newInput(m.styles)
	m.input.Focus()
	m.layOut()
	if greeting := c.Greeting(); greeting != "" {
		m.page().note(noteInfo, greeting)
	}
	return m
}

// page is what the screen keeps of the conversation at hand.
func (m *Model) page() *page {
	v := m.chat.Current()
	if m.pages[v] == nil {
		m.pages[v] = &page{conversation: v}
	}
	return m.pages[v]
}

// Init implements tea.Model.
func (m *Model) Init() tea.Cmd { return tea.RequestBackgroundColor }

// Messages that the screen sends to itself.
type (
	pieceMsg struct {
		answer *talk.Answer
		piece  talk.Piece
	}
	endMsg   struct{ answer *talk.Answer }
	frameMsg struct{}
)

// next waits for an answer's next piece.
func next(a *talk.Answer) tea.Cmd {
	return func() tea.Msg {
		if p, more := a.Next(); more {
			return pieceMsg{a, p}
		}
		return endMsg{a}
	}
}

// Update implements tea.Model.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = max(1, msg.Width), max(1, msg.Height)
		m.layOut()
		m.forget()
	case tea.BackgroundColorMsg:
		m.styles = stylesFor(msg.IsDark())
		m.input.SetStyles(inputStyles(m.styles))
		m.forget()
	case tea.KeyPressMsg:
		return m, m.key(msg)
	case tea.MouseWheelMsg:
		switch msg.Button {
		case tea.MouseWheelUp:
			m.scroll(3)
		case tea.MouseWheelDown:
			m.scroll(-3)
		}
	case pieceMsg:
		msg.answer.Add(msg.piece)
		return m, tea.Batch(next(msg.answer), m.drawSoon())
	case frameMsg:
		m.drawing = false
		m.page().coming = nil
	case endMsg:
		return m, m.ended(msg.answer)
	default:
		return m, m.edit(msg)
	}
	return m, nil
}

// forget has all drawn anew, for another width or other colours.
func (m *Model) forget() {
	m.renderer = nil
	for _, p := range m.pages {
		p.drawn, p.coming, p.answer = nil, nil, stream{}
	}
}

// drawSoon has what has come drawn with the next frame, and not token by token.
func (m *Model) drawSoon() tea.Cmd {
	if m.drawing {
		return nil
	}
	m.drawing = true
	return tea.Tick(frame, func(time.Time) tea.Msg { return frameMsg{} })
}

// ended takes an answer into its conversation.
func (m *Model) ended(a *talk.Answer) tea.Cmd {
	v := a.Conversation()
	again, err := a.End()
	p := m.pages[v]
	p.coming, p.answer = nil, stream{}
	p.clamp()
	if err != nil {
		p.note(noteError, m.say(err))
	}
	if again != "" && v == m.chat.Current() && m.input.Value() == "" {
		m.setInput(again)
	}
	return m.drawSoon() // the engine counts its blocks a moment later
}

// send says what was typed, or carries it out.
func (m *Model) send() tea.Cmd {
	text := m.input.Value()
	if blank(text) {
		return nil
	}
	p := m.page()
	if talk.IsCommand(text) {
		m.history.Add(text)
		m.setInput("")
		return m.do(text)
	}
	if p.conversation.Answer != nil {
		p.hint = talk.ErrBusy.Error()
		return nil
	}
	a, err := m.chat.Say(m.ctx, text)
	return m.begun(a, err, func() {
		m.history.Add(text)
		m.setInput("")
	})
}

// begun follows an answer that was asked for.
func (m *Model) begun(a *talk.Answer, err error, accepted func()) tea.Cmd {
	p := m.page()
	p.scroll = 0
	if err != nil {
		p.note(noteError, m.say(err))
		return nil
	}
	accepted()
	if note := a.DroppedNote(); note != "" {
		p.note(noteInfo, note)
	}
	return next(a)
}

// do carries a command out.
func (m *Model) do(line string) tea.Cmd {
	effect, err := m.chat.Do(line)
	p := m.page() // of the conversation that is at hand now
	p.scroll = 0
	p.clamp()
	m.layOut()
	if err != nil {
		p.note(noteError, m.say(err))
		return nil
	}
	if effect.Note != "" {
		p.note(noteInfo, effect.Note)
	}
	if effect.Input != "" {
		m.setInput(effect.Input)
	}
	switch {
	case effect.Quit:
		return m.leave()
	case effect.Copy != "":
		return tea.SetClipboard(effect.Copy)
	case effect.Answer:
		a, err := m.chat.Regenerate(m.ctx)
		return m.begun(a, err, func() {})
	}
	return nil
}

// leave ends the chat, with the answers that come.
func (m *Model) leave() tea.Cmd {
	m.leaving = true
	for _, v := range m.chat.Conversations() {
		if v.Answer != nil {
			v.Answer.Cancel()
		}
	}
	return tea.Quit
}
