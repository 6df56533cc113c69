package talk

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

const (
	historyKept = 1000    // messages that are kept
	historyLong = 1 << 16 // bytes of a message that is not kept
)

// History is what has been typed in this chat and those before it, to be typed again. The nil History keeps nothing between chats.
type History struct {
	path  string // "": none
	texts []string
	at    int    // that is shown; len(texts): none of them
	draft string // what stood there before
}

// HistoryPath is where the history of this user lies: $XDG_STATE_HOME/quire/chat-history on Unix.
func HistoryPath() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if runtime.GOOS == "windows" {
		dir = os.Getenv("LocalAppData")
	}
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "quire", "chat-history"), nil
}

// OpenHistory reads a history's file; "" keeps one for this chat only. A line that cannot be read is passed over.
func OpenHistory(path string) *History {
	h := &History{path: path}
	if f, err := os.Open(path); err == nil {
		defer f.Close()
		lines := bufio.NewReader(f)
		for {
			line, err := lines.ReadString('\n')
			var text string
			if json.Unmarshal([]byte(line), &text) == nil && text != "" {
				h.texts = append(h.texts, text)
			}
			if err != nil {
				break
			}
		}
	}
	if len(h.texts) > 2*historyKept {
		h.shorten()
	}
	h.at = len(h.texts)
	return h
}

// shorten keeps the newest; another chat that adds to the file meanwhile may lose a line.
func (h *History) shorten() {
	h.texts = slices.Clone(h.texts[len(h.texts)-historyKept:])
	var lines strings.Builder
	for _, text := range h.texts {
		lines.WriteString(historyLine(text))
	}
	beside := h.path + ".new"
	if os.WriteFile(beside, []byte(lines.String()), 0o600) == nil {
		os.Rename(beside, h.path)
	}
}

// historyLine writes a text, which may have lines of its own, as one.
func historyLine(text string) string {
	line, _ := json.Marshal(text)
	return string(line) + "\n"
}

// Add keeps a text that was sent. A history that cannot be written keeps it for this chat.
func (h *History) Add(text string) {
	if text != "" && (len(h.texts) == 0 || h.texts[len(h.texts)-1] != text) {
		h.texts = append(h.texts, text)
		if h.path != "" && len(text) <= historyLong {
			h.write(historyLine(text))
		}
	}
	h.at, h.draft = len(h.texts), ""
}

func (h *History) write(line string) {
	if os.MkdirAll(filepath.Dir(h.path), 0o700) != nil {
		return
	}
	f, err := os.OpenFile(h.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	io.WriteString(f, line) // one write, so that chats beside each other do not mix their lines
}

// Back gives the text before the one that is shown; shown is what stands there now.
func (h *History) Back(shown string) (string, bool) {
	if h.at == 0 {
		return "", false
	}
	if h.at == len(h.texts) {
		h.draft = shown
	}
	h.at--
	return h.texts[h.at], true
}

// Forward gives the text after the one that is shown, in the end what stood there first.
func (h *History) Forward() (string, bool) {
	if h.at == len(h.texts) {
		return "", false
	}
	if h.at++; h.at == len(h.texts) {
		return h.draft, true
	}
	return h.texts[h.at], true
}
