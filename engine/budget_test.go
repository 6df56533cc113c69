package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"quire/engine/gpu"
)

func TestBudgets(t *testing.T) {
	for name, c := range map[string]struct {
		token           time.Duration
		least, most     int
		prompts, shared int
	}{
		"a fast GPU":                    {50 * time.Microsecond, 64, 2048, 2048, 512},
		"whole tiles":                   {150 * time.Microsecond, 64, 2048, 1024, 512},
		"decoding waits less":           {time.Millisecond, 64, 2048, 250, 100},
		"a slow one":                    {2 * time.Millisecond, 16, 2048, 125, 50},
		"never under the sequences":     {time.Second, 64, 2048, 64, 64},
		"not a large GPU":               {50 * time.Microsecond, 64, 512, 512, 512},
		"not a large GPU, and slow":     {time.Millisecond, 64, 512, 100, 100},
		"a context of less than a step": {50 * time.Microsecond, 64, 600, 600, 512},
	} {
		t.Run(name, func(t *testing.T) {
			prompts, shared := budgets(c.token, c.least, c.most)
			assert.Equal(t, c.prompts, prompts)
			assert.Equal(t, c.shared, shared)
		})
	}
}

// A GPU that sleeps at first is measured as one that is awake.
func TestTokenTime(t *testing.T) {
	for name, c := range map[string]struct {
		first, many, token time.Duration // of a few tokens and of many, the first time, and later
		most               int
		asked              []int
	}{
		"a fast GPU":               {30 * time.Microsecond, 20 * time.Microsecond, 20 * time.Microsecond, 2048, []int{64, 512}},
		"one whose first is slow":  {30 * time.Microsecond, 130 * time.Microsecond, 20 * time.Microsecond, 2048, []int{64, 512, 512}},
		"one that wakes up":        {3 * time.Millisecond, 20 * time.Microsecond, 20 * time.Microsecond, 2048, []int{64, 64, 512}},
		"one that wakes up slowly": {3 * time.Millisecond, 130 * time.Microsecond, 20 * time.Microsecond, 2048, []int{64, 64, 512, 512}},
		"a slow one":               {5 * time.Millisecond, 4 * time.Millisecond, 4 * time.Millisecond, 2048, []int{64, 64}},
		"not a large one":          {30 * time.Microsecond, 0, 20 * time.Microsecond, 512, []int{64, 64}},
		"steps of a few tokens":    {30 * time.Microsecond, 0, 20 * time.Microsecond, 32, []int{32, 32}},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []int
			token, err := tokenTime(func(n, times int) (time.Duration, error) {
				asked = append(asked, n)
				switch {
				case len(asked) == 1:
					return c.first, nil
				case n == 512 && asked[len(asked)-2] != n:
					return c.many, nil
				}
				return c.token, nil
			}, c.most)
			assert.NoError(t, err)
			assert.Equal(t, c.token, token)
			assert.Equal(t, c.asked, asked)
		})
	}
}

func TestDefaultTokenBudget(t *testing.T) {
	large := gpu.AdapterInfo{Type: "discrete", Limits: gpu.Limits{MaxStorageBufferBindingSize: 2 << 30}}
	few, integrated := large, large
	few.Limits.MaxStorageBufferBindingSize, integrated.Type = 128<<20, "integrated"
	assert.Equal(t, 2048, defaultTokenBudget(large, false))
	assert.Equal(t, 512, defaultTokenBudget(large, true), "deterministic")
	assert.Equal(t, 512, defaultTokenBudget(few, false), "guaranteed limits")
	assert.Equal(t, 512, defaultTokenBudget(integrated, false))
}
