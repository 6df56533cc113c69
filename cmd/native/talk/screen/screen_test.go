package screen

import (
	"context"
	"errors"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/cmd/native/talk"
	"quire/cmd/native/talk/talktest"
	"quire/engine"
	"quire/engine/sample"
)

// rig is a screen without a terminal.
type rig struct {
	*Model
	t      *testing.T
	engine *talktest.Engine
	quit   bool
}

func newRig(t *testing.T, e *talktest.Engine, width, height int) *rig {
	t.Helper()
	c, err := talk.New(e, talk.Options{Params: talk.Params{Sample: sample.Params{Temperature: 0.5, TopP: 1}}})
	require.NoError(t, err)
	r := &rig{Model: New(context.Background(), c, Options{Say: error.Error}), t: t, engine: e}
	r.update(tea.WindowSizeMsg{Width: width, Height: height})
	return r
}

// update has the screen take a message, and all that it sends itself for it.
func (r *rig) update(msg tea.Msg) {
	_, cmd := r.Update(msg)
	r.follow(cmd)
}

func (r *rig) follow(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, cmd := range msg {
			r.follow(cmd)
		}
	case tea.QuitMsg:
		r.quit = true
	case pieceMsg, endMsg, frameMsg:
		r.update(msg)
	default:
		r.Update(msg)
	}
}

// press presses keys by their names; type writes a text.
func (r *rig) press(names ...string) {
	for _, name := range names {
		r.update(keys[name])
	}
}

var keys = map[string]tea.KeyPressMsg{
	"enter": {Code: tea.KeyEnter}, "up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "pgup": {Code: tea.KeyPgUp}, "pgdown": {Code: tea.KeyPgDown},
	"tab": {Code: tea.KeyTab}, "esc": {Code: tea.KeyEscape}, "ctrl+c": {Code: 'c', Mod: tea.ModCtrl}, "ctrl+d": {Code: 'd', Mod: tea.ModCtrl},
	"ctrl+j": {Code: 'j', Mod: tea.ModCtrl}, "alt+enter": {Code: tea.KeyEnter, Mod: tea.ModAlt}, "shift+enter": {Code: tea.KeyEnter, Mod: tea.ModShift},
	"backspace": {Code: tea.KeyBackspace},
}

func (r *rig) write(text string) {
	for _, c := range text {
		r.update(tea.KeyPressMsg{Code: c, Text: string(c)})
	}
}

func (r *rig) send(text string) {
	r.update(tea.PasteMsg{Content: text})
	r.press("enter")
}

// shown is the screen as text. It is as large as the terminal, and no larger.
func (r *rig) shown() string {
	r.t.Helper()
	view := r.View()
	lines := strings.Split(view.Content, "\n")
	assert.Len(r.t, lines, r.height)
	for i, line := range lines {
		assert.LessOrEqual(r.t, ansi.StringWidth(line), r.width, "line %d: %q", i, line)
		lines[i] = strings.TrimRight(ansi.Strip(line), " ")
	}
	if view.Cursor != nil {
		assert.Less(r.t, view.Cursor.Y, r.height)
		assert.LessOrEqual(r.t, view.Cursor.X, r.width)
	}
	return strings.Join(lines, "\n")
}

func TestChat(t *testing.T) {
	r := newRig(t, &talktest.Engine{Context: 1000, Answers: []string{"# A title\n\nSome **bold** text.\n\n- one\n- two\n\n```go\n\tx := `1`\n```\n"}}, 80, 24)
	r.write("hello")
	assert.Contains(t, r.shown(), "\n> hello\n")
	r.press("enter")
	shown := r.shown()
	assert.Contains(t, shown, "> hello\n\n", "what was said")
	assert.Contains(t, shown, "A title\n")
	assert.Contains(t, shown, "Some bold text.")
	assert.Contains(t, shown, "\n    x := `1`\n")
	assert.Contains(t, shown, "Test 1B · ")
	assert.Contains(t, shown, "Test 1B · 87 of 1,000 tokens (8 %) · 80.0 tokens/s · 43 of 512 blocks · /help")
	r.update(tea.WindowSizeMsg{Width: 120, Height: 24})
	assert.Contains(t, r.shown(), "80.0 tokens/s · blocks: 3 used, 40 cached of 512 · /help")
	assert.Empty(t, r.input.Value())
}

// On any size everything has its place, and nothing is wider than the screen.
func TestSizes(t *testing.T) {
	e := &talktest.Engine{Context: 1000, Answers: []string{
		"A paragraph that is longer than any of these screens is wide, so that it has to be broken into lines, and 漢字 that are wide 😀 too.\n\n" +
			strings.Repeat("long", 60) + "\n\n| a | table | of | columns |\n|---|---|---|---|\n| with | text | that | is long enough |\n\n> quoted\n\n1. one\n2. two\n\n```\n" +
			strings.Repeat("code ", 30) + "\n```\n"}}
	r := newRig(t, e, 80, 24)
	r.send("漢字漢字 " + strings.Repeat("said ", 50))
	r.update(tea.PasteMsg{Content: "typed\n漢字\n" + strings.Repeat("typed ", 40)})
	for _, size := range [][2]int{{80, 24}, {40, 15}, {200, 50}, {20, 6}, {11, 4}, {7, 3}, {3, 3}, {1, 1}, {80, 2}, {80, 24}} {
		r.update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		if size[0] < 4 || size[1] < 3 { // nothing to be read, and no harm done
			assert.NotPanics(t, func() { r.View() })
			continue
		}
		r.shown()
		r.press("pgup")
		r.shown()
		r.press("pgdown")
	}
	assert.Equal(t, "typed\n漢字\n"+strings.Repeat("typed ", 40), r.input.Value())
}

func TestLinesAreTypedAndPasted(t *testing.T) {
	r := newRig(t, &talktest.Engine{Context: 10_000}, 80, 24)
	r.write("one")
	r.press("ctrl+j")
	r.write("two")
	r.press("alt+enter")
	r.write("three")
	r.press("shift+enter")
	r.write("four")
	assert.Equal(t, "one\ntwo\nthree\nfour", r.input.Value())
	r.press("enter")
	assert.True(t, strings.HasSuffix(r.engine.Prompt(0), "<user>one\ntwo\nthree\nfour<assistant>"))
	long := strings.Repeat("a line\n", 200) + "the end"
	r.update(tea.PasteMsg{Content: long})
	r.shown()
	r.press("enter")
	assert.True(t, strings.HasSuffix(r.engine.Prompt(1), "<user>"+long+"<assistant>"), "pasted lines are all there")
}

func TestHistoryKeys(t *testing.T) {
	r := newRig(t, &talktest.Engine{Context: 1000}, 80, 24)
	r.send("first")
	r.send("second\nwith a line")
	r.write("draft")
	r.press("up")
	assert.Equal(t, "second\nwith a line", r.input.Value())
	r.press("up") // to the first of its lines
	r.press("up")
	assert.Equal(t, "first", r.input.Value())
	r.press("up")
	assert.Equal(t, "first", r.input.Value())
	r.press("down", "down", "down")
	assert.Equal(t, "draft", r.input.Value())
}

func TestInterrupt(t *testing.T) {
	e := &talktest.Engine{Context: 1000, Gate: make(chan struct{}), Answers: []string{"a long answer"}}
	r := newRig(t, e, 80, 24)
	r.Update(tea.PasteMsg{Content: "hello"})
	_, cmd := r.Update(keys["enter"])
	for range 4 {
		go func() { e.Gate <- struct{}{} }()
		piece := cmd()
		r.Update(piece)
		cmd = next(piece.(pieceMsg).answer)
	}
	r.Update(frameMsg{})
	assert.Contains(t, r.shown(), "\na lo")
	assert.Contains(t, r.shown(), "^C stops")
	r.write("next")
	r.press("enter")
	assert.Contains(t, r.shown(), "an answer is coming; Ctrl-C stops it")
	assert.Equal(t, "next", r.input.Value(), "what was typed stays")
	r.press("ctrl+c")
	r.follow(cmd)
	assert.Contains(t, r.shown(), "\na lo\n\n(stopped)\n", "what came is kept")
	r.press("ctrl+c")
	assert.Empty(t, r.input.Value())
	assert.False(t, r.quit)
	r.press("up")
	assert.Equal(t, "next", r.input.Value())
	r.press("ctrl+c", "ctrl+c")
	assert.True(t, r.quit)
	assert.Contains(t, ansi.Strip(strings.Join(r.farewell(), "\n")), "> hello\n\na lo\n\n(stopped)", "the terminal has it afterwards")
}

// What nothing came of stands in the input again.
func TestFailedMessageComesBack(t *testing.T) {
	r := newRig(t, &talktest.Engine{Context: 1000, Fail: engine.ErrNotNumbers, Answers: []string{""}}, 80, 24)
	r.send("hello")
	assert.Equal(t, "hello", r.input.Value())
	assert.Contains(t, r.shown(), engine.ErrNotNumbers.Error()[:20])
	r.press("ctrl+c")
	r.send("refuse this")
	assert.Equal(t, "refuse this", r.input.Value())
	assert.Contains(t, r.shown(), "the template refuses this")
}

func TestScroll(t *testing.T) {
	r := newRig(t, &talktest.Engine{Context: 10_000, Answers: []string{strings.Repeat("line\n\n", 100) + "the end"}}, 80, 24)
	r.send("hello")
	assert.Contains(t, r.shown(), "the end")
	r.press("pgup")
	assert.NotContains(t, r.shown(), "the end")
	assert.Contains(t, r.shown(), "lines below")
	for range 30 {
		r.press("pgup")
	}
	assert.True(t, strings.HasPrefix(r.shown(), "> hello\n"))
	r.update(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	assert.False(t, strings.HasPrefix(r.shown(), "> hello\n"))
	r.press("esc")
	assert.Contains(t, r.shown(), "the end")
}

func TestCommandsOnScreen(t *testing.T) {
	r := newRig(t, &talktest.Engine{Context: 1000, Answers: []string{"one", "two", "three"}}, 80, 30)
	r.write("/re")
	assert.Contains(t, r.shown(), "/regenerate  Answer the last message again")
	r.press("tab")
	assert.Equal(t, "/regenerate", r.input.Value())
	r.press("enter")
	assert.Contains(t, r.shown(), "nothing has been said yet")
	r.write("/s")
	assert.Contains(t, r.shown(), "/system /switch /save")
	r.press("tab", "ctrl+c")
	r.send("hello")
	r.send("/fork")
	assert.Contains(t, r.shown(), "── conversation 2, one of 2 ─")
	r.send("on")
	assert.Contains(t, r.shown(), "two")
	r.send("/switch 1")
	assert.NotContains(t, r.shown(), "> on\n")
	r.send("/regenerate")
	assert.NotContains(t, r.shown(), "one\n")
	assert.Contains(t, r.shown(), "three")
	r.send("/undo")
	assert.Equal(t, "hello", r.input.Value())
	r.press("ctrl+c")
	r.send("/params")
	assert.Contains(t, r.shown(), "temperature            0.5")
	assert.Contains(t, r.shown(), "repeat a sequence\n"+strings.Repeat(" ", 33)+"(DRY), times a power of its length; 0: none\ndry_base")
	r.send("/clear")
	assert.NotContains(t, r.shown(), "temperature")
	r.send("/quit")
	assert.True(t, r.quit)
}

// Two conversations may be answered at once.
func TestConversationsBesideEachOther(t *testing.T) {
	e := &talktest.Engine{Context: 1000, Answers: []string{"zero"}}
	r := newRig(t, e, 80, 24)
	r.send("hello")
	e.Gate, e.Answers = make(chan struct{}), []string{"left", "right"}
	r.send("/fork")
	r.Update(tea.PasteMsg{Content: "go left"})
	_, left := r.Update(keys["enter"])
	r.send("/switch")
	r.Update(tea.PasteMsg{Content: "go right"})
	_, right := r.Update(keys["enter"])
	close(e.Gate)
	r.follow(left)
	assert.NotContains(t, r.shown(), "\nleft\n")
	r.follow(right)
	assert.Contains(t, r.shown(), "\nright\n")
	r.send("/switch")
	assert.Contains(t, r.shown(), "\nleft\n")
	assert.NotContains(t, r.shown(), "\nright\n")
}

// Neither a model's text nor its name steers a terminal.
func TestNothingSteersTheTerminal(t *testing.T) {
	r := newRig(t, &talktest.Engine{Context: 1000, Name: "M\x1b[2Jodel", Answers: []string{"a\x1b]0;title\x07b\x1b[2Jc\rd"}}, 80, 24)
	r.send("hello")
	content := r.View().Content
	assert.NotContains(t, content, "\x1b]0;")
	assert.NotContains(t, content, "\x1b[2J")
	assert.NotContains(t, content, "\r")
}

// What the model thinks is dim, before its answer, and no Markdown.
func TestReasoningIsApart(t *testing.T) {
	r := newRig(t, &talktest.Engine{Context: 1000, Template: "<think> </think>", Answers: []string{"<think>\n# Two?\n</think>\n\n# It is 2."}}, 80, 24)
	r.send("1+1?")
	assert.Contains(t, r.shown(), "> 1+1?\n\n# Two?\n\nIt is 2.\n")
	assert.Contains(t, r.View().Content, "\x1b[2m# Two?")
}

func TestRawText(t *testing.T) {
	r := newRig(t, &talktest.Engine{Context: 1000, NoTemplate: true, Answers: []string{"# no title"}}, 80, 24)
	assert.Contains(t, r.shown(), "This model has no chat template")
	r.send("Once")
	assert.Contains(t, r.shown(), "\n# no title")
}

func TestDroppedTurnsAreSaid(t *testing.T) {
	r := newRig(t, &talktest.Engine{Context: 120}, 80, 40)
	for range 4 {
		r.send("a message")
	}
	assert.Contains(t, r.shown(), "The context of 120 tokens is full: the model no longer sees the first")
	assert.Contains(t, r.shown(), "the model sees what is below this line")
}

// As a text grows, what is shown is what is shown of it whole.
func TestComplete(t *testing.T) {
	text := "# Title\n\nA paragraph\nof lines.\n\n- a list\n\n- goes on\n\n  inside\n\nEnd of it.\n\n```go\n\nfunc f() {}\n\n\n```\n\n1. one\n\n2. two\n\n    indented\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nLast.\n"
	r := newRig(t, &talktest.Engine{Context: 1000}, 60, 24)
	var s stream
	for end := range text {
		s.layOut(text[:end], r.markdown)
		assert.LessOrEqual(t, s.done, end)
	}
	assert.Equal(t, plain(r.markdown(text)), plain(s.layOut(text, r.markdown)))
	assert.Contains(t, plain(r.markdown(text)), "inside", "an item's paragraphs do not run together")
	assert.Greater(t, s.done, 100, "most of it is laid out once")
	for text, want := range map[string]int{
		"":                        0,
		"one":                     0,
		"one\n\n":                 0,
		"one\n\ntwo":              5,
		"one\n\n- two":            0,
		"one\n\n1":                0,
		"one\n\n1st":              5,
		"- one\n\n  two":          0,
		"- one\n\ntwo":            7,
		"```\none\n\ntwo":         0,
		"```\none\n```\n\ntwo":    13,
		"~~~\n```\n\n~~~\n\ntwo":  14,
		"````\n```\n\ntwo":        0,
		"one\n\ntwo\n\nthree\n\n": 10,
	} {
		assert.Equal(t, want, complete(text), "%q", text)
	}
}

func plain(lines []string) (all []string) {
	for _, line := range lines {
		if line = strings.TrimRight(ansi.Strip(line), " "); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// A long answer's paragraphs are laid out while they come, and not again for each piece that comes later.
func TestLongAnswer(t *testing.T) {
	text := strings.Repeat("A paragraph of some words, **bold** and `code`, that goes on for a while.\n\n", 400)
	r := newRig(t, &talktest.Engine{Context: 1 << 20}, 80, 24)
	var s stream
	laid, pieces := 0, 0
	for end := 0; end < len(text); end += 40 {
		pieces++
		s.layOut(text[:end], func(text string) []string {
			laid += len(text)
			return r.markdown(text)
		})
	}
	assert.Less(t, laid, len(text)+pieces*200)
}

func TestSayNamesErrors(t *testing.T) {
	r := newRig(t, &talktest.Engine{Context: 1000}, 80, 24)
	r.say = func(error) string { return "in a user's words" }
	r.page().note(noteError, r.say(errors.New("x")))
	assert.Contains(t, r.shown(), "in a user's words")
}
