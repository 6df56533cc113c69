package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// Where a clock has not ticked there is no rate yet.
func TestRatesOfACoarseClock(t *testing.T) {
	times := []float64{0.5, 0, 0, 0.25, 0}
	b, r := bench{repeat: 2}, Result{}
	require.NoError(t, b.repeated(&r, func() (int, float64, error) {
		took := times[0]
		times = times[1:]
		return 10, took, nil
	}))
	assert.Equal(t, []float64{20, 120}, r.Samples)
	assert.Equal(t, 70.0, r.TokensPerSecond)
	assert.ErrorIs(t, b.repeated(&Result{}, func() (int, float64, error) { return 0, 0, assert.AnError }), assert.AnError)
}
