package screen

import (
	"strings"

	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"

	"quire/cmd/native/talk"
)

// mark stands before the first line of what is typed, and of what was said.
const mark = "> "

// mostLines is how many lines the field can have.
const mostLines = 10_000

// newInput returns the field to type in.
func newInput(s styles) textarea.Model {
	t := textarea.New()
	t.ShowLineNumbers = false
	t.CharLimit = 0
	t.Placeholder = "A message, or /help"
	t.MaxWidth = 0
	t.DynamicHeight = true
	t.MaxContentHeight = mostLines
	t.KeyMap.InsertNewline.SetKeys("shift+enter", "alt+enter", "ctrl+j")
	t.KeyMap.PageUp.SetEnabled(false)
	t.KeyMap.PageDown.SetEnabled(false)
	t.SetPromptFunc(len(mark), func(at textarea.PromptInfo) string {
		if at.LineNumber == 0 {
			return mark
		}
		return "  "
	})
	t.SetVirtualCursor(false) // the terminal's own, which screen readers and input methods follow
	t.SetStyles(inputStyles(s))
	return t
}

// setInput puts a text into the field, the cursor at its end.
func (m *Model) setInput(text string) {
	m.input.SetValue(text)
	m.input.MoveToEnd()
	m.layOut()
}

// edit has the field take a message: a key, a paste.
func (m *Model) edit(msg tea.Msg) tea.Cmd {
	if paste, ok := msg.(tea.PasteMsg); ok && strings.Count(paste.Content+m.input.Value(), "\n") >= mostLines {
		m.page().hint = "This is more than " + talk.Count(mostLines, "line") + ": nothing was pasted"
		return nil
	}
	var cmd tea.Cmd
	m.input, cmd = m.input.Update(msg)
	m.layOut()
	return cmd
}
