package talk

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Lines is a chat line by line, for pipes and terminals that can do no more. A line is a message or a command; lines between two lines
// of """ are one message.
type Lines struct {
	In        io.Reader
	Out       io.Writer       // takes the answers, and nothing else
	Err       io.Writer       // takes all else
	Typed     bool            // somebody types: show where, and go on after Ctrl-C
	Interrupt <-chan struct{} // Ctrl-C
	Tell      func(error)     // writes an error to Err

	chat    *Chat
	answers int  // that have been written
	failed  bool // an error has been told
}

var (
	// ErrInterrupted says that Ctrl-C ended the chat.
	ErrInterrupted = errors.New("interrupted")
	// ErrTold says that some lines failed, which has been told already.
	ErrTold = errors.New("some lines failed")
)

// Run chats until In ends.
func (l *Lines) Run(ctx context.Context, c *Chat) error {
	l.chat = c
	if greeting := c.Greeting(); greeting != "" {
		fmt.Fprintln(l.Err, greeting)
	}
	messages := readMessages(l.In)
	for {
		l.show("> ")
		var m message
		select {
		case <-l.Interrupt:
			l.show("\n")
			if l.Typed {
				return nil
			}
			return ErrInterrupted
		case m = <-messages:
		}
		switch {
		case errors.Is(m.err, io.EOF):
			l.show("\n")
			if l.failed && !l.Typed {
				return ErrTold
			}
			return nil
		case m.err != nil:
			return m.err
		case m.text == "":
			continue
		}
		if quit, err := l.take(ctx, m.text); quit || err != nil {
			return err
		}
	}
}

// show writes to who types.
func (l *Lines) show(text string) {
	if l.Typed {
		io.WriteString(l.Err, text)
	}
}

func (l *Lines) tell(err error) {
	l.failed = true
	l.Tell(err)
}

// take answers a message, or carries out a command. What it returns ends the chat.
func (l *Lines) take(ctx context.Context, text string) (quit bool, err error) {
	var a *Answer
	if IsCommand(text) {
		effect, wrong := l.chat.Do(text)
		switch {
		case wrong != nil:
			l.tell(wrong)
			return false, nil
		case effect.Copy != "":
			l.tell(errors.New("/copy needs a terminal that can show the chat as a screen"))
			return false, nil
		case effect.Note != "":
			fmt.Fprintln(l.Err, Clean(effect.Note))
		}
		if !effect.Answer {
			return effect.Quit, nil
		}
		a, err = l.chat.Regenerate(ctx)
	} else {
		a, err = l.chat.Say(ctx, text)
	}
	if err != nil {
		l.tell(err)
		return false, nil
	}
	return false, l.write(a)
}

// write writes an answer as it comes.
func (l *Lines) write(a *Answer) error {
	if note := a.DroppedNote(); note != "" {
		fmt.Fprintln(l.Err, note)
	}
	if l.answers++; l.answers > 1 && !l.Typed {
		if _, err := io.WriteString(l.Out, "\n"); err != nil { // a line between answers
			a.Cancel()
			return err
		}
	}
	interrupted, err := l.stream(a)
	begun, thought := len(a.Content), len(a.Reasoning)
	_, failed := a.End()
	if err != nil {
		return err
	}
	l.think(a, Piece{Content: a.Content[begun:], Reasoning: a.Reasoning[thought:]})
	rest := Clean(a.Content[begun:])
	if !strings.HasSuffix(a.Content, "\n") {
		rest += "\n"
	}
	if _, err := io.WriteString(l.Out, rest); err != nil {
		return err
	}
	if failed != nil {
		l.tell(failed)
	} else if ending := a.Conversation().lastEnding(); ending != "" && !interrupted {
		fmt.Fprintf(l.Err, "(%s)\n", ending)
	}
	if interrupted && !l.Typed {
		return ErrInterrupted
	}
	return nil
}

// stream writes what comes, until the answer has ended or Ctrl-C ends it.
func (l *Lines) stream(a *Answer) (interrupted bool, err error) {
	pieces := make(chan Piece)
	go func() {
		defer close(pieces)
		for p, more := a.Next(); more; p, more = a.Next() {
			pieces <- p
		}
	}()
	for {
		select {
		case <-l.Interrupt:
			interrupted = true
			a.Cancel()
		case p, more := <-pieces:
			if !more {
				return interrupted, err
			}
			a.Add(p)
			l.think(a, p)
			if err == nil {
				_, err = io.WriteString(l.Out, Clean(p.Content))
			}
			if err != nil {
				a.Cancel()
			}
		}
	}
}

// think shows who types what the model thinks, before an empty line and what it says. p is what has come last.
func (l *Lines) think(a *Answer, p Piece) {
	l.show(Clean(p.Reasoning))
	if a.Reasoning != "" && p.Content != "" && p.Content == a.Content {
		l.show("\n\n")
	}
}

// readMessages reads all that is said.
func readMessages(in io.Reader) <-chan message {
	out := make(chan message)
	go func() {
		lines := bufio.NewReader(in)
		for before := "\uFEFF"; ; before = "" {
			text, err := readMessage(lines, before)
			if strings.TrimSpace(text) == "" {
				text = ""
			}
			if text != "" || err == nil {
				out <- message{text: text}
			}
			if err != nil {
				out <- message{err: err}
				return
			}
		}
	}()
	return out
}

// message is what was said, or why nothing more comes.
type message struct {
	text string
	err  error
}

const fence = `"""`

// readMessage reads a line, or all between two lines of """, without what may stand before it.
func readMessage(in *bufio.Reader, before string) (string, error) {
	line, err := in.ReadString('\n')
	line = strings.TrimPrefix(strings.TrimRight(line, "\r\n"), before)
	rest, fenced := strings.CutPrefix(line, fence)
	if !fenced {
		return line, err
	}
	var text []string
	for {
		before, closed := strings.CutSuffix(rest, fence)
		text = append(text, before)
		if closed || err != nil {
			return strings.Trim(strings.Join(text, "\n"), "\n"), err
		}
		rest, err = in.ReadString('\n')
		rest = strings.TrimRight(rest, "\r\n")
	}
}
