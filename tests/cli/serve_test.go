//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// server is a quire serve that runs.
type server struct {
	*exec.Cmd
	url  string
	done chan error

	mu  sync.Mutex
	log bytes.Buffer
}

// serve starts a server, whose end comes with the test's.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{Cmd: exec.Command(binary, onAdapter(append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)...), done: make(chan error, 1)}
	stderr, err := s.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, s.Start())
	lines := bufio.NewScanner(stderr)
	require.True(t, lines.Scan(), "it says nothing")
	found := regexp.MustCompile(`https?://[\d.:]+`).FindString(lines.Text())
	require.NotEmpty(t, found, lines.Text())
	s.url = found
	go func() {
		for lines.Scan() {
			s.mu.Lock()
			s.log.WriteString(lines.Text() + "\n")
			s.mu.Unlock()
		}
		s.done <- s.Wait()
		close(s.done)
	}()
	t.Cleanup(func() {
		s.Process.Kill()
		<-s.done
		assert.NotContains(t, s.said(), "goroutine ", "it panicked")
	})
	return s
}

// ready waits until the first model is loaded.
func (s *server) ready(t *testing.T) *server {
	t.Helper()
	require.Eventually(t, func() bool {
		a, err := http.Get(s.url + "/health")
		if err != nil {
			return false
		}
		a.Body.Close()
		return a.StatusCode == 200
	}, 5*time.Minute, 50*time.Millisecond, "it never loads its model")
	return s
}

// said is what the server has logged.
func (s *server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// ends waits for the server's end, and gives its exit code.
func (s *server) ends(t *testing.T) int {
	t.Helper()
	select {
	case <-s.done:
	case <-time.After(time.Minute):
		t.Fatal("the server does not end")
	}
	return s.ProcessState.ExitCode()
}

// get asks for a path, or with a body posts it.
func (s *server) get(t *testing.T, path, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if body != "" {
		r, err = http.NewRequest(http.MethodPost, s.url+path, strings.NewReader(body))
	}
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	return a.StatusCode, string(text)
}

// metric reads a gauge or counter of the first model that has it.
func (s *server) metric(t *testing.T, name string) string {
	_, text := s.get(t, "/metrics", "")
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `\{[^}]*\} (\S+)$`).FindStringSubmatch(text)
	if found == nil {
		return ""
	}
	return found[1]
}

// question fills a block of the cache.
const question = "Tell me a story about a fox that finds a red kite in a tall old tree, and about the bird that lives there."

const fox = `"messages":[{"role":"user","content":"` + question + `"}],"temperature":0`

type completion struct {
	Model   string
	Choices []struct {
		Message struct{ Content string }
		Delta   struct{ Content string }
		Reason  string `json:"finish_reason"`
	}
	Usage struct {
		Prompt int `json:"prompt_tokens"`
		Answer int `json:"completion_tokens"`
	}
	Message struct{ Content string } // of ollama
	Done    bool
}

func TestServe(t *testing.T) {
	want := quire(t, onAdapter("run", "--temperature", "0", "--max-tokens", "12", question)...).ok(t).stdout
	s := serve(t, "--ollama", "-m", "tales="+builtIn, "-m", filepath.Join("..", "testdata", "data", "models", "tiny-tales.gguf"))

	t.Run("whole", func(t *testing.T) { // it waits for the model to be loaded
		status, text := s.get(t, "/v1/chat/completions", `{"max_tokens":12,`+fox+`}`)
		require.Equal(t, 200, status, text)
		var c completion
		require.NoError(t, json.Unmarshal([]byte(text), &c))
		assert.Equal(t, strings.TrimSuffix(want, "\n"), c.Choices[0].Message.Content)
		assert.Equal(t, "length", c.Choices[0].Reason)
		assert.Equal(t, "tales", c.Model)
		assert.Equal(t, 12, c.Usage.Answer)
	})
	t.Run("stream", func(t *testing.T) {
		status, text := s.get(t, "/v1/chat/completions", `{"model":"tales","max_tokens":12,"stream":true,`+fox+`}`)
		require.Equal(t, 200, status, text)
		var joined string
		for line := range strings.Lines(text) {
			if data, ok := strings.CutPrefix(line, "data: {"); ok {
				var c completion
				require.NoError(t, json.Unmarshal([]byte("{"+data), &c))
				joined += c.Choices[0].Delta.Content
			}
		}
		assert.Equal(t, strings.TrimSuffix(want, "\n"), joined)
		assert.True(t, strings.HasSuffix(text, "data: [DONE]\n\n"))
	})
	t.Run("ollama", func(t *testing.T) {
		status, text := s.get(t, "/api/chat", `{"model":"tales:latest","stream":false,"messages":[{"role":"user","content":"`+question+`"}],"options":{"temperature":0,"num_predict":12}}`)
		require.Equal(t, 200, status, text)
		var c completion
		require.NoError(t, json.Unmarshal([]byte(text), &c))
		assert.Equal(t, strings.TrimSuffix(want, "\n"), c.Message.Content)
		assert.True(t, c.Done)
	})
	t.Run("models", func(t *testing.T) {
		status, text := s.get(t, "/v1/models", "")
		assert.Equal(t, 200, status)
		assert.Contains(t, text, `"id":"tales"`)
		assert.Contains(t, text, `"id":"tiny-tales"`)
		status, text = s.get(t, "/v1/chat/completions", `{"model":"none",`+fox+`}`)
		assert.Equal(t, 404, status)
		assert.Contains(t, text, `"code":"model_not_found"`)
	})
	t.Run("another model", func(t *testing.T) {
		status, text := s.get(t, "/v1/completions", `{"model":"tiny-tales","prompt":"Once upon","max_tokens":3}`)
		assert.Equal(t, 200, status, text)
		assert.Contains(t, s.said(), "model=tiny-tales")
	})
	t.Run("a client that vanishes", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/chat/completions", strings.NewReader(`{"model":"tales","stream":true,"ignore_eos":true,`+fox+`}`))
		require.NoError(t, err)
		a, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		_, err = a.Body.Read(make([]byte, 10))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return s.metric(t, "vllm:kv_cache_usage_perc") != "0" }, time.Minute, time.Millisecond, "no blocks are held")
		cancel()
		assert.Eventually(t, func() bool {
			return s.metric(t, "vllm:num_requests_running") == "0" && s.metric(t, "vllm:kv_cache_usage_perc") == "0"
		}, time.Minute, 20*time.Millisecond, "blocks stay held")
		assert.Eventually(t, func() bool { // a moment after its blocks are free
			_, text := s.get(t, "/metrics", "")
			return strings.Contains(text, `vllm:request_success_total{finished_reason="abort",model_name="tales"} 1`)
		}, time.Minute, 20*time.Millisecond, "it is not counted")
	})
	t.Run("metrics", func(t *testing.T) {
		assert.NotEmpty(t, s.metric(t, "vllm:generation_tokens_total"))
		assert.NotEqual(t, "0", s.metric(t, "vllm:prefix_cache_hits_total"), "the same prompt came twice")
	})
	t.Run("elsewhere", func(t *testing.T) {
		status, _ := s.get(t, "/v1/models", "", "Origin", "https://example.org")
		assert.Equal(t, 403, status)
		status, text := s.get(t, "/", "")
		assert.Equal(t, 200, status)
		assert.Contains(t, text, "Quire")
	})
	t.Run("end", func(t *testing.T) {
		a, err := http.Post(s.url+"/v1/chat/completions", "", strings.NewReader(`{"stream":true,"max_tokens":40,"ignore_eos":true,`+fox+`}`))
		require.NoError(t, err)
		defer a.Body.Close()
		in := bufio.NewReader(a.Body)
		_, err = in.ReadString('\n')
		require.NoError(t, err)
		require.NoError(t, s.Process.Signal(syscall.SIGINT))
		rest, err := io.ReadAll(in)
		require.NoError(t, err)
		assert.True(t, strings.HasSuffix(string(rest), "data: [DONE]\n\n"), "a stream is cut")
		assert.Zero(t, s.ends(t))
		assert.NotContains(t, s.said(), "red kite", "a prompt is in the log")
	})
}

func TestServeSecondInterrupt(t *testing.T) {
	s := serve(t, "--api-key", "secret-of-ann", "--log-format", "json").ready(t)
	status, _ := s.get(t, "/v1/models", "")
	assert.Equal(t, 401, status)
	r, err := http.NewRequest(http.MethodPost, s.url+"/v1/chat/completions", strings.NewReader(`{"stream":true,"ignore_eos":true,`+fox+`}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer secret-of-ann")
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer a.Body.Close()
	_, err = a.Body.Read(make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, s.Process.Signal(syscall.SIGINT))
	require.Eventually(t, func() bool { return strings.Contains(s.said(), "no more requests") }, time.Minute, 10*time.Millisecond)
	require.NoError(t, s.Process.Signal(syscall.SIGINT))
	assert.Equal(t, 130, s.ends(t))
	for line := range strings.Lines(s.said()) {
		assert.True(t, json.Valid([]byte(line)), line)
	}
	assert.NotContains(t, s.said(), "secret")
}

func TestServeRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	tests := []struct {
		code int
		says string
		args []string
	}{
		{1, fmt.Sprintf("%s is in use by another program; --addr", taken.Addr()), []string{"--addr", taken.Addr().String()}},
		{1, "192.0.2.1:80 is no address of this machine", []string{"--addr", "192.0.2.1:80"}},
		{1, "none.gguf", []string{"-m", "none.gguf"}},
		{1, "none.pem", []string{"--tls-cert", "none.pem", "--tls-key", "none.pem"}},
		{1, "holds no key", []string{"--api-keys", file(t, "keys", []byte("# none\n"))}},
		{1, "line 1: a key must have at least 8", []string{"--api-keys", file(t, "short", []byte("ann short\n"))}},
		{2, "--addr must be HOST:PORT", []string{"--addr", "localhost"}},
		{2, "go together", []string{"--tls-cert", "a.pem"}},
		{2, "--api-key: a key must have at least 8", []string{"--api-key", "short"}},
		{2, "--cors: an origin is", []string{"--cors", "example.org"}},
		{2, `two models have the name "a"`, []string{"-m", "a=" + builtIn, "-m", "a=" + builtIn}},
		{2, "--memory", []string{"--memory", "lots"}},
		{2, "--stall", []string{"--stall", "0s"}},
		{2, "--log-format", []string{"--log-format", "xml"}},
	}
	for _, tt := range tests {
		r := quire(t, append([]string{"serve"}, tt.args...)...)
		assert.Equal(t, tt.code, r.code, r.stderr)
		assert.Empty(t, r.stdout)
		assert.Contains(t, r.stderr, tt.says)
	}
}
