package pull

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Cache is a folder of models. Beside the first file of each lies a record of what it is.
type Cache struct{ folder string }

// Model is a model in the cache.
type Model struct {
	Name   string    `json:"name"`
	Asked  []string  `json:"asked"` // quantizations that led to it; empty: none was named
	Commit string    `json:"commit,omitempty"`
	Files  []File    `json:"files"`
	Pulled time.Time `json:"pulled"`
	Used   time.Time `json:"-"` // when the record was last touched
	Fresh  bool      `json:"-"` // of Pull: all of it was there

	record string // its path
	folder string // that paths of Files begin at
}

// File is a file of a model in the cache.
type File struct {
	Path   string `json:"path"` // below the model's folder, with slashes
	Size   int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	ETag   string `json:"etag,omitempty"` // where the server named no sum
}

// The folders of models that have been pulled by a hub's name, and by an address. What else is in the cache's folder is not the cache's.
const (
	hubFolder = "hf"
	urlFolder = "url"
)

const (
	recordEnd  = ".json"
	partialEnd = ".partial"
)

// OpenCache opens the cache that QUIRE_CACHE names, or the user's.
func OpenCache() (*Cache, error) {
	if folder := os.Getenv("QUIRE_CACHE"); folder != "" {
		absolute, err := filepath.Abs(folder)
		return &Cache{absolute}, err
	}
	folder, err := os.UserCacheDir()
	if home, known := os.UserHomeDir(); err != nil && known == nil && os.Getenv("XDG_CACHE_HOME") != "" {
		folder, err = filepath.Join(home, ".cache"), nil // a relative one counts as none
	}
	if err != nil {
		return nil, &Error{Text: "there is no folder for models: " + err.Error(), Hint: "Name one in QUIRE_CACHE, XDG_CACHE_HOME or HOME, LocalAppData on Windows."}
	}
	return &Cache{filepath.Join(folder, "quire", "models")}, nil
}

// Folder is where the cache is.
func (c *Cache) Folder() string { return c.folder }

// place is a model's folder.
func (c *Cache) place(n Name) string {
	if n.Repo != "" {
		owner, repo, _ := strings.Cut(n.Repo, "/")
		return filepath.Join(c.folder, hubFolder, owner, repo, escape(n.Revision))
	}
	first := firstOf(n)
	key := sha256.Sum256([]byte(first.String()))
	return filepath.Join(c.folder, urlFolder, escape(first.Host), hex.EncodeToString(key[:8]))
}

// firstOf is the address of the first file of a model of which one is given.
func firstOf(n Name) *url.URL {
	u, err := url.Parse(n.URL)
	if err != nil {
		return &url.URL{Path: n.URL}
	}
	base := path.Base(u.Path)
	if names := partNames(base); names[0] != base {
		u.Path, u.RawPath = strings.TrimSuffix(u.Path, base)+names[0], ""
	}
	u.Fragment = ""
	return u
}

// fileOf is the path of a name's first file below its folder.
func fileOf(n Name) string {
	if n.Repo != "" {
		return partNames(n.File)[0]
	}
	return fileName(path.Base(firstOf(n).Path))
}

// fileName makes a file's name of an address's end.
func fileName(base string) string {
	name := escape(base)
	if !isModelFile(name) {
		name += ".gguf"
	}
	return name
}

// escape writes a text so that it is a file's name on every system.
func escape(text string) string {
	var b strings.Builder
	for i, c := range []byte(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.' && i > 0 && i < len(text)-1:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Path is the path of the model's first file.
func (m *Model) Path() string { return m.PathOf(m.Files[0]) }

// PathOf is the path of one of its files.
func (m *Model) PathOf(f File) string { return filepath.Join(m.folder, filepath.FromSlash(f.Path)) }

// Bytes is how much room the model takes.
func (m *Model) Bytes() (total int64) {
	for _, f := range m.Files {
		total += f.Size
	}
	return total
}

// whole reports whether all files are there.
func (m *Model) whole() bool {
	for _, f := range m.Files {
		if info, err := os.Stat(m.PathOf(f)); err != nil || info.Size() != f.Size {
			return false
		}
	}
	return len(m.Files) > 0
}

// Names are all that the model may be called.
func (m *Model) Names() []string {
	names := []string{m.Name}
	n, ok, err := Parse(m.Name, Endpoint{})
	if !ok || err != nil || n.Repo == "" {
		return names
	}
	for _, quant := range m.Asked {
		names = append(names, Name{Repo: n.Repo, Revision: n.Revision, Quant: quant}.String())
	}
	return names
}

// ShortName is the shortest name that tells the model from others of its repository.
func (m *Model) ShortName() string {
	short := m.Name
	for i, name := range m.Names()[1:] {
		if m.Asked[i] != "" && len(name) < len(short) {
			short = name
		}
	}
	return short
}

// load reads a record.
func (c *Cache) load(record string) (*Model, error) {
	text, err := os.ReadFile(record)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(record)
	if err != nil {
		return nil, err
	}
	m := &Model{record: record, Used: info.ModTime()}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: this is no record of a model: %w", record, err)
	}
	for _, f := range m.Files {
		if checkPath(f.Path) != nil || f.Size < 0 {
			return nil, fmt.Errorf("%s: this is no record of a model", record)
		}
	}
	if len(m.Files) == 0 {
		return nil, fmt.Errorf("%s: this is no record of a model", record)
	}
	first := filepath.FromSlash(m.Files[0].Path)
	folder, ok := strings.CutSuffix(strings.TrimSuffix(record, recordEnd), string(filepath.Separator)+first)
	if !ok {
		return nil, fmt.Errorf("%s: this is the record of another file", record)
	}
	m.folder = folder
	return m, nil
}

// Find gives the model that a name means, where it is in the cache as a whole; nil where it is not.
func (c *Cache) Find(n Name) *Model {
	if n.Repo == "" || n.File != "" {
		m, err := c.load(filepath.Join(c.place(n), filepath.FromSlash(fileOf(n))) + recordEnd)
		if err != nil || !m.whole() {
			return nil
		}
		return m
	}
	for _, m := range c.within(c.place(n)) {
		if slices.Contains(m.Asked, sameQuant(n.Quant)) && m.whole() {
			return m
		}
	}
	return nil
}

// nearest gives the only model in the cache that a name of a repository may mean; nil where there are none or several.
func (c *Cache) nearest(n Name) *Model {
	var files []listed
	byFile := map[string]*Model{}
	for _, m := range c.within(c.place(n)) {
		if m.whole() {
			for _, f := range m.Files {
				files = append(files, listed{path: f.Path})
			}
			byFile[m.Files[0].Path] = m
		}
	}
	if v, err := choose(n, files); err == nil {
		return byFile[v.files[0].path]
	}
	return nil
}

// within are the models whose records lie in a folder, or below.
func (c *Cache) within(folder string) (all []*Model) {
	filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && isRecord(path) {
			if m, err := c.load(path); err == nil {
				all = append(all, m)
			}
		}
		return nil
	})
	return all
}

// walk visits all files that are the cache's. The cache's folder itself may be a link.
func (c *Cache) walk(visit fs.WalkDirFunc) {
	for _, folder := range []string{hubFolder, urlFolder} {
		filepath.WalkDir(filepath.Join(c.folder, folder), visit)
	}
}

func isRecord(path string) bool {
	rest, ok := strings.CutSuffix(path, recordEnd)
	return ok && isModelFile(rest)
}

// Touch notes that a model is used now.
func (c *Cache) Touch(m *Model) {
	now := time.Now()
	if os.Chtimes(m.record, now, now) == nil { // else the cache may be read only, which is no reason to fail
		m.Used = now
	}
}

// keep writes a model's record.
func (c *Cache) keep(m *Model) error {
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return replace(m.record, append(text, '\n'))
}

// replace writes a file so that it is never half written.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
