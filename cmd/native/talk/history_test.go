package talk

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "quire", "chat-history")
	h := OpenHistory(path)
	_, ok := h.Back("")
	assert.False(t, ok)
	for _, text := range []string{"one", "two\nlines", "two\nlines", "<three>"} {
		h.Add(text)
	}
	there, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), there.Mode().Perm(), "it is nobody else's")

	h = OpenHistory(path)
	var back []string
	for text, ok := h.Back("draft"); ok; text, ok = h.Back(text) {
		back = append(back, text)
	}
	assert.Equal(t, []string{"<three>", "two\nlines", "one"}, back)
	var forward []string
	for text, ok := h.Forward(); ok; text, ok = h.Forward() {
		forward = append(forward, text)
	}
	assert.Equal(t, []string{"two\nlines", "<three>", "draft"}, forward)
}

// A file that was altered, or cannot be had, is no reason not to chat.
func TestHistoryIsNoReasonToFail(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "h")
	require.NoError(t, os.WriteFile(path, []byte("\"one\"\nnonsense\n\"\"\n5\n\"two\"\n\"cut"), 0o600))
	assert.Equal(t, []string{"one", "two"}, OpenHistory(path).texts)
	for _, path := range []string{"", dir, filepath.Join(path, "under")} {
		h := OpenHistory(path)
		h.Add("kept for this chat")
		text, ok := h.Back("")
		assert.True(t, ok)
		assert.Equal(t, "kept for this chat", text)
	}
}

func TestHistoryIsShortened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h")
	var lines strings.Builder
	for i := range 2*historyKept + 1 {
		lines.WriteString(historyLine(fmt.Sprint(i)))
	}
	require.NoError(t, os.WriteFile(path, []byte(lines.String()), 0o600))
	for range 2 {
		h := OpenHistory(path)
		assert.Len(t, h.texts, historyKept)
		assert.Equal(t, fmt.Sprint(2*historyKept), h.texts[historyKept-1])
	}
	h := OpenHistory(path)
	h.Add(strings.Repeat("x", historyLong+1))
	assert.Len(t, OpenHistory(path).texts, historyKept, "a book is not kept")
}

func TestHistoryPath(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/state")
	path, err := HistoryPath()
	require.NoError(t, err)
	assert.Equal(t, "/state/quire/chat-history", path)
	t.Setenv("XDG_STATE_HOME", "not/absolute")
	t.Setenv("HOME", "/home/fox")
	path, err = HistoryPath()
	require.NoError(t, err)
	assert.Equal(t, "/home/fox/.local/state/quire/chat-history", path)
}
