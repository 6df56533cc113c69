// Package pull fetches models by name into a cache that all commands share: of a hub that speaks Hugging Face's protocol, or by
// their address.
package pull

import (
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// Name is a model's name: of a repository on a hub, with a quantization or a file, or an address.
type Name struct {
	Repo     string // owner/name; empty where only the address is known
	Revision string // a branch, a tag or a commit
	Quant    string // such as Q4_K_M, as it was written; empty: the usual one
	File     string // path within the repository
	URL      string // as it was given, where it was an address
}

const mainRevision = "main"

var (
	hubName = regexp.MustCompile(`^([^/@:]+)/([^/@:]+)(?:@(refs/(?:pr|convert)/[^/:]+|[^/:]+))?(?:/([^:]+))?(?::([^/:]+))?$`)
	repoURL = regexp.MustCompile(`^/([^/]+)/([^/]+)(?:/(?:resolve|blob|raw|tree)/(refs/(?:pr|convert)/[^/]+|[^/]+)(?:/(.+?))?)?/?$`)
	// A hub's own rule for owners and repositories.
	word = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}$`)
)

// prefixes begin the names of models on a hub. The ones without a colon are as other programs have them.
var prefixes = []string{"hf://", "hf:", "hf.co/", "huggingface.co/"}

// Parse reads a model's name. False means that it is none: a path.
func Parse(text string, e Endpoint) (Name, bool, error) {
	if IsAddress(text) {
		n, err := parseAddress(text, e)
		return n, true, err
	}
	for _, prefix := range prefixes {
		if len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
			n, err := parseHub(text, text[len(prefix):])
			return n, true, err
		}
	}
	return Name{}, false, nil
}

// IsName reports whether a text is meant to be a model's name, and no path.
func IsName(text string) bool {
	if IsAddress(text) {
		return true
	}
	for _, prefix := range prefixes {
		if len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
			return true
		}
	}
	return false
}

// IsFileAddress reports whether the name is an address of a file, not of a repository's page.
func (n Name) IsFileAddress() bool { return n.URL != "" && (n.Repo == "" || n.File != "") }

// IsAddress reports whether a model's name is an http(s) address.
func IsAddress(text string) bool {
	scheme, _, found := strings.Cut(text, "://")
	return found && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

func parseHub(text, rest string) (Name, error) {
	m := hubName.FindStringSubmatch(rest)
	if m == nil {
		return Name{}, &Error{Text: text + ": this is not a whole name of a model", Hint: namesLook}
	}
	n := Name{Repo: m[1] + "/" + m[2], Revision: m[3], File: m[4], Quant: m[5]}
	if revision, err := url.PathUnescape(n.Revision); err == nil {
		n.Revision = revision
	}
	if n.Revision == "" {
		n.Revision = mainRevision
	}
	if n.File != "" && n.Quant != "" {
		return Name{}, &Error{Text: text + ": it names a file and a quantization", Hint: namesLook}
	}
	if isModelFile(n.Quant) { // as ollama has it
		n.File, n.Quant = n.Quant, ""
	}
	if strings.EqualFold(n.Quant, "latest") {
		n.Quant = ""
	}
	return n, n.check(text)
}

const namesLook = "Names look like hf:owner/repo, hf:owner/repo:Q4_K_M, hf:owner/repo/file.gguf, or hf:owner/repo@revision:Q4_K_M."

// parseAddress finds out whether an address is of a hub's repository.
func parseAddress(text string, e Endpoint) (Name, error) {
	n := Name{URL: text}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return n, &Error{Text: text + ": this is not a whole address", Hint: "An address looks like https://example.org/model.gguf."}
	}
	if !e.is(u) {
		return n, nil
	}
	base := e.base.Path
	m := repoURL.FindStringSubmatch(strings.TrimPrefix(u.Path, base))
	if m == nil || !word.MatchString(m[1]) || !word.MatchString(m[2]) || m[4] != "" && !isModelFile(m[4]) {
		return n, nil
	}
	n.Repo, n.Revision, n.File = m[1]+"/"+m[2], m[3], m[4]
	if n.Revision == "" {
		n.Revision = mainRevision
	}
	return n, n.check(text)
}

// check refuses names that would lead out of a repository, or out of the cache.
func (n Name) check(text string) error {
	owner, repo, _ := strings.Cut(n.Repo, "/")
	for _, part := range []string{owner, repo} {
		if !word.MatchString(part) || strings.Contains(part, "..") {
			return &Error{Text: fmt.Sprintf("%s: no repository can be called %q", text, n.Repo), Hint: namesLook}
		}
	}
	for part := range strings.SplitSeq(n.Revision, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsFunc(part, odd) {
			return &Error{Text: fmt.Sprintf("%s: no revision can be called %q", text, n.Revision), Hint: namesLook}
		}
	}
	if n.File == "" {
		return nil
	}
	if err := checkPath(n.File); err != nil {
		return &Error{Text: text + ": " + err.Error(), Hint: namesLook}
	}
	if !isModelFile(n.File) {
		return &Error{Text: fmt.Sprintf("%s: %s is no .gguf file", text, n.File), Hint: "Quire runs GGUF files. Many models are in a repository of their own as such, often called owner/repo-GGUF."}
	}
	return nil
}

// checkPath refuses a path of a repository that could mean a place elsewhere on any system.
func checkPath(file string) error {
	if !fs.ValidPath(file) || !filepath.IsLocal(filepath.FromSlash(file)) || strings.ContainsFunc(file, odd) {
		return fmt.Errorf("the path %q is refused: it could lead out of the folder", file)
	}
	return nil
}

// odd are characters that file systems give a meaning of their own.
func odd(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`\:*?"<>|`, r) }

func isModelFile(name string) bool { return strings.EqualFold(path.Ext(name), ".gguf") }

// String is the name as one writes it, but for a password.
func (n Name) String() string {
	if n.Repo == "" {
		if u, err := url.Parse(n.URL); err == nil {
			return u.Redacted()
		}
		return n.URL
	}
	text := "hf:" + n.Repo
	if n.Revision != mainRevision {
		text += "@" + strings.ReplaceAll(n.Revision, "/", "%2F")
	}
	switch {
	case n.File != "":
		text += "/" + n.File
	case n.Quant != "":
		text += ":" + n.Quant
	}
	return text
}

// of is the name of one file of the repository.
func (n Name) of(file string) Name { return Name{Repo: n.Repo, Revision: n.Revision, File: file} }
