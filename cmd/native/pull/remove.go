package pull

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Rest is what a pull that was broken off has left.
type Rest struct {
	Name  string // of the model
	Done  int64  // bytes that are there
	Total int64
	Used  time.Time // when it was last worked on

	path string
}

// List gives all models in the cache, the last used first.
func (c *Cache) List() []*Model {
	all := slices.Concat(c.within(filepath.Join(c.folder, hubFolder)), c.within(filepath.Join(c.folder, urlFolder)))
	all = slices.DeleteFunc(all, func(m *Model) bool { return !m.whole() })
	slices.SortFunc(all, func(a, b *Model) int {
		return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// Rests gives what broken pulls have left.
func (c *Cache) Rests() (all []Rest) {
	c.walk(func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !strings.HasSuffix(path, partialEnd) {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		r := Rest{Done: min(info.Size(), taken(path)), Used: info.ModTime(), path: path}
		var n note
		if text, err := os.ReadFile(path + recordEnd); err == nil && json.Unmarshal(text, &n) == nil {
			r.Name, r.Total, r.Done = n.Name, n.Size, n.Size
			for _, m := range n.Missing {
				r.Done -= m[1] - m[0]
			}
		}
		if r.Name == "" {
			r.Name = filepath.Base(strings.TrimSuffix(path, partialEnd))
		}
		all = append(all, r)
		return nil
	})
	return all
}

// Removed is what was taken out of the cache.
type Removed struct {
	Name  string
	Bytes int64
}

// Remove takes models out of the cache, by any of their names, and what is there of them in part.
func (c *Cache) Remove(n Name, dry bool) ([]Removed, error) {
	var out []Removed
	var found []*Model
	if n.Repo != "" && n.File == "" {
		all := c.within(c.place(n))
		for _, m := range all {
			if slices.Contains(m.Asked, sameQuant(n.Quant)) || n.Quant != "" && quantOf(m.Files[0].Path) == sameQuant(n.Quant) {
				found = append(found, m)
			}
		}
		if n.Quant == "" && len(found) == 0 {
			found = all
		}
		if len(found) > 1 {
			var names []string
			for _, m := range found {
				names = append(names, m.ShortName())
			}
			return nil, &Error{Text: fmt.Sprintf("%s: there are several such models in the cache", n), Hint: "Name " + strings.Join(names, ", ") + "."}
		}
	} else if m, err := c.load(filepath.Join(c.place(n), filepath.FromSlash(fileOf(n))) + recordEnd); err == nil {
		found = append(found, m)
	}
	for _, m := range found {
		if err := c.drop(m, dry); err != nil {
			return out, err
		}
		out = append(out, Removed{m.Name, m.Bytes()})
	}
	for _, r := range c.restsOf(n, found) {
		if bytes, ok := c.dropRest(r, dry); ok {
			out = append(out, Removed{r.Name, bytes})
		}
	}
	if len(out) == 0 {
		return nil, &Error{Text: fmt.Sprintf("%s: there is no such model in the cache", n), Hint: "\"quire list\" shows what is there."}
	}
	return out, nil
}

// restsOf gives what broken pulls have left of what a name means: of the models that were found, or else by the name itself.
func (c *Cache) restsOf(n Name, found []*Model) (some []Rest) {
	own := n.String()
	if len(found) > 0 {
		own = found[0].Name
	}
	var near []Rest
	for _, r := range c.Rests() {
		if r.Name == own || r.Name == n.String() {
			some = append(some, r)
		}
		of, _, err := Parse(r.Name, Endpoint{})
		if err == nil && n.Repo != "" && n.File == "" && of.Repo == n.Repo && of.Revision == n.Revision && (n.Quant == "" || quantOf(of.File) == sameQuant(n.Quant)) {
			near = append(near, r)
		}
	}
	if len(found) > 0 || len(near) == 0 || slices.ContainsFunc(near, func(r Rest) bool { return r.Name != near[0].Name }) {
		return some
	}
	return near
}

// drop takes a model's files away, the record first: what is left without one is no model.
func (c *Cache) drop(m *Model, dry bool) error {
	if dry {
		return nil
	}
	unlock, ok := c.tryLock(m.Path())
	if !ok {
		return &Error{Text: m.Name + ": it is just being pulled", Hint: "Stop that first, or wait for it."}
	}
	defer unlock()
	if err := os.Remove(m.record); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := os.Remove(m.PathOf(f)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	c.tidy(filepath.Dir(m.record))
	return nil
}

// dropRest takes away what a broken pull has left; false where somebody is at it.
func (c *Cache) dropRest(r Rest, dry bool) (int64, bool) {
	unlock, ok := c.tryLock(firstFile(strings.TrimSuffix(r.path, partialEnd)))
	if !ok {
		return 0, false
	}
	defer unlock()
	bytes := min(taken(r.path), max(r.Done, 0))
	if !dry {
		os.Remove(r.path)
		os.Remove(r.path + recordEnd)
		c.tidy(filepath.Dir(r.path))
	}
	return bytes, true
}

// firstFile is the path of the first file of a model of which one is given.
func firstFile(path string) string {
	return filepath.Join(filepath.Dir(path), partNames(filepath.Base(path))[0])
}

// tidy removes folders that have become empty, up to the cache's own.
func (c *Cache) tidy(folder string) {
	for folder != c.folder && strings.HasPrefix(folder, c.folder) && os.Remove(folder) == nil {
		folder = filepath.Dir(folder)
	}
}

// Prune says what may go: models unused for so long, and the longest unused beyond so many bytes. What broken pulls have left goes
// always, and so do files without a record.
type Prune struct {
	Older time.Duration // 0: of any age
	Keep  int64         // negative: any number of bytes
	Dry   bool          // only say what would go
}

// Prune takes out of the cache what may go.
func (c *Cache) Prune(p Prune) ([]Removed, error) {
	var out []Removed
	for _, r := range c.Rests() {
		if bytes, ok := c.dropRest(r, p.Dry); ok {
			out = append(out, Removed{r.Name, bytes})
		}
	}
	out = append(out, c.strays(p.Dry)...)
	var kept int64
	for _, m := range c.List() { // the last used first
		if (p.Older == 0 || time.Since(m.Used) < p.Older) && (p.Keep < 0 || kept+m.Bytes() <= p.Keep) {
			kept += m.Bytes()
			continue
		}
		if err := c.drop(m, p.Dry); err != nil {
			return out, err
		}
		out = append(out, Removed{m.Name, m.Bytes()})
	}
	return out, nil
}

// strays takes away files that no whole model has.
func (c *Cache) strays(dry bool) (out []Removed) {
	owned := map[string]bool{}
	for _, m := range c.List() {
		owned[m.record] = true
		for _, f := range m.Files {
			owned[m.PathOf(f)] = true
		}
	}
	c.walk(func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || owned[path] || !isModelFile(strings.TrimSuffix(path, recordEnd)) {
			return nil
		}
		if _, err := os.Stat(strings.TrimSuffix(path, recordEnd) + partialEnd); err == nil {
			return nil // the new state of this file is being pulled
		}
		unlock, ok := c.tryLock(firstFile(strings.TrimSuffix(path, recordEnd)))
		if !ok {
			return nil
		}
		defer unlock()
		bytes := taken(path)
		if !dry && os.Remove(path) != nil {
			return nil
		}
		if !dry {
			c.tidy(filepath.Dir(path))
		}
		out = append(out, Removed{filepath.Base(path), bytes})
		return nil
	})
	return out
}
