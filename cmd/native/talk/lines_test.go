package talk_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/cmd/native/talk"
	"quire/cmd/native/talk/talktest"
	"quire/engine"
)

// piped runs a chat of lines.
func piped(t *testing.T, e *talktest.Engine, in string) (out, told string, err error) {
	t.Helper()
	var stdout, stderr strings.Builder
	l := talk.Lines{In: strings.NewReader(in), Out: &stdout, Err: &stderr, Tell: func(err error) { fmt.Fprintln(&stderr, "error:", err) }}
	err = l.Run(context.Background(), begin(t, e))
	return stdout.String(), stderr.String(), err
}

func TestLines(t *testing.T) {
	for name, tt := range map[string]struct {
		in, out string
		prompts []string
	}{
		"a message":               {"hello\n", "one\n", []string{"hello"}},
		"without a line's end":    {"hello", "one\n", []string{"hello"}},
		"turns":                   {"hello\nagain\r\n\n", "one\n\ntwo\n", []string{"hello", "again"}},
		"several lines":           {"\"\"\"\nfirst\n\n second\n\"\"\"\nagain\n", "one\n\ntwo\n", []string{"first\n\n second", "again"}},
		"on the marks' lines":     {"\"\"\"first\nsecond\"\"\"\n", "one\n", []string{"first\nsecond"}},
		"a mark that is not shut": {"\"\"\"\nfirst\nsecond", "one\n", []string{"first\nsecond"}},
		"a byte-order mark":       {"\uFEFFhello\n", "one\n", []string{"hello"}},
		"commands":                {"hello\n/undo\nagain\n", "one\n\ntwo\n", []string{"hello", "again"}},
		"an end":                  {"hello\n/quit\nagain\n", "one\n", []string{"hello"}},
		"nothing":                 {"\n", "", nil},
	} {
		e := &talktest.Engine{Context: 1000, Answers: []string{"one", "two\n"}}
		out, _, err := piped(t, e, tt.in)
		require.NoError(t, err, name)
		assert.Equal(t, tt.out, out, name)
		require.Len(t, e.Requests, len(tt.prompts), name)
		for i, want := range tt.prompts {
			assert.True(t, strings.HasSuffix(e.Prompt(i), "<user>"+want+"<assistant>"), "%s: %s", name, e.Prompt(i))
		}
	}
}

// Nothing but answers goes to stdout, and no code that steers a terminal goes anywhere.
func TestLinesAreOfAnswersOnly(t *testing.T) {
	e := &talktest.Engine{Context: 1000, Answers: []string{"\x1b[31mred\x07"}}
	out, told, err := piped(t, e, "/system \x1b[2Jbe brief\n/system\n/help\n/params max_tokens 4\nhello\n/nonsense\n/copy\nrefuse this\n")
	require.ErrorIs(t, err, talk.ErrTold, "some lines failed")
	assert.Equal(t, "[31\n", out)
	assert.Contains(t, told, "System message: [2Jbe brief")
	assert.NotContains(t, told, "\x1b")
	assert.Contains(t, told, "/regenerate")
	assert.Contains(t, told, "(cut off at max_tokens, 4 tokens)")
	assert.Contains(t, told, "error: there is no command /nonsense")
	assert.Contains(t, told, "error: /copy needs a terminal")
	assert.Contains(t, told, "error: the template refuses this")
}

func TestLinesSayWhatIsDropped(t *testing.T) {
	e := &talktest.Engine{Context: 100}
	_, told, err := piped(t, e, strings.Repeat("a message\n", 5))
	require.NoError(t, err)
	assert.Contains(t, told, "The context of 100 tokens is full: the model no longer sees the first")
}

// Who types sees what the model thinks; a pipe has the answer alone.
func TestLinesShowThoughts(t *testing.T) {
	for _, typed := range []bool{false, true} {
		e := &talktest.Engine{Context: 1000, Template: "<think> </think>", Answers: []string{"<think>\nHm.\x1b[2J Two?\n</think>\n\nIt is 2.", "<think>\nIt is cut"}}
		var stdout, stderr strings.Builder
		l := talk.Lines{In: strings.NewReader("1+1?\n2+2?\n"), Out: &stdout, Err: &stderr, Typed: typed}
		require.NoError(t, l.Run(context.Background(), begin(t, e)))
		if typed {
			assert.Equal(t, "It is 2.\n\n", stdout.String())
			assert.Equal(t, "> Hm.[2J Two?\n\n> It is cut> \n", stderr.String())
		} else {
			assert.Equal(t, "It is 2.\n\n\n", stdout.String())
			assert.Empty(t, stderr.String())
		}
	}
}

// Ctrl-C stops an answer, whose text is kept. Through a pipe that ends the chat; who types goes on.
func TestLinesStop(t *testing.T) {
	for _, typed := range []bool{false, true} {
		e := &talktest.Engine{Context: 1000, Gate: make(chan struct{}), Answers: []string{"a long answer", "two"}}
		interrupt := make(chan struct{})
		var stdout, stderr shared
		in, keyboard := io.Pipe()
		l := talk.Lines{In: in, Out: &stdout, Err: &stderr, Typed: typed, Interrupt: interrupt, Tell: func(err error) { t.Error(err) }}
		done := make(chan error, 1)
		go func() { done <- l.Run(context.Background(), begin(t, e)) }()
		io.WriteString(keyboard, "hello\n")
		for range 3 {
			e.Gate <- struct{}{}
		}
		interrupt <- struct{}{}
		if typed {
			go func() {
				for {
					e.Gate <- struct{}{}
				}
			}()
			io.WriteString(keyboard, "again\n")
			for strings.Count(stdout.String(), "\n") < 2 {
				time.Sleep(time.Millisecond)
			}
			for over := false; !over; { // where nothing comes, it quits
				select {
				case interrupt <- struct{}{}:
				case err := <-done:
					require.NoError(t, err)
					over = true
				}
			}
			assert.Regexp(t, `^a [a-z ]*\ntwo\n$`, stdout.String())
			assert.True(t, strings.HasPrefix(stderr.String(), "> "), stderr.String())
			continue
		}
		select {
		case err := <-done:
			require.ErrorIs(t, err, talk.ErrInterrupted)
		case <-time.After(time.Minute):
			t.Fatal("it goes on")
		}
		assert.Regexp(t, `^a [a-z ]*\n$`, stdout.String())
	}
}

// An answer that cannot be written ends the chat.
func TestLinesThatNobodyReads(t *testing.T) {
	l := talk.Lines{In: strings.NewReader("hello\n"), Out: broken{}, Err: io.Discard, Tell: func(error) {}}
	require.ErrorIs(t, l.Run(context.Background(), begin(t, &talktest.Engine{Context: 1000})), io.ErrClosedPipe)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A failing answer keeps its text, and the next message is answered.
func TestLinesGoOnAfterAFailure(t *testing.T) {
	e := &talktest.Engine{Context: 1000, Answers: []string{"half", "two"}, Fail: engine.ErrNotNumbers}
	out, told, err := piped(t, e, "hello\nagain\n")
	require.ErrorIs(t, err, talk.ErrTold)
	assert.Equal(t, "half\n\ntwo\n", out)
	assert.Contains(t, told, "error: ")
}

// shared is a text that is read while it is written.
type shared struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
