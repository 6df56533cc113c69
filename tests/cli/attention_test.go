//go:build !js

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/bench/attend"
)

// tinyAttention is soon over on a software adapter.
var tinyAttention = onAdapter("bench", "attention", "--length", "32,64", "--head-dim", "32", "--heads", "2/1", "--batch", "1",
	"--kind", "forward,standard,decode", "--variant", "baseline")

// onAdapter adds the adapter that $QUIRE_ADAPTER names.
func onAdapter(args ...string) []string {
	if name := os.Getenv("QUIRE_ADAPTER"); name != "" {
		args = append(args, "--adapter", name)
	}
	return slices.Clip(args)
}

func TestBenchAttention(t *testing.T) {
	charts := filepath.Join(t.TempDir(), "new")
	r := quire(t, append(tinyAttention, "--charts", charts)...).ok(t)
	for _, line := range []string{
		`(?m)^adapter +.+, reads [\d.]+ GB/s, copies [\d.]+ GB/s, multiply-adds [\d.]+ [GT]FLOP/s$`, `(?m)^clock +`,
		`(?m)^ *forward +flash +baseline +32 +32 +2/1 +1 +f32 +[\d.e+-]+ +[\d.]+ +[\d.]+ % `, `(?m)^ *forward +standard +matmul +64 `, `(?m)^ *decode +flash +baseline +64 +32 +2/1 +1 +f16 `,
		`(?m)^ *64 +32 +[\d.]+ KiB +[\d.]+ KiB +[\d.]+$`,
	} {
		assert.Regexp(t, line, r.stdout)
	}
	assert.Equal(t, 6+2, strings.Count(r.stdout, "\n")-8, "six measurements, two lines of memory:\n%s", r.stdout)
	assert.Contains(t, r.stderr, "of 11: bandwidth\n", "progress")
	for _, name := range []string{"attention-forward-32.svg", "attention-decode-32.svg", "attention-memory-32.svg"} {
		svg, err := os.ReadFile(filepath.Join(charts, name))
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(string(svg), "<svg "), name)
	}
}

func TestBenchAttentionJSON(t *testing.T) {
	out := quire(t, append(tinyAttention, "--json")...).ok(t).stdout
	assert.Equal(t, 1, strings.Count(out, "\n"))
	var report attend.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	assert.Len(t, report.Results, 6)
	assert.Len(t, report.Memory, 2)
	assert.Contains(t, []string{attend.ClockWall, attend.ClockGPU}, report.Clock)
	if report.Type == "cpu" {
		assert.Equal(t, attend.ClockWall, report.Clock, "software adapters have no clock of their own")
	}
	for _, r := range report.Results {
		assert.Positive(t, r.TFLOPs)
		assert.Equal(t, 2, r.Heads)
		assert.Equal(t, 1, r.KVHeads)
		assert.True(t, r.Causal)
	}
}

func TestBenchAttentionRefuses(t *testing.T) {
	for says, args := range map[string][]string{
		`there is no kind "sideways"`:            {"--kind", "forward,sideways"},
		"a head dim of 300":                      {"--head-dim", "300"},
		"must be a count, or two as in 32/8":     {"--heads", "many"},
		"3 query heads do not share 2 KV heads":  {"--heads", "3/2"},
		"--length":                               {"--length", "0"},
		"unknown flag --prompt":                  {"--prompt", "8"},
		"unexpected argument twice":              {"twice"},
		`no variant "warp"`:                      {"--variant", "baseline,warp"},
		"--variant: must not be empty":           {"--variant", ","},
		`the backward pass has no variant "f16"`: {"--backward-variant", "f16", "--kind", "decode"},
	} {
		r := quire(t, append([]string{"bench", "attention"}, args...)...)
		assert.Equal(t, 2, r.code, says)
		assert.Empty(t, r.stdout)
		assert.Contains(t, r.stderr, says)
	}
}

// What runs is told with why the rest does not; and before charts, which may fail.
func TestBenchAttentionSkips(t *testing.T) {
	charts := filepath.Join(t.TempDir(), "charts")
	require.NoError(t, os.MkdirAll(filepath.Join(charts, "attention-forward-32.svg"), 0o700))
	r := quire(t, onAdapter("bench", "attention", "--length", "32,262144", "--head-dim", "32", "--heads", "1024", "--batch", "1", "--kind", "forward",
		"--variant", "baseline", "--full", "--charts", charts)...)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "attention-forward-32.svg")
	assert.Regexp(t, `(?m)^ *forward, no mask +flash +baseline +32 +32 +1024 +1 +f32 +[\d.e+-]+ `, r.stdout)
	assert.Regexp(t, `(?m)^ *forward, no mask +flash +baseline +262144 .+ skipped *$`, r.stdout)
	assert.Regexp(t, `(?m)^skipped: flash baseline forward of 1 x 262144, .+ too large for one binding`, r.stdout)
}

func TestBenchAttentionHelp(t *testing.T) {
	help := quire(t, "bench", "attention", "--help").ok(t).stdout
	assert.True(t, strings.HasPrefix(help, "Usage: quire bench attention [flags]\n"))
	for _, name := range []string{"kind", "length", "context", "head-dim", "heads", "batch", "full", "kv-type", "variant", "json", "charts", "adapter"} {
		assert.Regexp(t, `(?m)^  --`+name+`[ =]`, help)
	}
	assert.Contains(t, quire(t, "bench", "--help").ok(t).stdout, `"quire bench attention"`)
}
