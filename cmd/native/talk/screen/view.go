package screen

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"quire/cmd/native/talk"
	"quire/engine/chat"
)

// layOut gives the parts their places. The field to type in grows with its text, up to a third of the screen.
func (m *Model) layOut() {
	m.input.MaxHeight = max(1, m.height/3)
	m.input.SetWidth(max(len(mark)+1, m.width))
	m.input, _ = m.input.Update(nil) // scrolls it to where the cursor is
}

// room is how many lines what was said has.
func (m *Model) room() int { return max(0, m.height-m.input.Height()-2) }

// scroll moves what is seen up by so many lines.
func (m *Model) scroll(lines int) {
	p := m.page()
	p.scroll = max(0, min(p.scroll+lines, len(m.lines(p))-m.room()))
}

// View implements tea.Model.
func (m *Model) View() tea.View {
	if m.leaving {
		return tea.NewView("")
	}
	p := m.page()
	lines := m.lines(p)
	room := m.room()
	p.scroll = max(0, min(p.scroll, len(lines)-room))
	end := len(lines) - p.scroll
	seen := lines[max(0, end-room):end]
	var b strings.Builder
	for _, line := range seen {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	b.WriteString(strings.Repeat("\n", room-len(seen)))
	b.WriteString(m.rule(p))
	b.WriteByte('\n')
	b.WriteString(m.input.View())
	b.WriteByte('\n')
	b.WriteString(m.footer(p))
	v := tea.NewView(b.String())
	v.AltScreen = true
	v.MouseMode = tea.MouseModeCellMotion
	v.WindowTitle = "quire chat"
	if cursor := m.input.Cursor(); cursor != nil {
		cursor.Y += room + 1
		v.Cursor = cursor
	}
	return v
}

// lines is all that was said.
func (m *Model) lines(p *page) (all []string) {
	add := func(lines []string) {
		if len(all) > 0 && len(lines) > 0 {
			all = append(all, "")
		}
		all = append(all, lines...)
	}
	notes := p.notes
	addNotes := func(before int) {
		for len(notes) > 0 && notes[0].before <= before {
			add(m.noteLines(notes[0]))
			notes = notes[1:]
		}
	}
	v := p.conversation
	p.drawn = p.drawn[:min(len(p.drawn), len(v.Entries))]
	for i, e := range v.Entries {
		addNotes(i)
		if i == v.Unseen() && i > 0 && !v.Entries[i-1].System() {
			add([]string{m.styles.note.Render(ansi.Truncate("── the model sees what is below this line ──", m.width, "…"))})
		}
		add(m.entry(p, i, e))
	}
	addNotes(len(v.Entries))
	if a := v.Answer; a != nil {
		if p.coming == nil {
			p.coming = m.coming(p, a)
		}
		add(p.coming)
	}
	for _, n := range notes {
		add(m.noteLines(n))
	}
	return all
}

func (m *Model) noteLines(n note) []string {
	style := m.styles.note
	if n.kind == noteError {
		style = m.styles.failed
	}
	lines := m.columns(n.text)
	for i, line := range lines {
		lines[i] = style.Render(line)
	}
	return lines
}

// entry is a message's lines, from when it was drawn last if it is the same.
func (m *Model) entry(p *page, i int, e talk.Entry) []string {
	now := drawn{role: e.Role, content: talk.Text(e.Message), reasoning: talk.Reasoning(e.Message), ending: e.Ending}
	if i < len(p.drawn) {
		if old := p.drawn[i]; old.role == now.role && old.content == now.content && old.reasoning == now.reasoning && old.ending == now.ending {
			return old.lines
		}
		p.drawn = p.drawn[:i]
	}
	switch {
	case e.Role == "user":
		now.lines = m.said(now.content)
	case e.Role == "assistant":
		now.lines = join(m.thought(now.reasoning), m.answered(now.content))
		if calls := e.Fields["tool_calls"]; calls != nil {
			now.lines = join(now.lines, m.dimmed("(calls of functions)"))
		}
	default:
		now.lines = m.dimmed(e.Role + ": " + now.content)
	}
	if e.Ending != "" {
		now.lines = join(now.lines, m.dimmed("("+e.Ending+")"))
	}
	p.drawn = append(p.drawn, now)
	return now.lines
}

// said is what the user said.
func (m *Model) said(text string) []string {
	width := m.width
	m.width = max(1, width-len(mark))
	lines := m.wrap(text)
	m.width = width
	for i, line := range lines {
		before := "  "
		if i == 0 {
			before = m.styles.mark.Render(mark)
		}
		lines[i] = before + m.styles.user.Render(line)
	}
	return lines
}

// answered is an answer: Markdown, unless the model goes on with a text.
func (m *Model) answered(text string) []string {
	if blank(text) {
		return nil
	}
	if m.chat.Raw() {
		return m.wrap(text)
	}
	return m.markdown(text)
}

// thought is the reasoning before an answer.
func (m *Model) thought(text string) []string {
	if blank(text) {
		return nil
	}
	return m.dimmed(strings.TrimSpace(text))
}

func (m *Model) dimmed(text string) []string {
	lines := m.wrap(text)
	for i, line := range lines {
		lines[i] = m.styles.dim.Render(line)
	}
	return lines
}

// coming is the answer that comes.
func (m *Model) coming(p *page, a *talk.Answer) []string {
	if a.Content == "" && a.Reasoning == "" {
		return m.dimmed("…")
	}
	content := m.wrap
	if !m.chat.Raw() {
		content = func(text string) []string { return p.answer.layOut(text, m.markdown) }
	}
	if a.Content == "" {
		return m.thought(a.Reasoning)
	}
	return join(m.thought(a.Reasoning), content(a.Content))
}

// join puts an empty line between two texts.
func join(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 {
		return append(a[:len(a):len(a)], b...)
	}
	return append(append(a[:len(a):len(a)], ""), b...)
}

// rule stands between what was said and what is typed.
func (m *Model) rule(p *page) string {
	text := ""
	if all := m.chat.Conversations(); len(all) > 1 {
		text = fmt.Sprintf("── conversation %s, one of %d ", p.conversation.Name, len(all))
	}
	if p.scroll > 0 {
		text += fmt.Sprintf("── %s below ", talk.Count(p.scroll, "line"))
	}
	text = ansi.Truncate(text, m.width, "")
	return m.styles.dim.Render(text + strings.Repeat("─", max(0, m.width-ansi.StringWidth(text))))
}

// farewell is what was said, for the terminal without the chat.
func (m *Model) farewell() []string {
	var messages []chat.Message
	for _, e := range m.chat.Current().Entries {
		messages = append(messages, e.Message)
	}
	if len(messages) == 0 {
		return nil
	}
	return m.lines(&page{conversation: m.chat.Current()})
}
