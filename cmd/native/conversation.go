package main

import (
	"fmt"
	"os"

	"quire/cmd/native/talk"
	"quire/engine"
)

// conversationFlags keep a conversation in a file.
type conversationFlags struct {
	Save string `filled:"" placeholder:"FILE" help:"Write the conversation to a file after the answer: its tokens, and K and V of its whole blocks, as far as the cache has them."`
	Load string `filled:"" placeholder:"FILE" help:"Go on with a conversation that --save wrote. The prompt is its next turn, or with --raw more of its text; without a prompt the text goes on. Blocks that are saved are not computed again."`

	saved *os.File // of Load
}

// open opens the file to load, and fails early where none could be written in the end.
func (c *conversationFlags) open() (err error) {
	if c.Load != "" {
		if c.saved, err = os.Open(c.Load); err != nil {
			return fmt.Errorf("--load: %w", err)
		}
		if there, err := c.saved.Stat(); err == nil && !there.Mode().IsRegular() {
			return fmt.Errorf("--load: %s is no regular file", c.Load)
		}
	}
	if c.Save != "" {
		if err := checkFile(c.Save); err != nil {
			return fmt.Errorf("--save: %w", err)
		}
	}
	return nil
}

// restore takes the conversation up; nil where there is none.
func (c *conversationFlags) restore(eng *engine.Engine) (*engine.Session, error) {
	if c.saved == nil {
		return nil, nil
	}
	defer c.saved.Close()
	s, err := eng.Restore(c.saved)
	if err != nil {
		return nil, fmt.Errorf("--load %s: %w", c.Load, err)
	}
	return s, nil
}

// keep writes the conversation, whole or not at all, and tells of it.
func (c *conversationFlags) keep(h *host, eng *engine.Engine, b *batch) error {
	s := eng.NewSession(b.said...)
	if b.messages != nil {
		note, err := talk.MessagesJSON(b.messages)
		if err != nil {
			return fmt.Errorf("--save: %w", err)
		}
		s.SetNote(note)
	}
	size, err := replaceFile(c.Save, func(f *os.File) error { return s.Save(f) })
	if err != nil {
		return fmt.Errorf("--save: %w", err)
	}
	_, err = fmt.Fprintf(h.err, "saved the conversation, %s, to %s, %s\n", plural(len(s.Tokens()), "token"), c.Save, formatSize(uint64(size)))
	return err
}
