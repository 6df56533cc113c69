package generation

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/grammar"
)

// TestKnownGrammars has grammars compiled at once and again: equal ones once, and those that were used last are kept as far as there is
// room for them.
func TestKnownGrammars(t *testing.T) {
	tok := words(t, "ab")
	g := NewGrammars(tok, tok.Size(), grammar.Limits{})
	g.most = 1000
	compile := func(length int) *grammar.Matcher {
		r := Request{Grammar: &Grammar{Kind: Regex, Source: fmt.Sprintf("%0*d", length, 0)}}
		assert.NoError(t, g.Compile(context.Background(), &r))
		return r.matcher
	}
	var all sync.WaitGroup
	got := make([]*grammar.Matcher, 8)
	for i := range got {
		all.Go(func() { got[i] = compile(300 + i%2) })
	}
	all.Wait()
	for i := range got {
		require.NotNil(t, got[i])
		assert.Same(t, got[i%2], got[i])
	}
	compile(300)
	compile(310)
	assert.Same(t, got[0], compile(300))
	compile(350)
	assert.LessOrEqual(t, g.size, 1000)
	assert.Same(t, got[0], compile(300))
	assert.NotSame(t, got[1], compile(301), "it was used longest ago")
	compile(5000)
	assert.Equal(t, 1, g.used.Len())
	assert.Same(t, compile(5000), compile(5000), "a large one is kept alone")
	for i := range 2 * knownGrammars {
		compile(1 + i)
	}
	assert.LessOrEqual(t, len(g.known), knownGrammars)
	assert.LessOrEqual(t, g.size, 1000)
}

// TestCompilesInTurn: while others are compiled a grammar waits, as long as its request does.
func TestCompilesInTurn(t *testing.T) {
	tok := words(t, "ab")
	g := NewGrammars(tok, tok.Size(), grammar.Limits{})
	for range compiledAtOnce {
		g.turns <- struct{}{}
	}
	r := Request{Grammar: &Grammar{Kind: Regex, Source: "a"}}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, g.Compile(ctx, &r), context.DeadlineExceeded)
	<-g.turns
	require.NoError(t, g.Compile(context.Background(), &r))
	assert.NotNil(t, r.matcher)
}
