//go:build linux

package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// terminal is a command on a terminal of its own.
type terminal struct {
	t      *testing.T
	pty    *os.File
	screen *vt.SafeEmulator
	wrote  bytes.Buffer // all that came, once it has ended
	cmd    *exec.Cmd
	ended  chan struct{} // once all that it wrote is on the screen
}

// onTerminal starts the binary on a terminal of a size, in an environment with more variables.
func onTerminal(t *testing.T, width, height int, env []string, args ...string) *terminal {
	t.Helper()
	term := &terminal{t: t, screen: vt.NewSafeEmulator(width, height), cmd: exec.Command(binary, onAdapter(args...)...), ended: make(chan struct{})}
	term.cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "XDG_STATE_HOME="+t.TempDir()), env...)
	var err error
	term.pty, err = pty.StartWithSize(term.cmd, &pty.Winsize{Cols: uint16(width), Rows: uint16(height)})
	require.NoError(t, err)
	go func() { // what the terminal answers when it is asked
		io.Copy(term.pty, term.screen)
	}()
	go func() {
		io.Copy(io.MultiWriter(term.screen, &term.wrote), term.pty)
		close(term.ended)
	}()
	t.Cleanup(func() {
		term.cmd.Process.Kill()
		term.pty.Close()
	})
	return term
}

func (term *terminal) write(text string) {
	term.t.Helper()
	_, err := term.pty.WriteString(text)
	require.NoError(term.t, err)
}

func (term *terminal) resize(width, height int) {
	term.screen.Resize(width, height) // before the command hears of it and draws anew
	require.NoError(term.t, pty.Setsize(term.pty, &pty.Winsize{Cols: uint16(width), Rows: uint16(height)}))
}

// shown is the screen's text.
func (term *terminal) shown() string {
	lines := strings.Split(term.screen.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// until waits for the screen to show something.
func (term *terminal) until(what string, is func(shown string) bool) {
	term.t.Helper()
	for end := time.Now().Add(3 * time.Minute); !is(term.shown()); time.Sleep(20 * time.Millisecond) {
		require.True(term.t, time.Now().Before(end), "%s:\n%s", what, term.shown())
	}
}

func (term *terminal) untilShown(text string) {
	term.t.Helper()
	term.until(text, func(shown string) bool { return strings.Contains(shown, text) })
}

// wait waits for the command's end and gives its exit code.
func (term *terminal) wait() int {
	term.t.Helper()
	select {
	case <-term.ended:
	case <-time.After(time.Minute):
		require.Fail(term.t, "it does not end", term.shown())
	}
	err := term.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(term.t, err)
	}
	return term.cmd.ProcessState.ExitCode()
}

// keep writes a screen to the folder that QUIRE_SCREENS names, to be looked at.
func (term *terminal) keep(name string) {
	if dir := os.Getenv("QUIRE_SCREENS"); dir != "" {
		require.NoError(term.t, os.WriteFile(filepath.Join(dir, name+".txt"), []byte(term.shown()+"\n"), 0o644))
		require.NoError(term.t, os.WriteFile(filepath.Join(dir, name+".ansi"), []byte(term.screen.Render()+"\n"), 0o644))
	}
}

func TestChatOnATerminal(t *testing.T) {
	term := onTerminal(t, 80, 24, []string{"NO_COLOR=1"}, "chat", "--seed", "5", "--max-tokens", "48", "--logit-bias", "0=-100", "--logit-bias", "3=-100") // no story ends by itself
	term.untilShown("/help")
	term.keep("start")
	term.write("Tell me a story about a fox\x1b[200~ and\na kite.\x1b[201~\r")
	term.untilShown("tokens/s · ")
	term.untilShown("(cut off at max_tokens, 48 tokens)")
	shown := term.shown()
	assert.Contains(t, shown, "> Tell me a story about a fox and\n  a kite.\n", "pasted lines stay")
	assert.Contains(t, shown, "Quire Tales · ")
	term.keep("80x24")
	term.resize(40, 15)
	term.until("40 columns", func(shown string) bool { return strings.Contains(shown, strings.Repeat("─", 40)+"\n") })
	term.keep("40x15")
	term.resize(200, 50)
	term.until("200 columns", func(shown string) bool { return strings.Contains(shown, strings.Repeat("─", 200)+"\n") })
	term.keep("200x50")
	term.resize(80, 24)
	term.write("/help\r")
	term.untilShown("/regenerate")
	term.keep("help")
	term.write("\x1b[A\x1b[A") // the arrow up: /help, then the message
	term.untilShown("> Tell me a story about a fox and\n  a kite.\n")
	term.write("\x03")
	term.untilShown("Ctrl-C again quits")
	term.write("/params max_tokens 0\rTell me a long story.\r")
	term.until("some text", func(shown string) bool { return strings.Contains(shown, "C stops") && strings.Contains(shown, "/s ·") })
	term.write("\x03")
	term.untilShown("(stopped)")
	term.write("\x03")
	assert.Zero(t, term.wait())
	assert.Contains(t, term.shown(), "(stopped)\n", "what was said is on the terminal afterwards")
	assert.NotContains(t, term.shown(), "───")
	assert.Contains(t, term.wrote.String(), "\x1b[1m", "bold is no colour")
	assert.NotRegexp(t, `\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]`, term.wrote.String(), "NO_COLOR is respected")
}

// A terminal that can do nothing is written line by line.
func TestChatOnADumbTerminal(t *testing.T) {
	term := onTerminal(t, 80, 24, []string{"TERM=dumb"}, "chat", "--max-tokens", "8")
	term.until("a prompt", func(shown string) bool { return strings.HasPrefix(shown, ">\n") || strings.Contains(shown, "\n>\n") })
	term.write("Tell me a story.\n")
	term.untilShown("(cut off at max_tokens, 8 tokens)")
	term.write("Tell me a long one\x03")
	assert.Zero(t, term.wait())
}
