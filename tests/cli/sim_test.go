//go:build !js

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const smallTrace = "TIMESTAMP,ContextTokens,GeneratedTokens\n0,30,4\n1,20,9\n2,40,1\n"

func TestSimJSON(t *testing.T) {
	r := quireWith(t, smallTrace, "sim", "--trace", "-", "--json")
	require.Zero(t, r.code, r.stderr)
	var got map[string][]map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &got))
	require.Len(t, got, 1)
	var names []any
	for _, a := range got["allocators"] {
		names = append(names, a["name"])
		for _, key := range []string{"token_share", "internal", "external", "in_flight", "tokens_per_step", "preemptions", "hit_rate"} {
			assert.IsType(t, 0.0, a[key], key)
		}
	}
	assert.Equal(t, []any{"paged", "maximum", "pow2", "oracle"}, names)
}

func TestSimTableAndChart(t *testing.T) {
	dir := t.TempDir()
	trace, chart := filepath.Join(dir, "small.csv"), filepath.Join(dir, "small.svg")
	require.NoError(t, os.WriteFile(trace, []byte(smallTrace), 0o600))
	r := quire(t, "sim", "--trace", trace, "--chart", chart)
	require.Zero(t, r.code, r.stderr)
	assert.Contains(t, r.stdout, "small.csv: 3 requests, 14 output tokens, 4096 blocks of 16 slots")
	assert.Equal(t, 7, strings.Count(r.stdout, "\n"), r.stdout)
	drawn, err := os.ReadFile(chart)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(drawn), "<svg"))
	assert.Contains(t, string(drawn), "small.csv")
}

func TestSimSharing(t *testing.T) {
	r := quire(t, "sim", "--synthetic", "instruct", "--sharing", "--requests", "5", "--json")
	require.Zero(t, r.code, r.stderr)
	var got struct {
		Sharing []struct {
			Strategy string
			Width    int
			Saved    float64
			Requests int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &got))
	require.Len(t, got.Sharing, 8)
	assert.Equal(t, "beam", got.Sharing[4].Strategy)
	assert.Equal(t, 4, got.Sharing[4].Width)
	assert.Equal(t, 5, got.Sharing[4].Requests)
}

func TestSimErrors(t *testing.T) {
	tests := []struct {
		name  string
		stdin string
		args  []string
		code  int
		says  string
	}{
		{"no workload", "", nil, 2, "either --trace FILE or --synthetic NAME"},
		{"two workloads", "", []string{"--trace", "-", "--synthetic", "short"}, 2, "either --trace"},
		{"unknown workload", "", []string{"--synthetic", "long"}, 2, `--synthetic must be one of "short","instruct"`},
		{"unknown format", "", []string{"--trace", "-", "--format", "xml"}, 2, `--format must be one of "azure","mooncake"`},
		{"format without trace", "", []string{"--synthetic", "short", "--format", "azure"}, 2, "--format goes with --trace"},
		{"chart of another kind", "", []string{"--synthetic", "short", "--chart", "a.gif"}, 2, "only .svg"},
		{"no memory", "", []string{"--synthetic", "short", "--blocks", "1"}, 2, "--blocks"},
		{"too little memory", "", []string{"--synthetic", "short", "--blocks", "128"}, 2, "hold less than --max-len 2048"},
		{"too much memory", "", []string{"--synthetic", "short", "--blocks", "2000000000"}, 2, "is the most"},
		{"too many slots", "", []string{"--synthetic", "short", "--blocks", "65536", "--block-size", "65536"}, 2, "slots in all"},
		{"watermark", "", []string{"--synthetic", "short", "--watermark", "4096"}, 2, "--watermark 4096"},
		{"step", "", []string{"--synthetic", "short", "--step-ms", "-1"}, 2, "--step-ms"},
		{"step too short", "", []string{"--synthetic", "short", "--step-ms", "1e-7"}, 2, "--step-ms"},
		{"no file", "", []string{"--trace", "no-such-file.csv"}, 1, "no-such-file.csv"},
		{"bad line", smallTrace + "3,x,1\n", []string{"--trace", "-"}, 1, `stdin: line 5: ContextTokens is "x"`},
		{"wrong format", smallTrace, []string{"--trace", "-", "--format", "mooncake"}, 1, "stdin: line 1"},
		{"empty", "", []string{"--trace", "-"}, 1, "no requests"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := quireWith(t, tt.stdin, append([]string{"sim"}, tt.args...)...)
			assert.Equal(t, tt.code, r.code)
			assert.Empty(t, r.stdout)
			assert.Contains(t, r.stderr, tt.says)
		})
	}
}
