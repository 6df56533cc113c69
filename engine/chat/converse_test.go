package chat

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConverse(t *testing.T) {
	const shown = `{%- for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}`
	refuses, err := New(`{% if messages[0].role != 'user' %}{{ raise_exception('no system') }}{% endif %}`+shown, "", "")
	require.NoError(t, err)
	takes, err := New(shown, "", "")
	require.NoError(t, err)
	never, err := New(`{{ raise_exception('nothing goes') }}`, "", "")
	require.NoError(t, err)
	messages := conversation("s:brief u:why a:so u:oh")
	text, err := refuses.Converse(messages, Options{})
	require.NoError(t, err)
	assert.Equal(t, "[user]brief\n\nwhy[assistant]so[user]oh", text)
	assert.Equal(t, conversation("s:brief u:why a:so u:oh"), messages, "what is given stays")
	text, err = takes.Converse(messages, Options{})
	require.NoError(t, err)
	assert.Equal(t, "[system]brief[user]why[assistant]so[user]oh", text)
	for _, wrong := range []string{"s:brief a:so", "a:so u:oh", "s:brief"} {
		_, err = refuses.Converse(conversation(wrong), Options{})
		require.ErrorContains(t, err, "no system", wrong)
	}
	_, err = never.Converse(messages, Options{})
	require.ErrorContains(t, err, "nothing goes")
}
