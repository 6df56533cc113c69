package chat

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// conversation makes messages of a letter for the role and their text, a blank between them: "s:be brief u:hi a:hello".
func conversation(text string) (messages []Message) {
	roles := map[string]string{"s": "system", "d": "developer", "u": "user", "a": "assistant", "t": "tool"}
	for word := range strings.FieldsSeq(text) {
		role, content, _ := strings.Cut(word, ":")
		messages = append(messages, Message{Role: roles[role], Content: content})
	}
	return messages
}

// letters is a prompt of a token a byte.
func letters(messages []Message) (ids []int32, err error) {
	for _, m := range messages {
		for _, b := range []byte(m.Content.(string)) {
			ids = append(ids, int32(b))
		}
	}
	return ids, nil
}

func TestWithin(t *testing.T) {
	for name, tt := range map[string]struct {
		messages string
		tokens   int
		want     string
		dropped  int
	}{
		"all fit":                             {"s:S u:aa a:bb u:cc", 7, "Saabbcc", 0},
		"one turn too many":                   {"s:S u:aa a:bb u:cc", 6, "Scc", 2},
		"no more than will do":                {"s:S u:aa a:bb u:cc a:dd u:ee", 7, "Sccddee", 2},
		"many turns":                          {"u:aa a:bb u:cc a:dd u:ee a:ff u:gg a:hh u:i", 4, "i", 8},
		"many turns, some left":               {"u:aa a:bb u:cc a:dd u:ee a:ff u:gg a:hh u:i", 5, "gghhi", 6},
		"the last turn stays":                 {"s:S u:aa a:bb u:cccccccc", 3, "Scccccccc", 2},
		"one turn only":                       {"s:S u:aaaa", 2, "Saaaa", 0},
		"a greeting goes with the first turn": {"s:S a:hi u:aa a:bb u:cc", 4, "Scc", 3},
		"tools go with their turn":            {"u:aa a:call t:result a:bb u:cc a:dd", 5, "ccdd", 4},
		"a later system message stays":        {"s:S u:aa s:T a:bb u:cc", 5, "STcc", 2},
		"so does a developer's":               {"d:D u:aa a:bb u:cc", 3, "Dcc", 2},
		"no user at all":                      {"s:S a:aaaa", 2, "Saaaa", 0},
	} {
		messages := conversation(tt.messages)
		ids, dropped, err := Within(messages, tt.tokens, letters)
		require.NoError(t, err, name)
		var got strings.Builder
		for _, id := range ids {
			got.WriteByte(byte(id))
		}
		assert.Equal(t, tt.want, got.String(), name)
		assert.Equal(t, tt.dropped, dropped, name)
		assert.Equal(t, conversation(tt.messages), messages, "what is given stays: %s", name)
	}
}

func TestFit(t *testing.T) {
	for name, tt := range map[string]struct {
		messages        string
		context, answer int
		want            string
		dropped         int
	}{
		"an eighth is left":              {"u:aaaa a:bbbb u:cccccc", 16, 0, "aaaabbbbcccccc", 0},
		"no eighth is left":              {"u:aaaa a:bbbb u:ccccccc", 16, 0, "ccccccc", 2},
		"a shorter answer needs less":    {"u:aaaa a:bbbb u:ccccccc", 16, 1, "aaaabbbbccccccc", 0},
		"a longer one needs no more":     {"u:aaaa a:bbbb u:cccccc", 16, 99, "aaaabbbbcccccc", 0},
		"a quarter is freed at once":     {"u:a a:b u:cccc a:dddd u:eeeee", 16, 0, "eeeee", 4},
		"the last turn stays as it is":   {"u:a a:b u:cccccccccccccccccccc", 16, 0, "cccccccccccccccccccc", 2},
		"a context of one token is none": {"u:a a:b u:c", 1, 0, "c", 2},
	} {
		ids, dropped, err := Fit(conversation(tt.messages), tt.context, tt.answer, letters)
		require.NoError(t, err, name)
		var got strings.Builder
		for _, id := range ids {
			got.WriteByte(byte(id))
		}
		assert.Equal(t, tt.want, got.String(), name)
		assert.Equal(t, tt.dropped, dropped, name)
	}
}

// A conversation of many turns is rendered a few times only.
func TestWithinIsQuick(t *testing.T) {
	messages := conversation(strings.Repeat("u:aa a:bb ", 5000) + "u:cc")
	calls := 0
	ids, dropped, err := Within(messages, 99, func(m []Message) ([]int32, error) {
		calls++
		return letters(m)
	})
	require.NoError(t, err)
	assert.Len(t, ids, 98)
	assert.Equal(t, 10_000-48, dropped)
	assert.Less(t, calls, 20)
}

func TestWithinFails(t *testing.T) {
	refused := errors.New("refused")
	for allowed := range 3 {
		calls := 0
		_, _, err := Within(conversation("u:aa a:bb u:cc a:dd u:ee a:ff u:gg"), 3, func(m []Message) ([]int32, error) {
			if calls++; calls > allowed {
				return nil, refused
			}
			return letters(m)
		})
		require.ErrorIs(t, err, refused, allowed)
	}
}
