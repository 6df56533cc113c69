package main

import (
	"quire/cmd/native/pull"
)

type rmCommand struct {
	Models []string `arg:"" name:"model" names:"" help:"Names as \"quire list\" shows them, or as they were pulled."`
	DryRun bool     `help:"Only say what would go."`
	JSON   bool     `name:"json" help:"Print one JSON object."`
}

// Help is what --help shows beyond the flags.
func (*rmCommand) Help() string {
	return `Removes models from the cache, by any of their names, and what a broken pull has left of them. A name of a repository alone means the
model that was pulled by it, or the only one of that repository.

--json prints "removed", each with "name" and "bytes", "bytes" in all, and "dry_run".

Examples:

  quire rm hf:owner/repo-GGUF:Q8_0
  quire rm https://example.org/model.gguf`
}

// Run runs the command.
func (c *rmCommand) Run(h *host) error {
	p, err := newPuller(pull.Options{})
	if err != nil {
		return err
	}
	var all []pull.Removed
	for _, text := range c.Models {
		n, named, err := p.Parse(text)
		if err == nil && !named {
			err = &pull.Error{Text: text + ": this is no name of a model in the cache", Hint: "\"quire list\" shows what is there. Other files are not Quire's to remove."}
		}
		var some []pull.Removed
		if err == nil {
			some, err = p.Cache.Remove(n, c.DryRun)
		}
		all = append(all, some...)
		if err != nil {
			if len(all) > 0 {
				printRemoved(h, all, c.DryRun, c.JSON)
			}
			return err
		}
	}
	return printRemoved(h, all, c.DryRun, c.JSON)
}
