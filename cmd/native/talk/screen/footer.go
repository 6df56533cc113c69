package screen

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"quire/cmd/native/talk"
)

// footer is the last line: a hint, or figures, as many as there is room for.
func (m *Model) footer(p *page) string {
	if p.hint != "" {
		return m.styles.note.Render(ansi.Truncate(p.hint, m.width, "…"))
	}
	if list := matching(m.input.Value()); len(list) > 0 {
		return m.styles.note.Render(ansi.Truncate(suggestion(list), m.width, "…"))
	}
	return m.styles.dim.Render(fit(m.figures(p), m.width))
}

// suggestion tells of the commands that what is typed may become.
func suggestion(list []talk.Command) string {
	if len(list) == 1 {
		return strings.TrimSpace("/"+list[0].Name+" "+list[0].Args) + "  " + list[0].Help
	}
	names := make([]string, len(list))
	for i, k := range list {
		names[i] = "/" + k.Name
	}
	return strings.Join(names, " ")
}

// figure is a part of the last line, in words and shorter.
type figure struct {
	long, short string
}

// figures are in the order in which they are kept where there is little room.
func (m *Model) figures(p *page) []figure {
	about, stats := m.chat.About(), m.chat.Stats()
	v := p.conversation
	used := v.Tokens()
	name := talk.Clean(about.Name) // as the model's file has it
	list := []figure{
		{name, name},
		{fmt.Sprintf("%s of %s (%d %%)", talk.Whole(used), talk.Count(about.Context, "token"), 100*used/max(1, about.Context)),
			fmt.Sprintf("%d/%d", used, about.Context)},
	}
	if rate := m.rate(v); rate > 0 {
		list = append(list, figure{fmt.Sprintf("%.1f tokens/s", rate), fmt.Sprintf("%.0f/s", rate)})
	}
	b := stats.Blocks
	list = append(list, figure{fmt.Sprintf("blocks: %s used, %s cached of %s", talk.Whole(b.Active), talk.Whole(b.Cached), talk.Whole(b.Total)),
		fmt.Sprintf("%d of %d blocks", b.Active+b.Cached, b.Total)})
	help := figure{"/help", "/help"}
	if v.Answer != nil {
		help = figure{"Ctrl-C stops", "^C stops"}
	}
	return append(list, help)
}

// rate is how fast the last answer came.
func (m *Model) rate(v *talk.Conversation) float64 {
	if v.Answer != nil {
		return v.Answer.Rate()
	}
	return v.LastFigures().DecodePerSecond
}

// fit writes figures into a width: in words, or the last of them shorter, or fewer.
func fit(list []figure, width int) string {
	texts := make([]string, len(list))
	for i, f := range list {
		texts[i] = f.long
	}
	for i := len(list); i > 0; i-- {
		if line := strings.Join(texts, between); ansi.StringWidth(line) <= width {
			return line
		}
		texts[i-1] = list[i-1].short
	}
	for n := len(texts); n > 1; n-- {
		if line := strings.Join(texts[:n], between); ansi.StringWidth(line) <= width {
			return line
		}
	}
	return ansi.Truncate(texts[min(1, len(texts)-1)], width, "")
}

// between stands between two figures.
const between = " · "
