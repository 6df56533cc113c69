//go:build unix

package cli

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nginx starts nginx with deploy/'s configuration in front of two servers, and gives its address.
func nginx(t *testing.T, replicas [2]*server) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx"
	}
	require.FileExists(t, program, `run ".ci/install nginx" first`)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	free.Close()
	dir := t.TempDir()
	conf, err := os.ReadFile("../../deploy/nginx/quire.conf")
	require.NoError(t, err)
	text := string(conf)
	for from, to := range map[string]string{
		"listen 8080": "listen " + address, "127.0.0.1:8081": strings.TrimPrefix(replicas[0].url, "http://"), "127.0.0.1:8082": strings.TrimPrefix(replicas[1].url, "http://"),
	} {
		require.Equal(t, 1, strings.Count(text, from), from)
		text = strings.ReplaceAll(text, from, to)
	}
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	whole := fmt.Sprintf("daemon off;\nmaster_process off;\npid %s/pid;\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log off;\n%s%s\n}\n", dir, temp, text)
	path := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(path, []byte(whole), 0o600))
	c := exec.Command(program, "-p", dir, "-e", "stderr", "-c", path)
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	require.Eventually(t, func() bool {
		a, err := http.Get("http://" + address + "/health")
		if err == nil {
			a.Body.Close()
		}
		return err == nil && a.StatusCode == 200
	}, time.Minute, 20*time.Millisecond)
	return "http://" + address
}

// answered is how many requests a replica has answered.
func (s *server) answered(t *testing.T) int {
	n, _ := strconv.Atoi(s.metric(t, "vllm:e2e_request_latency_seconds_count"))
	return n
}

// say asks for an answer through nginx, and gives the header that leads the next turn to the same replica.
func say(t *testing.T, url, prefix, messages string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url+"/v1/chat/completions", strings.NewReader(`{"max_tokens":2,"messages":[`+messages+`]}`))
	require.NoError(t, err)
	if prefix != "" {
		r.Header.Set("Quire-Prefix", prefix)
	}
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	require.Equal(t, 200, a.StatusCode, string(text))
	return a.Header.Get("Quire-Prefix")
}

func TestNginx(t *testing.T) {
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("two replicas behind nginx: set QUIRE_ALL=1")
	}
	replicas := [2]*server{serve(t, "--log-level", "warn"), serve(t, "--log-level", "warn")}
	for _, s := range replicas {
		s.ready(t)
	}
	url := nginx(t, replicas)

	used := [2]bool{}
	for i := range 12 {
		messages := fmt.Sprintf(`{"role":"system","content":"You tell story number %d, and tell it well, to a child who wants to know all of it."},{"role":"user","content":"Begin."}`, i)
		prefix := say(t, url, "", messages)
		require.NotEmpty(t, prefix)
		home := -1
		for turn := range 3 {
			before := [2]int{replicas[0].answered(t), replicas[1].answered(t)}
			hits := [2]string{replicas[0].metric(t, "vllm:prefix_cache_hits_total"), replicas[1].metric(t, "vllm:prefix_cache_hits_total")}
			messages += fmt.Sprintf(`,{"role":"assistant","content":"Once."},{"role":"user","content":"Go on, part %d."}`, turn)
			require.Equal(t, prefix, say(t, url, prefix, messages), "all turns have one prefix")
			at := 0
			if replicas[1].answered(t) > before[1] {
				at = 1
			}
			require.Equal(t, before[at]+1, replicas[at].answered(t))
			if home >= 0 {
				require.Equal(t, home, at, "conversation %d goes elsewhere", i)
				assert.NotEqual(t, hits[at], replicas[at].metric(t, "vllm:prefix_cache_hits_total"), "its blocks are not found")
			}
			home = at
		}
		used[home] = true
	}
	assert.Equal(t, [2]bool{true, true}, used, "one replica has everything")

	// One replica is told to end while both have streams: none is cut, and requests go on being answered.
	var streams sync.WaitGroup
	begun := make(chan bool, 16)
	for i := range 16 {
		streams.Go(func() {
			r, err := http.NewRequest(http.MethodPost, url+"/v1/chat/completions", strings.NewReader(`{"stream":true,"max_tokens":60,"ignore_eos":true,`+fox+`}`))
			if !assert.NoError(t, err) {
				return
			}
			r.Header.Set("Quire-Prefix", fmt.Sprint("stream ", i))
			a, err := http.DefaultClient.Do(r)
			if !assert.NoError(t, err) {
				return
			}
			defer a.Body.Close()
			in := bufio.NewReader(a.Body)
			_, err = in.ReadString('\n')
			assert.NoError(t, err)
			begun <- true
			rest, err := io.ReadAll(in)
			assert.NoError(t, err)
			assert.True(t, strings.HasSuffix(string(rest), "data: [DONE]\n\n"), "stream %d is cut", i)
		})
	}
	for range 16 {
		<-begun
	}
	require.NoError(t, replicas[0].Process.Signal(syscall.SIGTERM))
	for i := range 8 {
		say(t, url, fmt.Sprint("new ", i), `{"role":"user","content":"Begin."}`)
	}
	streams.Wait()
	assert.Zero(t, replicas[0].ends(t))
	say(t, url, "", `{"role":"user","content":"Begin."}`)
}
