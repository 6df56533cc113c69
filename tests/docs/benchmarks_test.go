//go:build !js

package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/bench"
	"quire/engine/quant"
)

// report is of bench.Report what the documents tell.
type report struct {
	Command, Adapter, Host, Backend, Type string
	Results                               []bench.Result
	Load                                  *bench.Load // of a run that measures nothing else
}

// kept gives the runs of a file in tests/benchmarks.
func kept(t *testing.T, name string) (runs []report) {
	text, err := os.ReadFile(filepath.Join(root, "tests/benchmarks", name))
	require.NoError(t, err)
	for line := range bytes.Lines(text) {
		var r report
		require.NoError(t, json.Unmarshal(line, &r), name)
		runs = append(runs, r)
	}
	return runs
}

// rate is the median of what the runs measured.
func rate(t *testing.T, runs []report, test string, batch int) float64 {
	var all []float64
	for _, r := range runs {
		for _, m := range r.Results {
			if m.Test == test && m.Batch == batch {
				all = append(all, m.TokensPerSecond)
			}
		}
	}
	require.NotEmpty(t, all, "%s of %d", test, batch)
	return median(all)
}

func median(all []float64) float64 {
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// Kept runs say what made them, on what.
func TestKeptRuns(t *testing.T) {
	files, err := filepath.Glob(root + "/tests/benchmarks/*-*.json")
	require.NoError(t, err)
	text, err := os.ReadFile(root + "/docs/benchmarks.md")
	require.NoError(t, err)
	for _, file := range files {
		name := filepath.Base(file)
		if !strings.HasPrefix(name, "native-") && !strings.HasPrefix(name, "web-") {
			continue
		}
		assert.True(t, strings.Contains(string(text), "`"+name+"`"), "no page quotes %s", name)
		for _, r := range kept(t, name) {
			assert.NotEmpty(t, r.Command, name)
			assert.NotEmpty(t, r.Adapter, name)
			assert.NotEmpty(t, r.Host, name)
			assert.Equal(t, strings.HasPrefix(name, "web-"), r.Backend == "webgpu", name)
			assert.True(t, len(r.Results) > 0 || r.Load != nil, name)
		}
	}
}

// The front page's figures are those of the kept runs.
func TestFiguresOfTheFrontPage(t *testing.T) {
	text, err := os.ReadFile(root + "/README.md")
	require.NoError(t, err)
	native, web := kept(t, "native-llama-1b-h200.json"), kept(t, "web-llama-1b-h200.json")
	for _, row := range []struct {
		name, test string
		batch      int
	}{{"prefill of 2,048 tokens", "pp2048", 1}, {"decode, one sequence", "tg128", 1}, {"decode, 8 sequences", "tg128", 8}} {
		assert.Contains(t, string(text), fmt.Sprintf("| %s | %s | %s |\n", row.name, thousands(rate(t, native, row.test, row.batch)), thousands(rate(t, web, row.test, row.batch))))
	}
}

func thousands(x float64) string {
	n := int(math.Round(x))
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// The ratios of types are those of the kept runs.
func TestFiguresOfTypes(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/benchmarks.md")
	require.NoError(t, err)
	runs := map[string][]report{}
	for _, r := range kept(t, "native-types-h200.json") {
		runs[r.Type] = []report{r}
	}
	tests := map[string]string{}
	for _, r := range kept(t, "native-types-lora-h200.json") { // of those that the later run is quoted for
		switch r.Type {
		case "q3_k", "mxfp4", "nvfp4", "iq4_nl", "iq4_xs":
			runs[r.Type], tests[r.Type] = []report{r}, "pp512"
		}
	}
	later := kept(t, "native-types-lora-h200.json")[:1]
	rows := regexp.MustCompile(`\| ([A-Z0-9_]+) \| (\d\.\d\d) \| (\d\.\d\d) `).FindAllStringSubmatch(string(text), -1)
	require.Len(t, rows, 22)
	for _, row := range rows {
		typ, err := quant.Parse(row[1])
		require.NoError(t, err)
		name := strings.ToLower(typ.String())
		r, of, test := runs[name], runs["q4_0"], "pp2048"
		if tests[name] != "" {
			of, test = later, tests[name]
		}
		assert.Equal(t, row[2], fmt.Sprintf("%.2f", rate(t, r, test, 1)/rate(t, of, test, 1)), row[1])
		assert.Equal(t, row[3], fmt.Sprintf("%.2f", rate(t, r, "tg128", 1)/rate(t, of, "tg128", 1)), row[1])
	}
}

// The table of peers has what each did in the latest of the kept runs that it was in.
func TestFiguresOfPeers(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/benchmarks.md")
	require.NoError(t, err)
	file, err := os.ReadFile(root + "/tests/benchmarks/peers-h200.json")
	require.NoError(t, err)
	type run struct {
		Build, Command, Adapter, Browser, Name string
		Matrices                               bool
		Open                                   float64 `json:"open_ms"`
		Rates                                  map[string]float64
	}
	var runs []run // the latest builds first
	for line := range bytes.Lines(file) {
		var r run
		require.NoError(t, json.Unmarshal(line, &r))
		assert.NotEmpty(t, r.Command)
		assert.Equal(t, r.Name == "quire-native" || r.Name == "llama.cpp", r.Browser == "")
		runs = append(runs, r)
	}
	columns := []struct {
		name     string
		matrices bool
	}{{"quire", false}, {"quire", true}, {"transformers.js", false}, {"transformers.js", true}, {"wllama", false}, {"quire-native", false}, {"llama.cpp", false}}
	rows := regexp.MustCompile(`(?m)^\| (prompt of|decode,|opening,) ([0-9a-z, ]+) \| (.*) \|$`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, rows, 8)
	for _, row := range rows {
		n := strings.ReplaceAll(strings.Replace(row[2], "one sequence", "1", 1), ",", "")
		test := regexp.MustCompile(map[string]string{"prompt of": "^pp" + n + "$", "decode,": `^tg\d\d+ x ` + n + "$", "opening,": "^$"}[row[1]])
		for i, cell := range strings.Split(row[3], " | ") {
			var values []float64
			build := ""
			for _, r := range runs {
				if r.Name != columns[i].name || r.Matrices != columns[i].matrices || build != "" && r.Build != build {
					continue
				}
				had := len(values)
				if row[1] == "opening," && r.Open > 0 {
					values = append(values, r.Open)
				}
				for name, rate := range r.Rates {
					if test.MatchString(name) {
						values = append(values, rate)
					}
				}
				if len(values) > had {
					build = r.Build
				}
			}
			if cell == "–" {
				continue
			}
			require.NotEmpty(t, values, "%s, column %d", row[0], i)
			assert.Equal(t, thousands(median(values)), strings.Trim(cell, "*"), "%s, column %d", row[0], i)
		}
	}
}
