package schedule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/paging"
)

// Pinned blocks outlive other requests that would have taken them.
func TestPinKeepsBlocks(t *testing.T) {
	for _, pinned := range []bool{true, false} {
		r := endless(t, Config{BlockSize: 4, Blocks: 13, PrefixCache: true})
		require.NoError(t, r.Add(Request{ID: 1, Prompt: prompt(1, 12), MaxTokens: 2}))
		r.finish()
		if pinned {
			p, err := r.Pin(prompt(1, 12), "", "")
			require.NoError(t, err)
			require.Equal(t, 12, p.Tokens(), "its last token too")
			require.Equal(t, 1, r.Stats().Pinned)
		}
		for id := uint64(2); id < 4; id++ {
			require.NoError(t, r.Add(Request{ID: id, Prompt: prompt(int(id), 30), MaxTokens: 6}))
			r.finish()
		}
		assert.Equal(t, pinned, r.Cache().Match(r.Cache().NewTable(paging.Extras{}), prompt(1, 13)) == 12)
		require.NoError(t, r.Check())
	}
}

// A pin gives way rather than let a request stall.
func TestPinGivesWay(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 9, PrefixCache: true})
	require.NoError(t, r.Add(Request{ID: 1, Prompt: prompt(1, 12), MaxTokens: 1}))
	r.finish()
	p, err := r.Pin(prompt(1, 12), "", "")
	require.NoError(t, err)
	require.NoError(t, r.Add(Request{ID: 2, Prompt: prompt(2, 18), MaxTokens: 14}))
	r.finish()
	assert.Zero(t, p.Tokens())
	assert.Equal(t, uint64(1), r.Stats().Yielded)
	assert.Zero(t, r.Stats().Preemptions, "nobody else could have gone")
	assert.Equal(t, continuation(nil, prompt(2, 18), 14, 100), r.texts[2])

	p, err = r.Pin(prompt(2, 18), "", "") // before it is let in
	require.NoError(t, err)
	require.NotZero(t, p.Tokens())
	require.NoError(t, r.Add(Request{ID: 3, Prompt: prompt(3, 29), MaxTokens: 3}))
	r.finish()
	assert.Zero(t, p.Tokens())
}

// Loaded blocks are hits for the next request; what is cached already is not loaded again.
func TestLoad(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 9, PrefixCache: true})
	require.NoError(t, r.Add(Request{ID: 1, Prompt: prompt(1, 5), MaxTokens: 1}))
	r.finish()
	p, err := r.Load(prompt(1, 11), 11, "", "")
	require.NoError(t, err)
	assert.Equal(t, []int{4, 8}, []int{p.Fresh(), p.Tokens()})
	link := firstLink
	for i, token := range prompt(1, 8) {
		link = mix(link, token)
		r.machine.slots[r.machine.at(p.Blocks(0), int32(i))] = slot{token, int32(i), link}
	}
	r.Unpin(p)
	require.NoError(t, r.Add(Request{ID: 2, Prompt: prompt(1, 11), MaxTokens: 3}))
	d := r.next()
	assert.Equal(t, 8, d.Opened[0].Cached)
	r.land(d.Step)
	r.finish()
	assert.Equal(t, continuation(nil, prompt(1, 11), 3, 100), r.texts[2])

	p, err = r.Load(prompt(5, 11), 11, "", "")
	require.NoError(t, err)
	assert.Equal(t, 8, p.Tokens())
	r.Forget(p)
	require.NoError(t, r.Check())
	require.NoError(t, r.Add(Request{ID: 3, Prompt: prompt(5, 11), MaxTokens: 3}))
	d = r.next()
	assert.Zero(t, d.Opened[0].Cached, "what was not filled is not found")
	r.land(d.Step)
	r.finish()

	p, err = r.Load(prompt(7, 100), 100, "", "")
	require.NoError(t, err)
	assert.Equal(t, 32, p.Tokens(), "as far as there are blocks")
	require.NoError(t, r.Check())
	require.NoError(t, r.Reset())
	assert.Zero(t, p.Tokens(), "a lost device has nothing left")
	require.NoError(t, r.Check())
}
