package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/cmd/native/model"
	"quire/engine"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/sample"
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

// parsed reads a command line.
func parsed(t *testing.T, line ...string) *commands {
	t.Helper()
	var c commands
	parser, err := newParser(&c, io.Discard, io.Discard, exitOK)
	require.NoError(t, err)
	_, err = parser.Parse(line)
	require.NoError(t, err, line)
	return &c
}

func TestFlagsMayStandAnywhere(t *testing.T) {
	for _, tt := range []struct {
		line   string
		n      int
		prompt string
	}{
		{"--n 3 a", 3, "a"},
		{"a --n 3", 3, "a"},
		{"a --n=3", 3, "a"},
		{"-- --n", 1, "--n"},
		{"- --n 3", 3, "-"},
	} {
		c := parsed(t, append([]string{"run"}, strings.Fields(tt.line)...)...)
		assert.Equal(t, tt.n, c.Run.N, tt.line)
		assert.Equal(t, tt.prompt, *c.Run.Prompt, tt.line)
	}
	assert.Nil(t, parsed(t, "run").Run.Prompt)
	for _, line := range []string{"-m f", "-mf", "-m=f", "--model f", "--model=f"} {
		assert.Equal(t, "f", parsed(t, append([]string{"run"}, strings.Fields(line)...)...).Run.Model, line)
	}
}

// Values that kong alone would take for flags, or read otherwise.
func TestFlagValues(t *testing.T) {
	r := parsed(t, "run", "--long-prompt", "-1", "--prompts", "-", "--stop", "a,b", "--stop", "-c", "--kv-memory", "1.5G", "--max-tokens", "010").Run
	assert.Equal(t, -1, r.LongPrompt)
	assert.Equal(t, "-", r.Prompts)
	assert.Equal(t, []string{"a,b", "-c"}, r.Stop)
	assert.Equal(t, size(3<<29), r.KVMemory)
	assert.Equal(t, 10, r.MaxTokens)
	b := parsed(t, "bench", "--batch", "1, 8").Bench.Model
	assert.Equal(t, []int{1, 8}, b.Batch)
	assert.Equal(t, []int{512}, b.Prompt, "the default")
	assert.Equal(t, "\n", parsed(t, "train", "--data", "x").Train.Prompt)
}

// Every flag says what it does, as a sentence.
func TestHelpIsSentences(t *testing.T) {
	parser, err := newParser(&commands{}, io.Discard, io.Discard, exitOK)
	require.NoError(t, err)
	for _, n := range parser.Model.Leaves(true) {
		for _, f := range flagsOf(n) {
			assert.Regexp(t, `^[A-Z-][^\x00]*\.$`, describeFlag(f.Value), "%s --%s", n.Name, f.Name)
		}
		assert.Contains(t, n.Detail, "\n\nExamples:\n\n  ", n.Name)
	}
}

func TestCandidates(t *testing.T) {
	t.Setenv("QUIRE_CACHE", t.TempDir())
	parser, err := newParser(&commands{}, io.Discard, io.Discard, exitOK)
	require.NoError(t, err)
	for line, want := range map[string][]string{
		"be":                            {"bench"},
		"bench ":                        {"model", "attention", "serve"},
		"bench --kv":                    {"--kv-type", "--kv-memory"},
		"bench attention --h":           {"--help", "--head-dim", "--heads"},
		"run --kv-type ":                {"f32", "f16", "bf16", "q8"},
		"run --kv-type b":               {"bf16"},
		"run --kv-type = b":             {"bf16"},
		"run --kv-type =":               {"f32", "f16", "bf16", "q8"},
		"run --kv-type=b":               {"--kv-type=bf16"},
		"run --kv-type f16 --deter":     {"--deterministic"},
		"run --json --early-stopping n": {"never"},
		"run -m ":                       nil,
		"run --kv-memory ":              nil,
		"run Hello":                     nil,
		"completion z":                  {"zsh"},
		"man":                           nil,
		"nonsense --":                   {"--help"},
	} {
		assert.Equal(t, want, candidates(parser.Model.Node, strings.Split(line, " ")), line)
	}
	assert.Contains(t, candidates(parser.Model.Node, nil), "run")
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
	flags := parsed(t, "run", "--min-p", "0", "--top-k", "40").Run.samplingFlags
	tales, other := sample.Suited(sample.Tales), sample.Suited("")
	tales.MinP, tales.TopK = 0, 40
	other.TopK = 40
	assert.Equal(t, tales, flags.params(sample.Tales))
	assert.Equal(t, other, flags.params("model.gguf"))
	header, err := gguf.Read(bytes.NewReader(model.Bytes), int64(len(model.Bytes)))
	require.NoError(t, err)
	name, _, err := header.Metadata.String("general.name")
	require.NoError(t, err)
	assert.Equal(t, sample.Tales, name, "as the tab knows it")
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

// The manual page is what the flags say: "make docs" writes it.
func TestManual(t *testing.T) {
	parser, err := newParser(&commands{}, io.Discard, io.Discard, exitOK)
	require.NoError(t, err)
	page, err := os.ReadFile("../../docs/quire.md")
	require.NoError(t, err)
	assert.Equal(t, manual(parser), string(page), `run "make docs"`)
}

// The command lines that documents and help print can be read.
func TestPrintedCommandLines(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	word := regexp.MustCompile(`"[^"]*"|'[^']*'|[^\s"'|<>#)]+`)
	read := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
			for _, m := range regexp.MustCompile(`(?m)(?:^|[(|] ?)quire ([^|>#\n]*)`).FindAllStringSubmatch(block[1], -1) {
				line, _, _ := strings.Cut(m[1], " <")
				var words []string
				for _, w := range word.FindAllString(line, -1) {
					words = append(words, strings.Trim(w, `"'`))
				}
				parsed(t, words...)
				read++
			}
		}
	}
	assert.Greater(t, read, 40)
}

// Lists that say nothing, as a script's empty variable gives them, are refused by name.
func TestBenchWantsNumbers(t *testing.T) {
	for _, flag := range []string{"--prompt", "--gen", "--batch", "--depth"} {
		assert.EqualError(t, parsed(t, "bench", flag, "").Bench.Model.Run(&host{}), flag+": must be a whole number, or several with commas")
	}
	assert.EqualError(t, parsed(t, "bench", "--gen", "0,8").Bench.Model.Run(&host{}), "--gen 0 stands alone")
}
