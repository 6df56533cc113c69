package pull

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

const usualEndpoint = "https://huggingface.co"

// Endpoint is a hub, and who one is there.
type Endpoint struct {
	base    *url.URL
	token   string
	from    string // where the token was found
	Offline bool   // nothing may be asked for
}

// FromEnvironment reads the variables that Hugging Face's own programs read.
func FromEnvironment() (Endpoint, error) {
	text := strings.TrimRight(cmp.Or(os.Getenv("HF_ENDPOINT"), usualEndpoint), "/")
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || !IsAddress(text) {
		return Endpoint{}, &Error{Text: fmt.Sprintf("HF_ENDPOINT is %q, which is no address", text), Hint: "It looks like " + usualEndpoint + "."}
	}
	e := Endpoint{base: base, Offline: isTrue(os.Getenv("HF_HUB_OFFLINE"))}
	if isTrue(os.Getenv("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
		return e, nil
	}
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} {
		if e.token = clean(os.Getenv(name)); e.token != "" {
			e.from = name
			return e, nil
		}
	}
	path := tokenPath()
	if path == "" {
		return e, nil
	}
	saved, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && os.Getenv("HF_TOKEN_PATH") != "" {
		return e, fmt.Errorf("the token of HF_TOKEN_PATH: %w", err)
	}
	if e.token = clean(string(saved)); e.token != "" {
		e.from = path
	}
	return e, nil
}

// tokenPath is where Hugging Face's programs keep a token; empty where there is no such place.
func tokenPath() string {
	if path := os.Getenv("HF_TOKEN_PATH"); path != "" {
		return path
	}
	if home := os.Getenv("HF_HOME"); home != "" {
		return filepath.Join(home, "token")
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		cache = filepath.Join(home, ".cache")
	}
	return filepath.Join(cache, "huggingface", "token")
}

// clean takes off what editors and shells leave around a token.
func clean(token string) string {
	token = strings.TrimSpace(token)
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "" // a header cannot hold it
	}
	return token
}

func isTrue(text string) bool {
	switch strings.ToUpper(text) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

// is reports whether an address is of this hub. Hugging Face's is known under two names.
func (e Endpoint) is(u *url.URL) bool {
	if e.same(u) {
		return true
	}
	host := strings.TrimPrefix(strings.ToLower(u.Host), "www.")
	return u.Scheme == "https" && (host == "huggingface.co" || host == "hf.co")
}

// same reports whether a request goes to the hub itself: only there the token goes.
func (e Endpoint) same(u *url.URL) bool {
	return e.base != nil && strings.EqualFold(u.Scheme, e.base.Scheme) && strings.EqualFold(u.Host, e.base.Host)
}

// resolve is the address of a file's content.
func (e Endpoint) resolve(n Name) string {
	var path []string
	for part := range strings.SplitSeq(n.File, "/") {
		path = append(path, url.PathEscape(part))
	}
	return fmt.Sprintf("%s/%s/resolve/%s/%s", e.base, n.Repo, url.PathEscape(n.Revision), strings.Join(path, "/"))
}

// api is an address of a repository's description.
func (e Endpoint) api(n Name, what, query string) string {
	return fmt.Sprintf("%s/api/models/%s/%s/%s?%s", e.base, n.Repo, what, url.PathEscape(n.Revision), query)
}

// page is where a person looks at a repository.
func (e Endpoint) page(n Name) string { return fmt.Sprintf("%s/%s", e.base, n.Repo) }
