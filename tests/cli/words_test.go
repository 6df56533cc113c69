//go:build !js

package cli

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inside are words of Go, its libraries and this program's packages, which no user has a use for.
var inside = regexp.MustCompile(`(?:^|[^-\w])json:|dial tcp|lookup |http: |net/http|x509:|tls:|read tcp|strconv|invalid syntax|unmarshal|\bGo (struct|value)|` +
	`\b(open|stat|mkdir|rename|write|read) /|EOF|context (canceled|deadline)|gpu: |engine: |schedule: |paging: |kernel: |runner: |sim: |train: |` +
	`attention: |session: |\b(BestOf|MaxSeqs|MaxTokens|Beams|Sample)\b|%!|<nil>|0x[0-9a-f]{6}|goroutine|panic`)

// command is what a message begins with.
var command = regexp.MustCompile(`(?m)^quire [a-z ]+: `)

// Whatever is wrong, the message is in a user's words.
func TestNoWordsFromInside(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	empty, text := write("empty.gguf", ""), write("text.gguf", "once upon a time, there was a text")
	cut, err := os.ReadFile(builtIn)
	require.NoError(t, err)
	half := write("half.gguf", string(cut[:len(cut)/2]))
	none := filepath.Join(dir, "none")
	under := filepath.Join(text, "under") // a file is no folder
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := "http://" + listener.Addr().String() + "/a.gguf"
	listener.Close()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page":
			io.WriteString(w, "<!doctype html><title>Sign in</title>")
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
		case "/text":
			io.WriteString(w, "no model")
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/elsewhere":
			http.Redirect(w, r, "gopher://example.org/", http.StatusFound)
		default:
			code := 0
			fmt.Sscanf(r.URL.Path, "/%d", &code)
			w.Header().Set("Retry-After", "9999")
			w.WriteHeader(code)
		}
	}))
	defer site.Close()

	files := 0
	lines := func(text string) []string {
		files++
		return []string{"run", "--prompts", write(fmt.Sprintf("prompts-%d.jsonl", files), text)}
	}
	tests := []struct {
		args []string
		code int
	}{
		{[]string{"inspect", none}, 1},
		{[]string{"inspect", dir}, 1},
		{[]string{"inspect", under}, 1},
		{[]string{"inspect", empty}, 1},
		{[]string{"inspect", text}, 1},
		{[]string{"inspect", half}, 1},
		{[]string{"inspect", "a\x01b"}, 1},
		{[]string{"inspect", "--ctx", "1.5", text}, 2},
		{[]string{"inspect", "--ctx", "99999999999999999999", text}, 2},
		{[]string{"inspect", closed}, 1},
		{[]string{"inspect", "http://"}, 1},
		{[]string{"inspect", "https://["}, 1},
		{[]string{"inspect", "HTTP://127.0.0.1:99999/a"}, 1},
		{[]string{"inspect", "http://127.0.0.1:port/a"}, 1},
		{[]string{"inspect", "ftp://example.org/a"}, 1},
		{[]string{"inspect", "http://no-such-host.invalid/a.gguf"}, 1},
		{[]string{"inspect", "https" + site.URL[len("http"):]}, 1},
		{[]string{"inspect", site.URL + "/page"}, 1},
		{[]string{"inspect", site.URL + "/gzip"}, 1},
		{[]string{"inspect", site.URL + "/text"}, 1},
		{[]string{"inspect", site.URL + "/circle"}, 1},
		{[]string{"inspect", site.URL + "/elsewhere"}, 1},
		{[]string{"inspect", site.URL + "/401"}, 1},
		{[]string{"inspect", site.URL + "/404"}, 1},
		{[]string{"inspect", site.URL + "/416"}, 1},
		{[]string{"inspect", site.URL + "/429"}, 1},
		{[]string{"inspect", site.URL + "/503"}, 1},
		{[]string{"tokenize", "-m", none}, 1},
		{[]string{"detokenize", "-m", dir}, 1},
		{[]string{"detokenize", "--special=maybe"}, 2},
		{[]string{"run", "-m", none, "hi"}, 1},
		{[]string{"run", "-m", site.URL + "/page", "hi"}, 1},
		{[]string{"run", "-m", half, "hi"}, 1},
		{[]string{"run", "--prompts", none}, 1},
		{[]string{"run", "--prompts", dir}, 1},
		{[]string{"run", "--seed", "-1", "hi"}, 2},
		{[]string{"run", "--seed", "1e3", "hi"}, 2},
		{[]string{"run", "--temperature", "warm", "hi"}, 2},
		{[]string{"run", "--temperature", "1e999", "hi"}, 2},
		{[]string{"run", "--json=perhaps", "hi"}, 2},
		{[]string{"run", "--kv-memory", "1e400", "hi"}, 2},
		{[]string{"run", "--adapter", "abacus", "hi"}, 1},
		{[]string{"run", "--variant", "nonsense", "hi"}, 1},
		{[]string{"run", "--kv-memory", "1K", "hi"}, 1},
		{lines(`{"prompt":`), 1},
		{lines(`{"prompt":1}`), 1},
		{lines(`{"prompt":"a"`), 1},
		{lines(`{"prompt":"a"}}`), 1},
		{lines(`{prompt:"a"}`), 1},
		{lines(`{"prompt":"a","stop":5}`), 1},
		{lines(`{"prompt":"a","seed":1.5}`), 1},
		{lines(`{"prompt":"a","n":99999999999999999999}`), 1},
		{lines(`{"prompt":"a","early_stopping":{}}`), 1},
		{lines(`{"ids":[99999999999]}`), 1},
		{lines(`{"ids":{}}`), 1},
		{lines("{\"prompt\":\"a\"}\n[1]"), 1},
		{[]string{"run", "--n", "65", "hi"}, 1},
		{[]string{"run", "--beams", "20", "hi"}, 1},
		{[]string{"bench", "-m", none}, 1},
		{[]string{"bench", "--shape", "llama-1b", "--write-gguf", under}, 1},
		{[]string{"bench", "--batch", "one"}, 2},
		{[]string{"bench", "attention", "--adapter", "abacus"}, 1},
		{[]string{"bench", "attention", "--variant", "nonsense", "--length", "16"}, 2},
		{[]string{"bench", "attention", "--charts", under, "--length", "16"}, 1},
		{[]string{"tune", "--adapter", "abacus"}, 1},
		{[]string{"sim", "--trace", none}, 1},
		{[]string{"sim", "--trace", dir}, 1},
		{[]string{"sim", "--trace", empty}, 1},
		{[]string{"sim", "--trace", text}, 1},
		{[]string{"sim", "--trace", write("bad.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,many,5\n")}, 1},
		{[]string{"sim", "--trace", write("bad.jsonl", `{"timestamp":"now","input_length":1,"output_length":1}`+"\n")}, 1},
		{[]string{"sim", "--trace", write("cut.jsonl", `{"timestamp":1,"input_length":`)}, 1},
		{[]string{"sim", "--trace", write("bad.gz", "\x1f\x8bthis is no gzip")}, 1},
		{[]string{"sim", "--synthetic", "short", "--requests", "20", "--chart", filepath.Join(under, "a.svg")}, 1},
		{[]string{"train", "--data", none}, 1},
		{[]string{"train", "--data", dir}, 1},
		{[]string{"train", "--data", text, "--out", under}, 1},
		{[]string{"train", "--data", text, "--out", filepath.Join(none, "a.gguf")}, 1},
		{[]string{"train", "--data", text, "--lr", "much"}, 2},
	}
	check := func(t *testing.T, r result, code int) {
		t.Helper()
		assert.Equal(t, code, r.code, r.stderr)
		assert.NotEmpty(t, r.stderr)
		assert.NotRegexp(t, inside, command.ReplaceAllString(r.stderr, ""))
		assert.NotRegexp(t, inside, r.stdout)
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.args), func(t *testing.T) { check(t, quire(t, tt.args...), tt.code) })
	}
	for _, stdin := range []string{`{"ids":`, `{"ids":["a"]}`, `{"ids":7}`, `{"tokens":[1]}`, `[1,`, `[1.5]`, `[99999999999]`, "1 2 x", "99999999999", "-1", "{}"} {
		t.Run("detokenize "+stdin, func(t *testing.T) { check(t, quireWith(t, stdin, "detokenize"), 1) })
	}
	t.Run("stdin that cannot be read", func(t *testing.T) {
		for _, args := range [][]string{{"run"}, {"tokenize"}, {"detokenize"}, {"run", "--prompts", "-"}, {"sim", "--trace", "-"}, {"train", "--data", "-"}} {
			folder, err := os.Open(dir)
			require.NoError(t, err)
			c := exec.Command(binary, args...)
			c.Stdin = folder
			check(t, finish(t, c, c.Run), 1)
			folder.Close()
		}
	})
	t.Run("a full disk", func(t *testing.T) {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip("no /dev/full")
		}
		defer full.Close()
		for _, args := range [][]string{{"version"}, {"tokenize"}, {"inspect", builtIn}, {"sim", "--synthetic", "short", "--requests", "20"}, {"adapters"}} {
			var stderr bytes.Buffer
			c := exec.Command(binary, args...)
			c.Stdout, c.Stderr = full, &stderr
			require.Error(t, c.Run(), args)
			assert.Contains(t, stderr.String(), "no space left on device", args)
			assert.NotRegexp(t, inside, command.ReplaceAllString(stderr.String(), ""))
		}
	})
}
