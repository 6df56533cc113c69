package talk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"quire/engine/chat"
	"quire/engine/json"
	"quire/engine/words"
)

// Replace writes a file whole, or leaves what is there.
type Replace func(path string, write func(*os.File) error) (size int64, err error)

// save writes the conversation at hand: its messages to a .json; to another file what the KV cache has of it, too.
func (c *Chat) saveCommand(path string) (Effect, error) {
	v := c.Current()
	if path == "" {
		return Effect{}, errors.New("/save needs a file's name, such as talk.json or talk.quire")
	}
	if v.Turns() == 0 {
		return Effect{}, errNothingSaid
	}
	path = atHome(path)
	messages := make([]chat.Message, len(v.Entries))
	for i, e := range v.Entries {
		messages[i] = e.Message
	}
	text, err := MessagesJSON(messages)
	if err != nil {
		return Effect{}, err
	}
	said := Count(len(messages), "message")
	if isJSON(path) {
		_, err = c.replace(path, func(f *os.File) error {
			_, err := f.Write(text)
			return err
		})
		return Effect{Note: fmt.Sprintf("Saved %s to %s.", said, path)}, err
	}
	tokens, err := c.computed()
	if err != nil {
		return Effect{}, err
	}
	_, err = c.replace(path, func(f *os.File) error { return c.engine.Save(f, tokens, text) })
	return Effect{Note: fmt.Sprintf("Saved %s, %s, with what the KV cache has of them, to %s.", said, Count(len(tokens), "token"), path)}, err
}

func isJSON(path string) bool { return strings.EqualFold(filepath.Ext(path), ".json") }

// computed gives the conversation's tokens as the model has computed them: the last prompt with its answer.
func (c *Chat) computed() ([]int32, error) {
	v := c.Current()
	at := v.last("assistant")
	if at < 0 || at < v.last("user") {
		ids, _, err := c.prompt(v)
		return ids, err
	}
	if tokens := v.Entries[at].tokens; tokens != nil {
		return tokens, nil
	}
	before := Conversation{Entries: v.Entries[:at], unseen: v.unseen, Params: v.Params}
	ids, _, err := c.prompt(&before)
	if err != nil {
		return nil, err
	}
	return slices.Concat(ids, c.engine.Encode(Text(v.Entries[at].Message))), nil
}

// loadCommand goes on with a conversation that was saved: in place of one in which nothing has been said, or beside it.
func (c *Chat) loadCommand(path string) (Effect, error) {
	if path == "" {
		return Effect{}, errors.New("/load needs a file's name")
	}
	path = atHome(path)
	entries, err := c.read(path)
	if err != nil {
		return Effect{}, err
	}
	beside := ""
	if v := c.Current(); v.Turns() > 0 {
		beside = fmt.Sprintf(" /switch %s goes back.", v.Name)
		if _, err = c.fork(c.free(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))); err != nil {
			return Effect{}, err
		}
	}
	v := c.Current()
	v.Entries, v.unseen, v.tries = entries, 0, 0
	unanswered := ""
	if v.last("user") > v.last("assistant") {
		unanswered = " Its last message has no answer yet: /regenerate gives one."
	}
	return Effect{Note: fmt.Sprintf("Loaded %s from %s.%s%s", Count(len(entries), "message"), path, unanswered, beside)}, nil
}

// free is a name for a conversation that none has.
func (c *Chat) free(name string) string {
	name = strings.Join(strings.Fields(Clean(name)), "-")
	for c.named(name) >= 0 {
		name += "'"
	}
	return name
}

// read reads a conversation: messages in JSON, or a session that has them beside its tokens.
func (c *Chat) read(path string) (entries []Entry, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if there, err := f.Stat(); err != nil || !there.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s is no regular file", path))
	}
	start := make([]byte, 8)
	n, _ := io.ReadFull(f, start)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var text []byte
	if bytes.HasPrefix(start[:n], []byte("QuireKV")) {
		if text, err = c.engine.Restore(f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if text == nil {
			return nil, fmt.Errorf(`%s has the tokens of a conversation, and not its messages: "quire run --load" goes on with it`, path)
		}
	} else if text, err = io.ReadAll(f); err != nil {
		return nil, err
	}
	messages, err := ReadMessages(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.New(words.Error(err)))
	}
	for _, m := range messages {
		entries = append(entries, Entry{Message: m})
	}
	return entries, nil
}

// MessagesJSON writes messages as the API has them: a list of objects, a line each.
func MessagesJSON(messages []chat.Message) ([]byte, error) {
	lines := make([]string, len(messages))
	for i, m := range messages {
		text, err := m.MarshalJSON()
		if err != nil {
			return nil, err
		}
		lines[i] = "  " + string(text)
	}
	return []byte("[\n" + strings.Join(lines, ",\n") + "\n]\n"), nil
}

// ReadMessages reads messages as the API has them: a list of objects with a role and a content, or an object that has the list under
// "messages".
func ReadMessages(text []byte) ([]chat.Message, error) {
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		var request map[string]json.RawMessage
		if err := json.Unmarshal(text, &request); err != nil {
			return nil, err
		}
		if text = request["messages"]; text == nil {
			return nil, errors.New(`the object has no "messages"`)
		}
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("there are no messages in it")
	}
	return chat.ReadMessages(list)
}

// atHome gives a path that begins with ~/ as a shell would.
func atHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}
