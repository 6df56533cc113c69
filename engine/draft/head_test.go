package draft

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a model guesses is drafted once, and not while other tokens are being drawn; wrong guesses make it rest, longer each time.
func TestHead(t *testing.T) {
	for _, depth := range []int{1, 4} {
		h := NewHead(Settings{Depth: depth}, 5)
		text := make([]int32, 3000)
		assert.Empty(t, h.Draft(text[:9], 0, 15), "nothing is guessed yet")
		h.Guessed(7)
		assert.Len(t, h.Draft(text[:9], 2, 15), 3)
		assert.Empty(t, h.Draft(text[:9], 0, 0))
		assert.Equal(t, []int32{7}, h.Draft(text[:9], 0, 15))
		h.Guessed(-1)
		assert.Empty(t, h.Draft(text[:9], 0, 15))

		wrong, rested := 0, 0
		for n := 10; n < len(text); n++ {
			h.Guessed(7)
			if d := h.Draft(text[:n], 0, 15); len(d) > 0 {
				assert.True(t, h.Wants())
				h.Verified(1, 0)
				wrong++
			} else {
				assert.False(t, h.Wants())
				rested++
			}
		}
		assert.Less(t, wrong, 60)
		assert.Positive(t, wrong)

		good := NewHead(Settings{Depth: depth}, 5)
		for n := 10; n < 500; n++ {
			good.Guessed(7)
			assert.Len(t, good.Draft(text[:n], 0, 15), 1)
			good.Verified(1, min(1, n%4))
		}
	}
}
