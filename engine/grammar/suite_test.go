package grammar

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// spellings gives a value's texts with its objects' properties in all orders, up to some number.
func spellings(value any, most int) []string {
	switch v := value.(type) {
	case map[string]any:
		var names []string
		for name := range v {
			names = append(names, name)
		}
		sort.Strings(names)
		var out []string
		permute(names, 0, func() bool {
			texts := []string{"{"}
			for i, name := range names {
				var buffer bytes.Buffer
				encoder := json.NewEncoder(&buffer)
				encoder.SetEscapeHTML(false)
				_ = encoder.Encode(name)
				key := bytes.TrimSpace(buffer.Bytes())
				var next []string
				for _, t := range texts {
					for _, item := range spellings(v[name], most) {
						if i > 0 {
							item = "," + string(key) + ":" + item
						} else {
							item = string(key) + ":" + item
						}
						if len(next) < most {
							next = append(next, t+item)
						}
					}
				}
				texts = next
			}
			for _, t := range texts {
				out = append(out, t+"}")
			}
			return len(out) < most
		})
		return out
	case []any:
		texts := []string{"["}
		for i, item := range v {
			var next []string
			for _, t := range texts {
				for _, s := range spellings(item, most) {
					if i > 0 {
						s = "," + s
					}
					if len(next) < most {
						next = append(next, t+s)
					}
				}
			}
			texts = next
		}
		for i := range texts {
			texts[i] += "]"
		}
		return texts
	case json.Number: // whole numbers without a point or an exponent, others without an exponent
		r, _ := new(big.Rat).SetString(string(v))
		if r.IsInt() {
			return []string{r.Num().String()}
		}
		return []string{strings.TrimRight(r.FloatString(300), "0")}
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value)
	text := strings.TrimSpace(buffer.String())
	return []string{strings.ReplaceAll(strings.ReplaceAll(text, `\u2028`, "\u2028"), `\u2029`, "\u2029")}
}

func permute(list []string, from int, each func() bool) bool {
	if from == len(list) {
		return each()
	}
	for i := from; i < len(list); i++ {
		list[from], list[i] = list[i], list[from]
		if !permute(list, from+1, each) {
			return false
		}
		list[from], list[i] = list[i], list[from]
	}
	return true
}

type suiteCase struct {
	Description string
	Schema      json.RawMessage
	Tests       []struct {
		Description string
		Data        any
		Valid       bool
	}
}

// runSuite tries each instance of a folder of JSON-Schema-Test-Suite: valid ones belong to the grammar in some order of
// properties, others in none.
func runSuite(t *testing.T, folder string, skip func(file string, g suiteCase) bool) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	v := mixed(0)
	groups, refused, tests := 0, 0, 0
	reasons := map[string]int{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var list []suiteCase
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&list), file)
		for _, g := range list {
			if skip != nil && skip(filepath.Base(file), g) {
				continue
			}
			groups++
			compiled, err := Compile(JSONSchema, string(g.Schema), Limits{})
			nothing := err != nil && (strings.Contains(err.Error(), "nothing can satisfy") || strings.Contains(err.Error(), "never ends"))
			if err != nil && !nothing {
				refused++
				var e *Error
				require.True(t, errors.As(err, &e))
				require.NotEmpty(t, e.Where, err)
				reasons[e.Where[strings.LastIndexByte(e.Where, '/')+1:]+": "+e.Text]++
				continue
			}
			for _, test := range g.Tests {
				tests++
				found := ""
				if !nothing {
					m := compiled.Matcher(v)
					for _, text := range spellings(test.Data, 800) {
						if accepts(m, text) {
							found = text
							break
						}
					}
				}
				if (found != "") != test.Valid {
					t.Errorf("%s: %s: %s: %s: valid %v: %q", filepath.Base(file), g.Description, test.Description, g.Schema, test.Valid, spellings(test.Data, 1))
				}
			}
		}
	}
	t.Logf("%s: %d schemas, of which %d (%.1f %%) are refused by name, and %d instances", folder, groups, refused, 100*float64(refused)/float64(groups), tests)
	for _, r := range sortedKeys(reasons) {
		t.Logf("%4d %s", reasons[r], r)
	}
}

func sortedKeys(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func TestSuite(t *testing.T) {
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("downloads JSON-Schema-Test-Suite: set QUIRE_ALL=1")
	}
	dir := t.TempDir()
	run := func(name string, args ...string) []byte {
		command := exec.Command(name, args...)
		command.Dir = dir
		out, err := command.Output()
		require.NoError(t, err, name)
		return out
	}
	t.Run("draft 4", func(t *testing.T) {
		archive := strings.TrimSpace(string(run("npm", "pack", "--silent", "json-schema-test-suite@0.0.10")))
		run("tar", "xzf", archive)
		runSuite(t, filepath.Join(dir, "package/tests/draft4"), nil)
	})
	t.Run("draft 2020-12", func(t *testing.T) { // a package that carries the suite of today
		var module struct{ Dir string }
		require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module suite\n"), 0o666))
		require.NoError(t, json.Unmarshal(run("go", "mod", "download", "-json", "github.com/google/jsonschema-go@v0.4.2"), &module))
		runSuite(t, filepath.Join(module.Dir, "jsonschema/testdata/draft2020-12"), nil)
	})
}
