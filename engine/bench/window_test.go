package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestWindowOpensWhenAllGenerate(t *testing.T) {
	w := window{counts: make([]int, 2), tokens: 4}
	at := time.Unix(0, 0)
	tick := func(i int) bool {
		at = at.Add(time.Second)
		return w.count(i, at)
	}
	for range 10 { // the second is still in its prompt
		assert.False(t, tick(0))
	}
	assert.False(t, w.open)
	for range warmUpSteps {
		assert.False(t, tick(1))
	}
	assert.True(t, w.open)
	start := at
	assert.Equal(t, start, w.start)
	assert.False(t, tick(0))
	assert.False(t, tick(1))
	assert.False(t, tick(0))
	assert.True(t, tick(1), "the fourth token closes the window")
	assert.False(t, tick(0), "and nothing after counts")
	assert.Equal(t, 4, w.seen)
	assert.Equal(t, 4*time.Second, w.end.Sub(w.start))
}
