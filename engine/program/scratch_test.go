package program_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu/gputest"
	"quire/engine/program"
)

// Scratch of one label is one buffer, as large as the largest use; views keep their own sizes.
func TestScratch(t *testing.T) {
	p := program.New(gputest.Device(t), "test")
	t.Cleanup(p.Release)
	small, large, other := p.Scratch("a", 4), p.Scratch("a", 12), p.Scratch("b", 8)
	own := p.Buffer("own", 4)
	assert.Equal(t, small, p.Resolve(small), "not made yet")
	require.NoError(t, p.Finish(context.Background(), nil))
	small, large, other = p.Resolve(small), p.Resolve(large), p.Resolve(other)
	assert.Same(t, small.Buffer, large.Buffer)
	assert.NotSame(t, small.Buffer, other.Buffer)
	assert.Equal(t, []uint64{16, 48, 32}, []uint64{small.Size, large.Size, other.Size})
	assert.EqualValues(t, 48, small.Buffer.Size())
	assert.Equal(t, "test a", small.Buffer.Label())
	assert.Equal(t, own, p.Resolve(own))
}
