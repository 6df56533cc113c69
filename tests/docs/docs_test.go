//go:build !js

// Package docs tests that what the documents print is so.
package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/model"
	"quire/engine/openai/toolcall"
	"quire/engine/quant"
)

const root = "../.."

// pages are the documents that people read.
func pages(t *testing.T) []string {
	found, err := filepath.Glob(root + "/docs/*.md")
	require.NoError(t, err)
	return append(found, root+"/README.md", root+"/ARCHITECTURE.md", root+"/CHANGELOG.md", root+"/web/README.md")
}

// blocks gives the code of a language in a page.
func blocks(t *testing.T, page, language string) []string {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	var all []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllSubmatch(text, -1) {
		all = append(all, string(m[1]))
	}
	return all
}

// module makes one that takes Quire from its folder, as the documents say.
func module(t *testing.T, code string) (dir string) {
	dir = t.TempDir()
	folder, err := filepath.Abs(root)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(code), 0o600))
	for _, args := range [][]string{{"mod", "init", "example.org/app"}, {"mod", "edit", "-replace", "quire=" + folder}, {"get", "quire/engine"}} {
		run(t, dir, "go", args...)
	}
	return dir
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s %s\n%s", name, args, out)
}

// The program of the front page builds as it is printed, in another module.
func TestGoOnTheFrontPage(t *testing.T) {
	code := blocks(t, root+"/README.md", "go")
	require.Len(t, code, 1)
	run(t, module(t, code[0]), "go", "build", "-o", os.DevNull, ".")
}

func TestGoInTheDocuments(t *testing.T) {
	code := blocks(t, root+"/docs/go.md", "go")
	require.Len(t, code, 2)
	run(t, module(t, "package app\n\nimport (\n\t\"context\"\n\t\"strings\"\n\n\t\"quire/engine\"\n)\n\n"+strings.Join(code, "\n")), "go", "vet", ".")
}

func TestJavaScript(t *testing.T) {
	some := 0
	for _, page := range pages(t) {
		for _, code := range blocks(t, page, "js") {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "page.mjs"), []byte(code), 0o600))
			run(t, dir, "node", "--check", "page.mjs")
			some++
		}
	}
	assert.Positive(t, some)
}

// What a page links to in this project is there.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:\s]+)(#[^)\s]+)?\)`)
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			to := filepath.Join(filepath.Dir(page), m[1])
			_, err := os.Stat(to)
			assert.NoError(t, err, page)
			if m[2] != "" {
				linked, err := os.ReadFile(to)
				require.NoError(t, err)
				heading := strings.ReplaceAll(m[2][1:], "-", " ")
				assert.Regexp(t, `(?im)^#+ `+regexp.QuoteMeta(heading)+`$`, string(linked), page)
			}
		}
	}
}

// Wherever it is said what runs, all that runs is named, and no other type.
func TestWhatRuns(t *testing.T) {
	sentence := regexp.MustCompile(`Models[^.]*architectures[^.]*`)
	types := regexp.MustCompile(`\b(B?F[0-9]+|(?:MX|NV)FP4|[A-Z]*Q[0-9]_[A-Z0-9]+)\b`) // Q4_K_M is none
	for _, page := range []string{"/README.md", "/web/README.md", "/web/page/advice.js"} {
		text, err := os.ReadFile(root + page)
		require.NoError(t, err)
		says := sentence.FindString(string(text))
		for _, name := range model.Architectures() {
			assert.Regexp(t, `\b`+name+`\b`, says, page)
		}
		var want []string
		for _, typ := range quant.All() {
			if typ.Runs() {
				want = append(want, typ.String())
			}
		}
		assert.ElementsMatch(t, want, types.FindAllString(says, -1), page)
	}
}

// The front page is short, and its picture small.
func TestFrontPage(t *testing.T) {
	text, err := os.ReadFile(root + "/README.md")
	require.NoError(t, err)
	assert.LessOrEqual(t, strings.Count(string(text), "\n"), 120)
	picture, err := os.Stat(root + "/docs/page.png")
	require.NoError(t, err)
	assert.Less(t, picture.Size(), int64(150_000))
}

// TestToolFormats: the page about the API lists all formats of tool calls.
func TestToolFormats(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/api.md")
	require.NoError(t, err)
	for _, name := range toolcall.Names() {
		assert.Regexp(t, "(?m)^\\|[^|]*`"+regexp.QuoteMeta(name)+"`", string(page))
	}
}

// TestComingFrom: the flags that people are sent to are there.
func TestComingFrom(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/coming-from.md")
	require.NoError(t, err)
	manual, err := os.ReadFile(root + "/docs/quire.md")
	require.NoError(t, err)
	ours := regexp.MustCompile(`(?m)^\|.*\|(.*)\|$`)
	flags := 0
	for _, row := range ours.FindAllStringSubmatch(string(page), -1) {
		for _, flag := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(row[1], -1) {
			flags++
			assert.Contains(t, string(manual), "`"+flag, row[0])
		}
	}
	assert.Greater(t, flags, 20)
}
