package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/cmd/native/model"
	"quire/cmd/native/pull"
	openaihttp "quire/engine/openai/http"
	"quire/tests/hubtest"
)

// What is told of models is JSON where the log is.
func TestToldInTheLog(t *testing.T) {
	for format, want := range map[string]string{"json": `"level":"INFO","msg":"--ctx is too much"}`, "text": "--ctx is too much"} {
		var text bytes.Buffer
		h := &host{err: &text}
		c := &serveCommand{Log: format, Level: "info"}
		fmt.Fprintf(c.told(h, c.logger(h)).err, "--ctx is too much\n")
		assert.Equal(t, 1, strings.Count(text.String(), "\n"))
		assert.True(t, strings.HasSuffix(text.String(), want+"\n"), text.String())
	}
}

// The address is told at any level, and is no error.
func TestAddressInTheLog(t *testing.T) {
	var text bytes.Buffer
	h := &host{err: &text}
	c := &serveCommand{Log: "json", Level: "error"}
	c.announce(h, c.logger(h), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, false)
	assert.Contains(t, text.String(), `"level":"INFO","msg":"serving","url":"http://127.0.0.1:80"`)
}

// ollama's clients are told what the cache knows of a model.
func TestServedModelsOfTheCache(t *testing.T) {
	hub := hubtest.New(t)
	hub.Put("o/r", hubtest.Repo{Files: map[string][]byte{"a.gguf": model.Bytes}})
	t.Setenv("QUIRE_CACHE", t.TempDir())
	t.Setenv("HF_ENDPOINT", hub.Hub.URL)
	h := &host{err: io.Discard}
	served := func() openaihttp.Listed {
		s, err := (&serveCommand{Model: []string{"hf:o/r"}}).models(t.Context(), h, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		defer s.Close()
		return s.All()[0]
	}
	before := served()
	assert.Zero(t, before.Modified, "it is not there yet")
	assert.Len(t, before.Digest, 64)
	p, err := newPuller(pull.Options{})
	require.NoError(t, err)
	n, _, err := p.Parse("hf:o/r")
	require.NoError(t, err)
	_, err = p.Open(t.Context(), n)
	require.NoError(t, err)
	sum := sha256.Sum256(model.Bytes)
	assert.Equal(t, hex.EncodeToString(sum[:]), served().Digest)
	assert.WithinDuration(t, time.Now(), served().Modified, time.Minute)
}

func TestAllowedNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"llm.example.org": true, "*.example.org": true, "example.org.": true, "*": true, "10.0.0.0/8": true, "192.0.2.1": true, "::1": true, "fe80::/10": true,
		"http://example.org": false, "example.org:8080": false, "[::1]": false, "[::1]:80": false, "*.": false, "a*.example.org": false, "example.org/": false,
	} {
		assert.Equal(t, ok, checkName(name) == nil, name)
	}
}

func TestNameOfAServedModel(t *testing.T) {
	for text, want := range map[string][2]string{
		"":                                 {"quire-tales", ""},
		"models/small.Q4_0.gguf":           {"small.Q4_0", "models/small.Q4_0.gguf"},
		`C:\models\small.gguf`:             {"small", `C:\models\small.gguf`},
		"a=small.gguf":                     {"a", "small.gguf"},
		"a=hf:owner/repo:Q4_0":             {"a", "hf:owner/repo:Q4_0"},
		"hf:owner/repo:Q4_0":               {"owner/repo:Q4_0", "hf:owner/repo:Q4_0"},
		"hf:owner/repo/sub/model.gguf":     {"model", "hf:owner/repo/sub/model.gguf"},
		"https://example.org/a.gguf?x=1":   {"a", "https://example.org/a.gguf?x=1"},
		"b=https://example.org/a.gguf?x=1": {"b", "https://example.org/a.gguf?x=1"},
		"=small.gguf":                      {"", "small.gguf"},
	} {
		name, source := nameOf(text)
		assert.Equal(t, want, [2]string{name, source}, text)
	}
}
