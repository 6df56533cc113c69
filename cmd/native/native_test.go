package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/tokenizer"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "4096": 4096, "1KiB": 1024, "512mib": 512 << 20, "1.5G": 3 << 29, "2GB": 2e9,
		"3 MB": 3e6, "7B": 7, "64K": 64 << 10} {
		got, err := parseSize(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "x", "-1", "1TiBs", "nan", "1e40", "GiB"} {
		_, err := parseSize(text)
		assert.Error(t, err, text)
	}
}

func TestFormatSize(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 bytes", 1023: "1023 bytes", 1536: "1.5 KiB", 5 << 20: "5.0 MiB", 3 << 29: "1.50 GiB"} {
		assert.Equal(t, want, formatSize(n))
	}
}

func TestFlagsMayStandAnywhere(t *testing.T) {
	tests := []struct {
		line string
		n    int
		rest []string
	}{
		{"--n 3 a", 3, []string{"a"}},
		{"a --n 3", 3, []string{"a"}},
		{"a -n=3 b", 3, []string{"a", "b"}},
		{"a -- --n 3", 0, []string{"a", "--n", "3"}},
		{"- --n 3", 3, []string{"-"}},
		{"", 0, nil},
	}
	for _, tt := range tests {
		f := &flags{FlagSet: flag.NewFlagSet("test", flag.ContinueOnError)}
		f.SetOutput(io.Discard)
		n := 0
		f.whole("n", &n, 0, "a `NUMBER`")
		rest, err := f.parse(strings.Fields(tt.line))
		require.NoError(t, err, tt.line)
		assert.Equal(t, tt.n, n, tt.line)
		assert.Equal(t, tt.rest, rest, tt.line)
	}
}

func TestParseIDs(t *testing.T) {
	for _, text := range []string{"1 2 3", "1,2,3\n", " 1\n2\t3", "[1, 2, 3]", `{"ids":[1,2,3]}`} {
		ids, err := parseIDs(text)
		require.NoError(t, err, text)
		assert.Equal(t, []int32{1, 2, 3}, ids, text)
	}
	for _, text := range []string{"1.5", "99999999999", "[1,", `{"ids":"1"}`, "{}"} {
		_, err := parseIDs(text)
		assert.Error(t, err, text)
	}
}

func TestSamplingDefaults(t *testing.T) {
	f := &flags{FlagSet: flag.NewFlagSet("test", flag.ContinueOnError)}
	sampling := samplingFlags(f)
	_, err := f.parse([]string{"--min-p", "0", "--top-k", "40"})
	require.NoError(t, err)
	builtIn, other := builtInSampling, commonSampling
	builtIn.MinP, builtIn.TopK = 0, 40
	other.TopK = 40
	assert.Equal(t, builtIn, sampling(true))
	assert.Equal(t, other, sampling(false))
	assert.NoError(t, builtInSampling.Validate())
	assert.NoError(t, commonSampling.Validate())
}

func TestErrorsComeWithAdvice(t *testing.T) {
	for err, want := range map[error]string{
		gpu.ErrNoAdapter:                         "mesa-vulkan-drivers",
		&gpu.MemoryError{}:                       "--kv-memory",
		gpu.ErrDeviceLost:                        "--adapter",
		engine.ErrContextTooLong:                 "--ctx",
		engine.ErrUnsupportedModel:               "quire inspect",
		tokenizer.ErrUnsupportedTokenizer:        "quire inspect",
		error(&gguf.FormatError{Field: "magic"}): "damaged",
	} {
		assert.Contains(t, advise(fmt.Errorf("wrapped: %w", err)), want, err.Error())
	}
	assert.Empty(t, advise(errors.New("anything else")))
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	for done := int64(0); done <= 4; done++ {
		p.update(engine.Progress{Stage: "weights", Done: done << 20, Total: 4 << 20})
	}
	p.update(engine.Progress{Stage: "weights", Done: 4 << 20, Total: 4 << 20})
	p.update(engine.Progress{Stage: "kernels", Done: 2, Total: 2})
	p.clear()
	assert.Equal(t, "weights: 4.0 MiB of 4.0 MiB\nkernels: 2 of 2\n", out.String(), "a line a stage where there is no terminal")

	out.Reset()
	bar := &progress{to: &out, bar: true, every: time.Hour, shown: time.Now()}
	bar.update(engine.Progress{Stage: "kernels", Done: 1, Total: 2})
	assert.Empty(t, out.String(), "not too often")
	bar.every = 0
	bar.update(engine.Progress{Stage: "kernels", Done: 1, Total: 2})
	assert.Equal(t, "\r\x1b[Kkernels [###############...............] 1 of 2", out.String())
	bar.clear()
	assert.True(t, strings.HasSuffix(out.String(), "1 of 2\r\x1b[K"))
}
