// Package screen shows a chat on a terminal: what was said above, scrolled and in Markdown; what is typed below; and a line of figures.
package screen

import (
	"context"
	"errors"

	"io"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"quire/cmd/native/talk"
)

// Options say where a chat is shown.
type Options struct {
	In      io.Reader
	Out     io.Writer
	History *talk.History
	Say     func(error) string // gives an error in a user's words
}

// Run shows a chat until it is left, and then writes what was said to the terminal as it is without the chat, so that it can still
// be read and copied.
func Run(ctx context.Context, c *talk.Chat, o Options, more ...tea.ProgramOption) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := New(ctx, c, o)
	program := tea.NewProgram(m, append([]tea.ProgramOption{tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithContext(ctx)}, more...)...)
	_, err := program.Run()
	if errors.Is(err, tea.ErrInterrupted) {
		err = nil
	}
	for _, line := range m.farewell() {
		lipgloss.Fprintln(o.Out, line) // with the colours that the terminal has
	}
	return err
}
