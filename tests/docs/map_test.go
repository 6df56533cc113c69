//go:build !js

package docs

import (
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var quoted = regexp.MustCompile("`([^`]+)`")

// A room is a row of the map's table.
type room struct{ folders, may []string }

// rooms gives the rows that name each package of ours that may be imported.
func rooms(t *testing.T) (all []room) {
	text, err := os.ReadFile(root + "/ARCHITECTURE.md")
	require.NoError(t, err)
	for _, row := range regexp.MustCompile(`(?m)^\| (`+"`"+`(?:engine|paging|shaders)/.*?) \| .* \| (.*) \|$`).FindAllStringSubmatch(string(text), -1) {
		var r room
		for _, name := range quoted.FindAllStringSubmatch(row[1], -1) {
			r.folders = append(r.folders, strings.TrimSuffix(name[1], "/"))
		}
		for _, name := range quoted.FindAllStringSubmatch(row[2], -1) {
			r.may = append(r.may, name[1])
		}
		if !strings.HasSuffix(row[2], "below") {
			all = append(all, r)
		}
	}
	return all
}

// The map says of a room which others it imports: all of them, and no other.
func TestMapOfImports(t *testing.T) {
	all := rooms(t)
	require.Greater(t, len(all), 20)
	owner := map[string]int{}
	for i, r := range all {
		for _, folder := range r.folders {
			owner[folder] = i
		}
	}
	for i, r := range all {
		imports := map[string]bool{}
		for _, folder := range r.folders {
			require.NoError(t, filepath.WalkDir(filepath.Join(root, folder), func(name string, entry fs.DirEntry, err error) error {
				under, _ := filepath.Rel(root, name)
				under = filepath.ToSlash(under)
				if other, ok := owner[under]; ok && other != i || strings.HasSuffix(under, "test") && entry.IsDir() {
					return fs.SkipDir
				}
				if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
					return err
				}
				file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
				if err != nil {
					return err
				}
				for _, spec := range file.Imports {
					imported, _ := strconv.Unquote(spec.Path.Value)
					ours, ok := strings.CutPrefix(imported, "quire/")
					if other, has := owner[ours]; ok && (has && other != i || !has && !strings.HasPrefix(ours, folder+"/")) {
						imports[path.Base(ours)] = true
					}
				}
				return nil
			}))
		}
		var want []string
		for name := range imports {
			want = append(want, name)
		}
		var may []string
		for _, name := range r.may {
			if name != "syscall/js" && !strings.HasSuffix(name, "/") {
				may = append(may, name)
			}
		}
		assert.ElementsMatch(t, want, may, r.folders)
	}
}

// The files that the map names are there.
func TestMapOfFiles(t *testing.T) {
	text, err := os.ReadFile(root + "/ARCHITECTURE.md")
	require.NoError(t, err)
	list := exec.Command("git", "ls-files")
	list.Dir = root
	tracked, err := list.Output()
	require.NoError(t, err)
	files := "/" + strings.ReplaceAll(strings.TrimSpace(string(tracked)), "\n", "\n/") + "\n"
	name := regexp.MustCompile(`^[\w./*-]+\.(go|js|json|md|sh|wgsl)$`)
	some := 0
	for _, m := range quoted.FindAllStringSubmatch(string(text), -1) {
		if name.MatchString(m[1]) && !strings.Contains(m[1], "NAME") && m[1] != ".wgsl" {
			some++
			assert.Regexp(t, "(?m)/"+strings.ReplaceAll(regexp.QuoteMeta(m[1]), `\*`, ".*")+"$", files)
		}
	}
	assert.Greater(t, some, 50)
}

// The architecture that the map shows is the one that a test runs.
func TestMapShowsAnArchitecture(t *testing.T) {
	code := blocks(t, root+"/ARCHITECTURE.md", "go")
	require.Len(t, code, 1)
	test, err := os.ReadFile(root + "/engine/model/novel_test.go")
	require.NoError(t, err)
	_, shown, found := strings.Cut(code[0], "func novel")
	require.True(t, found)
	assert.Contains(t, string(test), "func novel"+shown)
	formatted, err := format.Source([]byte(code[0]))
	require.NoError(t, err)
	assert.Equal(t, string(formatted), code[0])
}
