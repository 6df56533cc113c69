package talk

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Effect is what a command leaves to do to whoever shows the chat.
type Effect struct {
	Note   string // to be told
	Answer bool   // begin the answer to what was said last: Chat.Regenerate
	Input  string // a message that was taken back, to be changed and said again
	Copy   string // a text for the clipboard
	Quit   bool
}

// Command is what a line that begins with a slash asks for.
type Command struct {
	Name, Args, Help string

	also   []string // other names
	during bool     // while an answer comes, too
	run    func(*Chat, string) (Effect, error)
}

// Commands lists all, in the order that /help has them.
func Commands() []Command { return commands }

var commands []Command

func init() { // /help refers to them
	commands = []Command{
		{Name: "help", Help: "Show this.", also: []string{"?"}, during: true, run: (*Chat).help},
		{Name: "system", Args: "[TEXT]", Help: "Show the system message or set it; none removes it.", run: (*Chat).system},
		{Name: "params", Args: "[NAME [VALUE]]", Help: "Show or set how answers are drawn; reset goes back.", also: []string{"set"}, during: true, run: (*Chat).params},
		{Name: "regenerate", Help: "Answer the last message again, otherwise.", also: []string{"retry"}, run: (*Chat).regenerate},
		{Name: "undo", Help: "Take the last message back, to write it anew.", run: (*Chat).undo},
		{Name: "clear", Help: "Begin anew; the system message stays.", run: (*Chat).clear},
		{Name: "fork", Args: "[NAME]", Help: "Go on from here in a second conversation.", run: (*Chat).forkCommand},
		{Name: "switch", Args: "[NAME]", Help: "Go to the next conversation, or to one of a name.", during: true, run: (*Chat).switchCommand},
		{Name: "save", Args: "FILE", Help: "Keep the conversation: a .json has its messages.", run: (*Chat).saveCommand},
		{Name: "load", Args: "FILE", Help: "Go on with a conversation that was saved.", run: (*Chat).loadCommand},
		{Name: "copy", Help: "Copy the last answer, if the terminal lets programs.", during: true, run: (*Chat).copy},
		{Name: "quit", Help: "End the chat.", also: []string{"exit", "bye"}, during: true, run: func(*Chat, string) (Effect, error) { return Effect{Quit: true}, nil }},
	}
}

// commandLine is what a command looks like: a path such as /etc/hosts does not.
var commandLine = regexp.MustCompile(`^/([a-z?]+)(?:\s+((?s:.*)))?$`)

// IsCommand reports whether a text is a command, and no message.
func IsCommand(text string) bool { return commandLine.MatchString(strings.TrimRight(text, " \t\r\n")) }

// Do carries a command out.
func (c *Chat) Do(line string) (Effect, error) {
	m := commandLine.FindStringSubmatch(strings.TrimRight(line, " \t\r\n"))
	if m == nil {
		return Effect{}, fmt.Errorf("%s is no command", line)
	}
	at := slices.IndexFunc(commands, func(k Command) bool { return k.Name == m[1] || slices.Contains(k.also, m[1]) })
	if at < 0 {
		return Effect{}, fmt.Errorf("there is no command /%s; /help lists them (a blank before the slash makes it a message)", m[1])
	}
	if c.Current().Answer != nil && !commands[at].during {
		return Effect{}, ErrBusy
	}
	return commands[at].run(c, m[2])
}

func (c *Chat) help(string) (Effect, error) {
	width := 0
	for _, k := range commands {
		width = max(width, len(k.Name)+1+len(k.Args)+1)
	}
	var b strings.Builder
	for _, k := range commands {
		fmt.Fprintf(&b, "%-*s  %s\n", width, strings.TrimSpace("/"+k.Name+" "+k.Args), k.Help)
	}
	return Effect{Note: strings.TrimSuffix(b.String(), "\n")}, nil
}

func (c *Chat) system(text string) (Effect, error) {
	v := c.Current()
	if text == "" {
		if v.System() == "" {
			return Effect{Note: "There is no system message."}, nil
		}
		return Effect{Note: "System message: " + v.System()}, nil
	}
	if c.raw {
		return Effect{}, errSystem
	}
	if text == "none" {
		v.setSystem("")
		return Effect{Note: "The system message is gone."}, nil
	}
	v.setSystem(text)
	return Effect{Note: "The system message is set; answers to come follow it."}, nil
}

func (c *Chat) params(args string) (Effect, error) {
	p := &c.Current().Params
	name, value := args, ""
	if at := strings.IndexAny(args, " \t\n="); at >= 0 {
		name, value = args[:at], strings.TrimSpace(args[at:])
		value = strings.TrimSpace(strings.TrimPrefix(value, "="))
	}
	name = strings.ReplaceAll(strings.TrimLeft(name, "-"), "-", "_") // as flags are spelt
	switch {
	case name == "reset":
		*p = c.Current().start.clone()
	case value != "":
		if err := p.set(name, value); err != nil {
			return Effect{}, err
		}
	}
	var lines []string
	for _, s := range p.Settings() {
		if name == "" || name == "reset" || name == s.Name {
			lines = append(lines, fmt.Sprintf("%-21s  %-8s  %s", s.Name, s.Value, s.Help))
		}
	}
	if len(lines) == 0 {
		return Effect{}, fmt.Errorf("there is no parameter %s; there are %s", name, strings.Join(SettingNames(), ", "))
	}
	return Effect{Note: strings.Join(lines, "\n")}, nil
}

var errNothingSaid = errors.New("nothing has been said yet")

func (c *Chat) regenerate(string) (Effect, error) {
	if c.Current().Turns() == 0 {
		return Effect{}, errNothingSaid
	}
	return Effect{Answer: true}, nil
}

func (c *Chat) undo(string) (Effect, error) {
	v := c.Current()
	at := v.last("user")
	if at < 0 {
		return Effect{}, errNothingSaid
	}
	text := Text(v.Entries[at].Message)
	v.cut(at)
	return Effect{Input: text, Note: "The last message and its answer are taken back."}, nil
}

func (c *Chat) clear(string) (Effect, error) {
	v := c.Current()
	v.Entries = slices.DeleteFunc(v.Entries, func(e Entry) bool { return !e.System() })
	v.unseen = 0
	return Effect{Note: "The conversation begins anew."}, nil
}

func (c *Chat) forkCommand(name string) (Effect, error) {
	if strings.ContainsAny(name, " \t\n") {
		return Effect{}, errors.New("a conversation's name is one word")
	}
	before := c.Current().Name
	v, err := c.fork(name)
	if err != nil {
		return Effect{}, err
	}
	return Effect{Note: fmt.Sprintf("This is conversation %s, which goes on from here. /switch %s goes back to the other.", v.Name, before)}, nil
}

func (c *Chat) switchCommand(name string) (Effect, error) {
	if err := c.switchTo(name); err != nil {
		return Effect{}, err
	}
	return Effect{Note: fmt.Sprintf("This is conversation %s, of %s.", c.Current().Name, Count(c.Current().Turns(), "turn"))}, nil
}

func (c *Chat) copy(string) (Effect, error) {
	v := c.Current()
	at := v.last("assistant")
	if at < 0 {
		return Effect{}, errors.New("there is no answer yet")
	}
	return Effect{Copy: Text(v.Entries[at].Message), Note: "Copied the last answer, if the terminal lets programs use its clipboard."}, nil
}
