package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"quire/cmd/native/pull"
)

type listCommand struct {
	JSON bool `name:"json" help:"Print one JSON object."`
}

// Help is what --help shows beyond the flags.
func (*listCommand) Help() string {
	return `Lists the models that "quire pull" has put into the cache, the last used first, with their sizes and when they were last used. Pulls that
were broken off are listed with what is there of them.

--json prints "folder", "models", each with "name", "names" (all that it may be called), "path", "bytes", "files", "commit", "pulled" and
"used", and "partial", each with "name", "bytes", "total_bytes" and "used".

Examples:

  quire list
  quire list --json`
}

// cached is a model as list --json has it.
type cached struct {
	Name   string       `json:"name"`
	Names  []string     `json:"names"`
	Path   string       `json:"path"`
	Bytes  int64        `json:"bytes"`
	Files  []cachedFile `json:"files"`
	Commit string       `json:"commit,omitempty"`
	Pulled time.Time    `json:"pulled"`
	Used   time.Time    `json:"used"`
}

type cachedFile struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func cachedFiles(m *pull.Model) (all []cachedFile) {
	for _, f := range m.Files {
		all = append(all, cachedFile{m.PathOf(f), f.Size, f.SHA256})
	}
	return all
}

// rest is what a broken pull has left, as list --json has it.
type rest struct {
	Name  string    `json:"name"`
	Bytes int64     `json:"bytes"`
	Total int64     `json:"total_bytes"`
	Used  time.Time `json:"used"`
}

// Run runs the command.
func (c *listCommand) Run(h *host) error {
	cache, err := pull.OpenCache()
	if err != nil {
		return err
	}
	models, rests := cache.List(), cache.Rests()
	if !c.JSON {
		return printModels(h.out, models, rests)
	}
	all := struct {
		Folder  string   `json:"folder"`
		Models  []cached `json:"models"`
		Partial []rest   `json:"partial"`
	}{cache.Folder(), []cached{}, []rest{}}
	for _, m := range models {
		all.Models = append(all.Models, cached{m.Name, m.Names(), m.Path(), m.Bytes(), cachedFiles(m), m.Commit, m.Pulled, m.Used.UTC()})
	}
	for _, r := range rests {
		all.Partial = append(all.Partial, rest{r.Name, r.Done, r.Total, r.Used.UTC()})
	}
	return writeJSON(h.out, all)
}

func printModels(w io.Writer, models []*pull.Model, rests []pull.Rest) error {
	if len(models)+len(rests) == 0 {
		_, err := fmt.Fprintln(w, "no models; \"quire pull hf:owner/repo\" fetches one")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSIZE\tUSED")
	for _, m := range models {
		fmt.Fprintf(table, "%s\t%s\t%s\n", m.ShortName(), pull.Size(m.Bytes()), ago(time.Since(m.Used)))
	}
	for _, r := range rests {
		size := pull.Size(r.Done)
		if r.Total > 0 {
			size += " of " + pull.Size(r.Total)
		}
		fmt.Fprintf(table, "%s\t%s\tnot complete, %s\n", r.Name, size, ago(time.Since(r.Used)))
	}
	return table.Flush()
}

// ago writes how long something has been, in the largest unit.
func ago(d time.Duration) string {
	for _, unit := range []struct {
		name string
		long time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		if n := int(d / unit.long); n > 0 {
			return plural(n, unit.name) + " ago"
		}
	}
	return "just now"
}

// printRemoved says what was taken out of the cache, and what that frees.
func printRemoved(h *host, all []pull.Removed, dry, asJSON bool) error {
	var bytes int64
	for _, r := range all {
		bytes += r.Bytes
	}
	if asJSON {
		type line struct {
			Name  string `json:"name"`
			Bytes int64  `json:"bytes"`
		}
		lines := []line{}
		for _, r := range all {
			lines = append(lines, line(r))
		}
		return writeJSON(h.out, struct {
			Removed []line `json:"removed"`
			Bytes   int64  `json:"bytes"`
			Dry     bool   `json:"dry_run"`
		}{lines, bytes, dry})
	}
	verb := "removed"
	if dry {
		verb = "would remove"
	}
	var text strings.Builder
	for _, r := range all {
		fmt.Fprintf(&text, "%s %s, %s\n", verb, r.Name, pull.Size(r.Bytes))
	}
	if len(all) == 0 {
		text.WriteString("nothing to remove\n")
	}
	if len(all) > 1 {
		fmt.Fprintf(&text, "%s in all\n", pull.Size(bytes))
	}
	_, err := io.WriteString(h.out, text.String())
	return err
}
