package hub

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFileLink(t *testing.T) {
	tests := []struct{ page, file string }{
		{"https://huggingface.co/org/repo/blob/main/a.gguf", "https://huggingface.co/org/repo/resolve/main/a.gguf"},
		{"https://hf-mirror.com/org/repo/blob/v1.0/sub/a%20b.gguf?download=true#top", "https://hf-mirror.com/org/repo/resolve/v1.0/sub/a%20b.gguf"},
		{"https://github.com/org/repo/blob/main/a.gguf", "https://github.com/org/repo/raw/main/a.gguf"},
		{"https://gitlab.com/org/repo/-/blob/main/a.gguf", "https://gitlab.com/org/repo/-/raw/main/a.gguf"},
		{"https://www.modelscope.cn/models/org/repo/file/view/master/a.gguf", "https://www.modelscope.cn/models/org/repo/resolve/master/a.gguf"},
		{"https://www.GitHub.com:443/org/repo/blob/main/a.gguf#L1", "https://www.GitHub.com:443/org/repo/raw/main/a.gguf"},
		{"https://huggingface.co/org/repo/resolve/main/a.gguf", ""},
		{"https://example.org/?page=/org/repo/blob/main/a.gguf", ""},
		{"see https://", ""},
		{"https://huggingface.co/org/repo/resolve/main/blob/a.gguf", ""},
		{"https://example.org/blob/a.gguf", ""},
		{"https://example.org/a.gguf", ""},
		{"/org/repo/blob/main/a.gguf", ""},
		{"http://[", ""},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.file, FileLink(tt.page), tt.page)
	}
}

func TestErrors(t *testing.T) {
	inner := errors.New("dial tcp 127.0.0.1:1: connect: connection refused")
	e := Errorf(Unreachable, "%s refused the connection", "127.0.0.1")
	e.URL, e.Err = "http://me:secret@127.0.0.1:1/a.gguf", inner
	assert.Equal(t, "http://me:xxxxx@127.0.0.1:1/a.gguf: 127.0.0.1 refused the connection", e.Error())
	assert.ErrorIs(t, e, inner)
	for address, without := range map[string]string{
		"https://me:p@ss:w@example.org:8080/a@b:c?d=e:f@g": "https://me:xxxxx@example.org:8080/a@b:c?d=e:f@g",
		"https://me@example.org/a.gguf":                    "https://me@example.org/a.gguf",
		"https://example.org?at=me:you@home":               "https://example.org?at=me:you@home",
		"a.gguf":                                           "a.gguf",
	} {
		e.URL = address
		assert.Equal(t, without+": 127.0.0.1 refused the connection", e.Error())
	}

	for _, kind := range []Kind{NotFound, Forbidden, CORS, Unreachable, Cut, Silent, Busy, Server, WebPage, Encoded, Changed, BadAddress} {
		e := Error{Kind: kind, URL: "https://example.org/a.gguf"}
		assert.NotEmpty(t, e.Advice(), kind)
	}
	for _, kind := range []Kind{NotFound, Forbidden, CORS, WebPage} {
		e := Error{Kind: kind, URL: "https://huggingface.co/org/repo/blob/main/a.gguf"}
		assert.Contains(t, e.Advice(), "https://huggingface.co/org/repo/resolve/main/a.gguf", kind)
	}
	assert.Contains(t, (&Error{Kind: Forbidden, URL: "https://huggingface.co/org/typo/resolve/main/a.gguf"}).Advice(), "no such repository")
}

func TestStatus(t *testing.T) {
	for code, kind := range map[int]Kind{404: NotFound, 410: NotFound, 401: Forbidden, 403: Forbidden, 416: Server, 418: Server, 429: Busy, 503: Busy, 500: Server, 502: Server} {
		e := Status(code, "")
		assert.Equal(t, kind, e.Kind, code)
		assert.Contains(t, e.Reason, "HTTP ", code)
	}
	for _, code := range []int{408, 425, 429, 500, 502, 503, 504} {
		assert.True(t, Passing(code), code)
	}
	for _, code := range []int{400, 401, 403, 404, 410, 416} {
		assert.False(t, Passing(code), code)
	}
}
