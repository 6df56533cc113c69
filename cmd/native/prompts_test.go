package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
)

// TestByteOrderMark: the mark that some editors write first is no part of a prompt.
func TestByteOrderMark(t *testing.T) {
	const mark = "\xef\xbb\xbf"
	for _, tt := range []struct {
		name, text string
		want       []string
		reason     string
	}{
		{"lines", mark + "Once upon\r\nA dog\r\n", []string{"Once upon", "A dog"}, ""},
		{"JSON Lines", mark + "{\"prompt\":\"Once upon\"}\n{\"prompt\":\"A dog\"}\n", []string{"Once upon", "A dog"}, ""},
		{"JSON Lines after white space", mark + "\r\n {\"prompt\":\"A dog\"}\r\n", []string{"A dog"}, ""},
		{"only at the start", "a\n" + mark + "b\n", []string{"a", mark + "b"}, ""},
		{"nothing else", mark, nil, "holds no prompts"},
		{"UTF-16", "\xff\xfeA\x00", nil, "UTF-16"},
		{"UTF-16, big-endian", "\xfe\xff\x00A", nil, "UTF-16"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			jobs, err := readPrompts(&host{in: strings.NewReader(tt.text)}, "-", job{})
			if tt.reason != "" {
				assert.ErrorContains(t, err, tt.reason)
				return
			}
			require.NoError(t, err)
			var got []string
			for _, j := range jobs {
				got = append(got, j.Prompt)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// As in the tab, stop is one text or a list of them.
func TestPromptsStop(t *testing.T) {
	for given, want := range map[string][]string{`"."`: {"."}, `[".", "!"]`: {".", "!"}, `[]`: {}, `null`: {"flag"}} {
		j, err := parseLine([]byte(`{"prompt": "A", "stop": `+given+`}`), job{Stop: []string{"flag"}})
		require.NoError(t, err, given)
		assert.ElementsMatch(t, want, j.Stop, given)
	}
	for given, want := range map[string]string{`5`: "stop must be a text or a list of texts", `[5]`: "stop must be a text or a list of texts", `""`: "a stop text is empty"} {
		_, err := parseLine([]byte(`{"prompt": "A", "stop": `+given+`}`), job{})
		assert.ErrorContains(t, err, want, given)
	}
}

func TestPromptsMinTokens(t *testing.T) {
	j, err := parseLine([]byte(`{"prompt": "A", "min_tokens": 4}`), job{MaxTokens: 9, Sample: sample.Defaults()})
	require.NoError(t, err)
	assert.Equal(t, 4, j.MinTokens)
	for _, wrong := range []string{`"min_tokens": 10`, `"min_tokens": -1`, `"min_tokens": 4, "max_tokens": 3`} {
		_, err = parseLine([]byte(`{"prompt": "A", `+wrong+`}`), job{MaxTokens: 9, Sample: sample.Defaults()})
		assert.ErrorContains(t, err, "min_tokens is ", wrong)
	}
}
