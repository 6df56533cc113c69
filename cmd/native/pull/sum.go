package pull

import (
	"crypto/sha1" // git's name for a file; what is large has SHA-256
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

const (
	sha256Sum = "SHA-256"
	gitSum    = "git SHA-1"
)

// sum is what a file's bytes must add up to.
type sum struct {
	kind string // empty: not known
	hex  string
}

// sumOf reads a hub's ETag: the SHA-256 of a large file, or git's name of a small one.
func sumOf(etag string) sum {
	text := strings.ToLower(strings.Trim(strings.TrimPrefix(strings.TrimSpace(etag), "W/"), `"`))
	text = strings.TrimPrefix(text, "sha256:")
	if _, err := hex.DecodeString(text); err != nil {
		return sum{}
	}
	switch len(text) {
	case 2 * sha256.Size:
		return sum{sha256Sum, text}
	case 2 * sha1.Size:
		return sum{gitSum, text}
	}
	return sum{}
}

// adder adds a file's bytes up, in order.
type adder struct {
	sha256 hash.Hash
	git    hash.Hash // nil: not asked for
}

func newAdder(want sum, size int64) *adder {
	a := &adder{sha256: sha256.New()}
	if want.kind == gitSum {
		a.git = sha1.New()
		fmt.Fprintf(a.git, "blob %d\x00", size)
	}
	return a
}

// Write is io.Writer.
func (a *adder) Write(p []byte) (int, error) {
	if a.git != nil {
		a.git.Write(p)
	}
	return a.sha256.Write(p)
}

// result is the SHA-256 of what came, and what is wrong with it; empty where nothing is, or nothing is known.
func (a *adder) result(want sum) (sha256 string, wrong string) {
	sha256 = hex.EncodeToString(a.sha256.Sum(nil))
	got := sha256
	if a.git != nil {
		got = hex.EncodeToString(a.git.Sum(nil))
	}
	if want.kind != "" && got != want.hex {
		wrong = fmt.Sprintf("its %s is %s, and the hub names %s", want.kind, got, want.hex)
	}
	return sha256, wrong
}
