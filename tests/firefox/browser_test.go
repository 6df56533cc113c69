//go:build !js

package firefox

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEvaluate(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b, err := Start(ctx, nil)
	require.NoError(t, err)
	defer b.Close()
	require.NoError(t, b.Navigate(ctx, "data:text/html;charset=utf-8,<script>globalThis.answer = 42</script>é"))
	var value any
	for expression, want := range map[string]any{
		`answer`:                          42.0,
		`document.body.textContent`:       "é",
		`Promise.resolve([null, '🦊', 2])`: []any{nil, "🦊", 2.0},
		`isSecureContext`:                 false,
	} {
		value = nil
		require.NoError(t, b.Evaluate(ctx, expression, &value))
		assert.Equal(t, want, value, expression)
	}
	require.NoError(t, b.Evaluate(ctx, `(window.kept = 1, globalThis.gone = 2)`, &value))
	require.NoError(t, b.Evaluate(ctx, `[globalThis.kept, globalThis.gone ?? null]`, &value))
	assert.Equal(t, []any{1.0, nil}, value)
	assert.ErrorContains(t, b.Evaluate(ctx, `nothing.at.all`, &value), "ReferenceError: nothing is not defined")
	assert.ErrorContains(t, b.Evaluate(ctx, `)`, &value), "javascript error: SyntaxError")

	var agent string
	require.NoError(t, b.Evaluate(ctx, `new Promise((resolve) => setTimeout(() => resolve(navigator.userAgent), 100))`, &agent))
	assert.Contains(t, agent, " Firefox/")

	// What takes longer than WebDriver's usual 30 seconds goes on until the caller has enough.
	var timeouts struct{ Script int }
	require.NoError(t, b.marionette.call(ctx, "WebDriver:GetTimeouts", map[string]any{}, &timeouts))
	assert.Greater(t, timeouts.Script, 24*60*60*1000)
	time.AfterFunc(200*time.Millisecond, cancel)
	require.ErrorIs(t, b.Evaluate(ctx, `new Promise(() => {})`, &value), context.Canceled)
	require.NoError(t, b.Close())
	assert.NoDirExists(t, b.dir)
}

func TestStartWithoutFirefox(t *testing.T) {
	t.Setenv("QUIRE_FIREFOX", "/nowhere/firefox")
	_, err := Start(context.Background(), nil)
	require.ErrorContains(t, err, "starting Firefox: ")
	require.ErrorIs(t, err, os.ErrNotExist)

	t.Setenv("QUIRE_FIREFOX", "true") // a program that ends at once
	_, err = Start(context.Background(), nil)
	require.ErrorContains(t, err, "starting Firefox: it ended")
}
