package openai

import (
	"encoding/hex"
	"strconv"
	"strings"

	"quire/engine/sha256"
)

// Prefix names the beginning of a conversation, the same for all its turns and for others that begin so, so that a balancer can send
// them to one replica, which has their blocks in its cache: the first 16 hexadecimal digits of the SHA-256 of the first 256 bytes of
// the messages up to the first of a user, for each its role, a line feed, its text (its parts' texts, a line each) and a zero byte.
func (q *ChatRequest) Prefix() string {
	var b strings.Builder
	for i := range q.Messages {
		m := &q.Messages[i]
		b.WriteString(m.Role + "\n" + m.text() + "\x00")
		if m.Role == "user" || b.Len() >= prefixBytes {
			break
		}
	}
	return prefixOf(start(b.String()))
}

// prefixBytes and prefixTokens are how much of a conversation or a prompt counts.
const (
	prefixBytes  = 256
	prefixTokens = 64
)

// Prefix names the beginning of a prompt: of the first one's first 256 bytes, or its first 64 token ids in decimal with a space between.
func (q *CompletionRequest) Prefix() string {
	if len(q.Prompts) == 0 {
		return ""
	}
	p := q.Prompts[0]
	if p.IDs == nil {
		return prefixOf(start(p.Text))
	}
	var ids []string
	for _, id := range p.IDs[:min(len(p.IDs), prefixTokens)] {
		ids = append(ids, strconv.Itoa(int(id)))
	}
	return prefixOf(strings.Join(ids, " "))
}

func start(text string) string { return text[:min(len(text), prefixBytes)] }

func prefixOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
