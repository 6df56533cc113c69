package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"quire/cmd/native/pull"
)

type pruneCommand struct {
	Older  age   `placeholder:"AGE" help:"Remove models that were not used for so long, such as 30d, 2w or 12h."`
	Keep   *size `placeholder:"SIZE" help:"Keep the last used models within so many bytes, such as 50GiB, and remove the others."`
	DryRun bool  `help:"Only say what would go."`
	JSON   bool  `name:"json" help:"Print one JSON object."`
}

// Help is what --help shows beyond the flags.
func (*pruneCommand) Help() string {
	return `Removes from the cache what broken pulls have left and no pull is working on, files that belong to no model, and the models that
--older and --keep say. Without those all models stay.

--json prints "removed", each with "name" and "bytes", "bytes" in all, and "dry_run".

Examples:

  quire prune
  quire prune --older 30d --dry-run
  quire prune --keep 50GiB`
}

// Run runs the command.
func (c *pruneCommand) Run(h *host) error {
	cache, err := pull.OpenCache()
	if err != nil {
		return err
	}
	p := pull.Prune{Older: time.Duration(c.Older), Keep: -1, Dry: c.DryRun}
	if c.Keep != nil {
		p.Keep = int64(*c.Keep)
	}
	all, err := cache.Prune(p)
	if err != nil {
		return err
	}
	return printRemoved(h, all, c.DryRun, c.JSON)
}

// age is a time in days, weeks, or Go's units.
type age time.Duration

// Decode is kong.MapperValue.
func (a *age) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx)
	if err != nil {
		return err
	}
	d, err := parseAge(text)
	*a = age(d)
	return err
}

func parseAge(text string) (time.Duration, error) {
	wrong := fmt.Errorf("must be an age such as 30d, 2w or 12h, not %q", text)
	for unit, long := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			n, err := strconv.ParseFloat(number, 64)
			if err != nil || !(n > 0) || n > 1e5 {
				return 0, wrong
			}
			return time.Duration(n * float64(long)), nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, wrong
	}
	return d, nil
}
