package screen

import (
	"charm.land/bubbles/v2/textarea"
	"charm.land/glamour/v2/ansi"
	glamour "charm.land/glamour/v2/styles"
	"charm.land/lipgloss/v2"
)

// styles are how the screen's parts look. Colours are of the terminal's sixteen, which its user has chosen.
type styles struct {
	user, mark, dim, note, failed lipgloss.Style
	markdown                      ansi.StyleConfig
}

func stylesFor(dark bool) styles {
	s := styles{
		user:   lipgloss.NewStyle().Bold(true),
		mark:   lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Cyan),
		dim:    lipgloss.NewStyle().Faint(true),
		note:   lipgloss.NewStyle().Foreground(lipgloss.Cyan),
		failed: lipgloss.NewStyle().Foreground(lipgloss.Red),
	}
	s.markdown = glamour.LightStyleConfig
	if dark {
		s.markdown = glamour.DarkStyleConfig
	}
	none, yes, cyan := uint(0), true, "6"
	s.markdown.Document = ansi.StyleBlock{Margin: &none}
	s.markdown.CodeBlock.Margin = &none
	s.markdown.Code.Prefix, s.markdown.Code.Suffix = "", ""
	s.markdown.Heading = ansi.StyleBlock{StylePrimitive: ansi.StylePrimitive{BlockSuffix: "\n", Bold: &yes, Color: &cyan}}
	s.markdown.H1 = ansi.StyleBlock{StylePrimitive: ansi.StylePrimitive{Underline: &yes}}
	for _, h := range []*ansi.StyleBlock{&s.markdown.H2, &s.markdown.H3, &s.markdown.H4, &s.markdown.H5, &s.markdown.H6} {
		*h = ansi.StyleBlock{}
	}
	return s
}

func inputStyles(s styles) textarea.Styles {
	styles := textarea.DefaultStyles(true)
	for _, state := range []*textarea.StyleState{&styles.Focused, &styles.Blurred} {
		*state = textarea.StyleState{Prompt: s.mark, Placeholder: s.dim}
	}
	return styles
}
