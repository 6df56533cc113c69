//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var lesson = []byte(strings.Repeat("A kite flew over the hill, and a fox ran after it.\n", 40))

// small is a model that trains in a moment.
var small = []string{"--layers", "1", "--width", "32", "--heads", "2", "--kv-heads", "1", "--length", "32", "--batch", "2", "--lr", "0.01"}

// trainLine is any line of train --json.
type trainLine struct {
	Event  string
	Step   int
	Loss   float64
	Prompt string
	Text   string
	File   string
	Bytes  int64
}

func trainLines(t *testing.T, stdout string) []trainLine {
	var lines []trainLine
	for line := range strings.Lines(stdout) {
		var l trainLine
		require.NoError(t, json.Unmarshal([]byte(line), &l), line)
		lines = append(lines, l)
	}
	return lines
}

func TestTrain(t *testing.T) {
	data := file(t, "lesson.txt", lesson)
	out := filepath.Join(t.TempDir(), "tiny model.gguf")
	args := append([]string{"train", "--data", data, "--out", out, "--steps", "12", "--sample-every", "10", "--sample-tokens", "9",
		"--prompt", "A fox", "--seed", "5", "--json"}, small...)
	r := quire(t, args...).ok(t)
	assert.Empty(t, r.stderr)
	var steps, scores, samples []trainLine
	for _, l := range trainLines(t, r.stdout) {
		switch l.Event {
		case "step":
			steps = append(steps, l)
		case "score":
			scores = append(scores, l)
		case "sample":
			samples = append(samples, l)
		case "file":
			assert.Equal(t, out, l.File)
		default:
			t.Errorf("event %q", l.Event)
		}
	}
	require.Len(t, steps, 12)
	assert.Equal(t, 12, steps[11].Step)
	assert.InDelta(t, 5.55, steps[0].Loss, 0.1, "nothing is known: the logarithm of 257")
	assert.Less(t, steps[11].Loss, steps[0].Loss-0.5)
	require.Len(t, scores, 2)
	assert.Less(t, scores[1].Loss, scores[0].Loss)
	require.Len(t, samples, 2)
	assert.Equal(t, 12, samples[1].Step)
	assert.Equal(t, "A fox", samples[1].Prompt)
	assert.NotEmpty(t, samples[1].Text)

	info := quire(t, "inspect", out).ok(t)
	assert.Contains(t, info.stdout, "tiny model")
	generated := quire(t, "run", "-m", out, "--temperature", "0", "--max-tokens", "5", "A fox").ok(t)
	assert.NotEmpty(t, generated.stdout)

	first, err := os.ReadFile(out)
	require.NoError(t, err)
	quire(t, append(args, "--sample-every", "0")...).ok(t)
	again, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(first, again), "the same seed gives the same model, whatever is shown on the way")
}

// TestTrainPlainly reads stdin and prints for people.
func TestTrainPlainly(t *testing.T) {
	r := quireWith(t, string(lesson), append([]string{"train", "--data", "-", "--steps", "2", "--sample-every", "2", "--tied"}, small...)...).ok(t)
	assert.Regexp(t, `(?m)^step 1 of 2  loss 5\.\d+  lr .* tokens/s  \d+s left$`, r.stdout)
	assert.Regexp(t, `(?m)^step 2 of 2  loss`, r.stdout)
	assert.Contains(t, r.stdout, "kept-back text after step 2: loss 5.")
	assert.Contains(t, r.stderr, "1 layer of width 32, 2/1 heads of 16, feed-forward 96")
}

func TestTrainInterruptedKeepsTheModel(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m.gguf")
	c := exec.Command(binary, append([]string{"train", "--data", file(t, "lesson.txt", lesson), "--out", out, "--steps", "100000", "--json"}, small...)...)
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	require.NoError(t, c.Start())
	lines := bufio.NewScanner(stdout)
	require.True(t, lines.Scan())
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	var last string
	for lines.Scan() {
		last = lines.Text()
	}
	require.Error(t, c.Wait())
	assert.Equal(t, 130, c.ProcessState.ExitCode(), stderr.String())
	assert.Contains(t, stderr.String(), "interrupted after step ")
	assert.Equal(t, "file", trainLines(t, last)[0].Event)
	quire(t, "run", "-m", out, "--max-tokens", "2", "A").ok(t)
	files, err := os.ReadDir(filepath.Dir(out))
	require.NoError(t, err)
	assert.Len(t, files, 1, "nothing else is left")
}

// Ctrl-C ends the wait for a text.
func TestTrainInterruptedWhileItReads(t *testing.T) {
	c := exec.Command(binary, "train", "--data", "-")
	in, err := c.StdinPipe()
	require.NoError(t, err)
	defer in.Close()
	var stderr bytes.Buffer
	c.Stderr = &stderr
	require.NoError(t, c.Start())
	_, err = in.Write(bytes.Repeat(lesson, 100)) // more than a pipe holds: it is being read when this is written
	require.NoError(t, err)
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case err := <-done:
		require.Error(t, err)
	case <-time.After(time.Minute):
		c.Process.Kill()
		t.Fatal("the first interrupt does not end the wait for a text")
	}
	assert.Equal(t, 130, c.ProcessState.ExitCode())
	assert.Equal(t, "interrupted\n", stderr.String())
}

// TestTrainWritesLikeOthers: the model's file has the rights of any new file, or of the one that it replaces.
func TestTrainWritesLikeOthers(t *testing.T) {
	dir := t.TempDir()
	data, out := file(t, "lesson.txt", lesson), filepath.Join(dir, "my model.gguf")
	args := append([]string{binary, "train", "--data", data, "--out", out, "--steps", "1", "--sample-every", "0"}, small...)
	for _, mode := range []os.FileMode{0o640, 0o604} {
		c := exec.Command("sh", append([]string{"-c", `umask 027; exec "$@"`, "sh"}, args...)...)
		r := finish(t, c, c.Run).ok(t)
		assert.Contains(t, r.stderr, "try: quire run -m '"+out+"' ")
		info, err := os.Stat(out)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm())
		require.NoError(t, os.Chmod(out, 0o604))
	}
}

// TestTrainKeepsItsText: the model does not replace what it learns from.
func TestTrainKeepsItsText(t *testing.T) {
	data := file(t, "lesson.txt", lesson)
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(data, link))
	for _, args := range [][]string{{"--data", data, "--out", data}, {"--data", link, "--out", data}, {"--data", "-", "--out", data}} {
		c := exec.Command(binary, append(append([]string{"train", "--steps", "1"}, args...), small...)...)
		in, err := os.Open(data)
		require.NoError(t, err)
		c.Stdin = in
		r := finish(t, c, c.Run)
		in.Close()
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.stderr, "is the text of --data")
		text, err := os.ReadFile(data)
		require.NoError(t, err)
		assert.Equal(t, lesson, text)
	}
}

func TestTrainRefuses(t *testing.T) {
	data := file(t, "lesson.txt", lesson)
	for _, tt := range []struct {
		says string
		args []string
		code int
	}{
		{"missing flags: --data=FILE", nil, 2},
		{"unexpected argument text.txt", []string{"text.txt"}, 2},
		{"--width 40 is no multiple of 32", []string{"--data", data, "--width", "40"}, 2},
		{"--ffn 40 is no multiple of 32", []string{"--data", data, "--ffn", "40"}, 2},
		{"--heads 5 do not share a width of 384", []string{"--data", data, "--heads", "5"}, 2},
		{"heads of 384; 256 is the most", []string{"--data", data, "--heads", "1", "--kv-heads", "1"}, 2},
		{"--kv-heads 4 is no divisor of 6 heads", []string{"--data", data, "--kv-heads", "4"}, 2},
		{"--batch 256 of --length 256", []string{"--data", data, "--batch", "256"}, 2},
		{"--layers is too large", []string{"--data", data, "--layers", "2000"}, 2},
		{"--lr 0", []string{"--data", data, "--lr", "0"}, 2},
		{"--lr NaN", []string{"--data", data, "--lr", "nan"}, 2},
		{"--decay -1", []string{"--data", data, "--decay", "-1"}, 2},
		{"--prompt: must not be empty", []string{"--data", data, "--prompt", ""}, 2},
		{"does not fit into a context of --length 8", []string{"--data", data, "--length", "8", "--prompt", "A long one"}, 2},
		{"--steps", []string{"--data", data, "--steps", "0"}, 2},
		{"no such file", []string{"--data", data + "x"}, 1},
		{"this is a folder, not a file", []string{"--data", filepath.Dir(data)}, 1},
		{"stdin has 0 bytes; sequences of 256 need at least 257", []string{"--data", "-", "--batch", "16"}, 1},
		{"has 2040 bytes; sequences of 4096 need at least 4097", []string{"--data", data, "--length", "4096", "--batch", "1"}, 1},
		{"is no regular file", []string{"--data", data, "--out", filepath.Dir(data)}, 1},
		{"no such file", []string{"--data", data, "--out", filepath.Join(filepath.Dir(data), "none", "m.gguf")}, 1},
	} {
		t.Run(tt.says, func(t *testing.T) {
			r := quire(t, append([]string{"train"}, tt.args...)...)
			assert.Equal(t, tt.code, r.code)
			assert.Empty(t, r.stdout)
			assert.Contains(t, r.stderr, tt.says)
		})
	}
}
