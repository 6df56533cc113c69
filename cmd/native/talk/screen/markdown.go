package screen

import (
	"regexp"
	"strings"

	"charm.land/glamour/v2"
	"github.com/charmbracelet/x/ansi"

	"quire/cmd/native/talk"
)

// The width that a text is laid out for: lines that are too long are hard to read, and what is too wide for the screen is cut.
const narrowest, widest = 10, 120

// markdown lays a text out.
func (m *Model) markdown(text string) []string {
	text = expandTabs(talk.Clean(text))
	if m.renderer == nil {
		var err error
		if m.renderer, err = glamour.NewTermRenderer(glamour.WithStyles(m.styles.markdown), glamour.WithWordWrap(max(narrowest, min(m.width, widest))),
			glamour.WithPreservedNewLines()); err != nil {
			return m.wrap(text)
		}
	}
	out, err := m.renderer.Render(tighten(text))
	if err != nil {
		return m.wrap(text)
	}
	lines := strings.Split(out, "\n")
	for i, line := range lines {
		lines[i] = trimRight(line)
	}
	return m.cut(trimEmpty(lines))
}

// wrap breaks a text into lines that the screen has room for, between words where it can.
func (m *Model) wrap(text string) []string {
	return strings.Split(ansi.Wrap(expandTabs(talk.Clean(text)), min(m.width, widest), ""), "\n")
}

// columns is wrap for a text that may have columns: what the last has no room for stands below it, where that leaves room enough.
func (m *Model) columns(text string) (all []string) {
	width := min(m.width, widest)
	for line := range strings.SplitSeq(expandTabs(talk.Clean(text)), "\n") {
		first, _, _ := strings.Cut(ansi.Wrap(line, width, ""), "\n")
		all = append(all, first)
		rest := strings.TrimLeft(strings.TrimPrefix(line, first), " ")
		if rest == "" {
			continue
		}
		indent := 0
		if at := strings.LastIndex(first, "  "); at > 0 {
			if indent = ansi.StringWidth(first[:at+2]); indent > width/2 {
				indent = 2
			}
		}
		for more := range strings.SplitSeq(ansi.Wrap(rest, width-indent, ""), "\n") {
			all = append(all, strings.Repeat(" ", indent)+more)
		}
	}
	return m.cut(all)
}

// cut breaks lines that are too wide for the screen: words that are, and tables.
func (m *Model) cut(lines []string) (narrow []string) {
	for _, line := range lines {
		if ansi.StringWidth(line) > m.width {
			narrow = append(narrow, strings.Split(ansi.Hardwrap(line, m.width, true), "\n")...)
		} else {
			narrow = append(narrow, line)
		}
	}
	return narrow
}

func expandTabs(text string) string { return strings.ReplaceAll(text, "\t", "    ") }

// trimEmpty takes empty lines off both ends.
func trimEmpty(lines []string) []string {
	for len(lines) > 0 && empty(lines[0]) {
		lines = lines[1:]
	}
	for len(lines) > 0 && empty(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func empty(line string) bool { return strings.TrimSpace(ansi.Strip(line)) == "" }

var padding = regexp.MustCompile(`(?:\x1b\[[0-9;]*m| )+$`)

// trimRight takes off the blanks that fill a line up, and keeps its colours from going on.
func trimRight(line string) string {
	end := padding.FindStringIndex(line)
	if end == nil || !strings.Contains(line[end[0]:], " ") {
		return line
	}
	if strings.Contains(line[:end[0]], "\x1b[") {
		return line[:end[0]] + ansi.ResetStyle
	}
	return line[:end[0]]
}

// stream is an answer's Markdown as it comes: blocks that are complete are laid out once.
type stream struct {
	done  int // bytes of the text that are laid out in lines
	lines []string
}

// layOut gives the lines of a text that has grown since the last time.
func (s *stream) layOut(text string, markdown func(string) []string) []string {
	if s.done > len(text) {
		*s = stream{}
	}
	if end := s.done + complete(text[s.done:]); end > s.done {
		if len(s.lines) > 0 {
			s.lines = append(s.lines, "")
		}
		s.lines = append(s.lines, markdown(text[s.done:end])...)
		s.done = end
	}
	if blank(text[s.done:]) {
		return s.lines
	}
	lines := s.lines[:len(s.lines):len(s.lines)]
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	return append(lines, markdown(text[s.done:])...)
}

var (
	fenceLine = regexp.MustCompile("^[ \t]*(```+|~~~+)")
	listLine  = regexp.MustCompile(`^[ \t]*(?:[-*+]|\d{1,9}[.)])(?:\s|$)`)
	insideOf  = regexp.MustCompile(`^(?: {1,7}|\t)[^\s>|]`) // something that stands in an item of a list
)

// fence follows the fences of code, line by line.
type fence struct{ mark string }

// take says whether a line is one of code, or a fence itself.
func (f *fence) take(line string) bool {
	m := fenceLine.FindStringSubmatch(line)
	switch {
	case f.mark != "":
		if m != nil && strings.HasPrefix(m[1], f.mark) && strings.TrimLeft(line, " \t`~") == "" {
			f.mark = ""
		}
		return true
	case m != nil:
		f.mark = m[1]
		return true
	}
	return false
}

// tighten joins the paragraphs of an item of a list by a line's end, in place of an empty line: glamour, which draws nothing between them,
// would run their words together.
func tighten(text string) string {
	var out []string
	var code fence
	inList := false
	for line := range strings.SplitSeq(text, "\n") {
		last := len(out) - 1
		switch isCode := code.take(line); {
		case isCode, blank(line):
		case listLine.MatchString(line):
			inList = true
		case !insideOf.MatchString(line):
			inList = false
		case inList && last > 0 && out[last] == "" && !fenceLine.MatchString(out[last-1]):
			out = out[:last]
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// complete says how many bytes of a text are blocks of Markdown that what follows cannot change: up to the last empty line that is
// in no fence, and behind which neither a list nor something indented goes on.
func complete(text string) (end int) {
	var code fence
	at, emptyBefore := 0, false
	for at < len(text) {
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			next = len(text) - at // the last line, which may grow
		}
		line := text[at : at+next]
		if emptyBefore && code.mark == "" && !blank(line) && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") &&
			!maybeList(line, at+next == len(text)) {
			end = at
		}
		emptyBefore = !code.take(line) && blank(line)
		at += next + 1
	}
	return end
}

// maybeList reports whether a line begins an item of a list, or may still become one.
func maybeList(line string, growing bool) bool {
	if growing && strings.TrimLeft(line, "0123456789.)-*+") == "" {
		return true
	}
	return listLine.MatchString(line)
}
