package screen

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"quire/cmd/native/talk"
)

// key takes a key.
func (m *Model) key(k tea.KeyPressMsg) tea.Cmd {
	p := m.page()
	p.hint = ""
	switch k.String() {
	case "ctrl+c":
		return m.interrupt()
	case "ctrl+d":
		if m.input.Value() == "" {
			return m.leave()
		}
	case "ctrl+z":
		return tea.Suspend
	case "ctrl+l":
		return tea.ClearScreen
	case "esc":
		if p.conversation.Answer != nil {
			p.conversation.Answer.Cancel()
			return nil
		}
		p.scroll = 0
	case "enter":
		return m.send()
	case "tab":
		m.complete()
		return nil
	case "pgup":
		m.scroll(max(1, m.room()-1))
		return nil
	case "pgdown":
		m.scroll(-max(1, m.room()-1))
		return nil
	case "up":
		if m.input.Line() == 0 && m.input.LineInfo().RowOffset == 0 {
			if text, ok := m.history.Back(m.input.Value()); ok {
				m.setInput(text)
			}
			return nil
		}
	case "down":
		if m.input.Line() == m.input.LineCount()-1 && m.input.LineInfo().RowOffset >= m.input.LineInfo().Height-1 {
			if text, ok := m.history.Forward(); ok {
				m.setInput(text)
			}
			return nil
		}
	}
	return m.edit(k)
}

// interrupt is Ctrl-C: it ends the answer; where none comes, it empties the input, and then quits.
func (m *Model) interrupt() tea.Cmd {
	p := m.page()
	switch {
	case p.conversation.Answer != nil:
		p.conversation.Answer.Cancel()
	case m.input.Value() != "":
		m.history.Add(m.input.Value())
		m.setInput("")
		p.hint = "Ctrl-C again quits; ↑ brings the text back"
	default:
		return m.leave()
	}
	return nil
}

// complete completes a command's name, as far as it is one.
func (m *Model) complete() {
	matches := matching(m.input.Value())
	if len(matches) == 0 {
		return
	}
	common := matches[0].Name
	for _, k := range matches {
		for !strings.HasPrefix(k.Name, common) {
			common = common[:len(common)-1]
		}
	}
	text := "/" + common
	if len(matches) == 1 && matches[0].Args != "" {
		text += " "
	}
	m.setInput(text)
}

// matching lists the commands that begins may be the beginning of.
func matching(begin string) (list []talk.Command) {
	name, isCommand := strings.CutPrefix(begin, "/")
	if !isCommand || strings.ContainsAny(name, " \n") {
		return nil
	}
	for _, k := range talk.Commands() {
		if strings.HasPrefix(k.Name, name) {
			list = append(list, k)
		}
	}
	return list
}

func blank(text string) bool { return strings.TrimSpace(text) == "" }
