package http

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"quire/engine/openai"
)

// Keys are who may call. Each has a name, by which turns are shared out, limits are counted and requests are logged.
type Keys struct{ all []key }

type key struct {
	name string
	sum  [sha256.Size]byte
}

// leastKey is how short a key may be.
const leastKey = 8

// Add adds a key.
func (k *Keys) Add(name, secret string) error {
	switch {
	case len(secret) < leastKey:
		return fmt.Errorf("a key must have at least %d characters", leastKey)
	case strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("a key must be of ASCII letters, digits and signs, without spaces")
	case slices.ContainsFunc(k.all, func(o key) bool { return o.name == name }):
		return fmt.Errorf("two keys have the name %q", name)
	}
	sum := sha256.Sum256([]byte(secret))
	if slices.ContainsFunc(k.all, func(o key) bool { return o.sum == sum }) {
		return errors.New("a key comes twice")
	}
	k.all = append(k.all, key{name, sum})
	return nil
}

// Read adds the keys of a text: a line each, a name and the key, or the key alone. Lines that begin with # are notes.
func (k *Keys) Read(from io.Reader) error {
	lines := bufio.NewScanner(from)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) == 1 {
			words = []string{fmt.Sprintf("line %d", n), words[0]}
		}
		if len(words) > 2 {
			return fmt.Errorf("line %d has %d words: it must be a name and a key, or a key", n, len(words))
		}
		if err := k.Add(words[0], words[1]); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// Len is how many keys there are.
func (k *Keys) Len() int {
	if k == nil {
		return 0
	}
	return len(k.all)
}

// find gives the name of a key, in a time that does not tell how much of it was right.
func (k *Keys) find(secret string) (name string, ok bool) {
	sum := sha256.Sum256([]byte(secret))
	for _, o := range k.all {
		if subtle.ConstantTimeCompare(sum[:], o.sum[:]) == 1 {
			name, ok = o.name, true
		}
	}
	return name, ok
}

// key gives the name of a request's key: "" where none is needed.
func (h *Handler) key(r *http.Request) (name string, ok bool) {
	if h.Keys.Len() == 0 {
		return "", true
	}
	return h.Keys.find(secret(r))
}

// secret is the key that a request shows.
func secret(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return r.Header.Get("X-Api-Key")
}

func noKey(r *http.Request) *openai.Error {
	if secret(r) == "" {
		return invalid(http.StatusUnauthorized, "missing_api_key", "You did not provide an API key: send it as \"Authorization: Bearer KEY\".")
	}
	return invalid(http.StatusUnauthorized, "invalid_api_key", "Incorrect API key provided.")
}
