package schedule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/paging"
)

// load brings a saved text back and fills its new blocks at once, as a restored session does.
func (r *rig) load(tokens []int32) *Pin { return r.loadOf(tokens, len(tokens)) }

// loadOf is load for the first tokens of a conversation of so many.
func (r *rig) loadOf(tokens []int32, conversation int) *Pin {
	p, err := r.Load(tokens, conversation, "", "")
	require.NoError(r.t, err)
	require.NoError(r.t, r.Check())
	link := firstLink
	for i, token := range tokens[:p.Tokens()] {
		link = mix(link, token)
		for g := range r.machine.groups {
			if i >= p.Fresh() {
				r.machine.slots[r.machine.at(p.Blocks(g), int32(i))] = slot{token, int32(i), link}
			}
		}
	}
	return p
}

// swappedOut runs two requests that land each token until one is swapped out in a step that is not made yet: its blocks are
// free, and the next step moves them.
func swappedOut(t *testing.T, c Config) *rig {
	c.BlockSize, c.Blocks, c.HostBlocks, c.Preemption, c.Depth = 4, 7, 12, Swap, 2
	r := endless(t, c)
	require.NoError(t, r.Add(Request{ID: 1, Prompt: prompt(1, 10), MaxTokens: 10, LandEach: true}))
	r.next()
	require.NoError(t, r.Add(Request{ID: 2, Prompt: prompt(2, 11), MaxTokens: 10, LandEach: true}))
	for range 100 {
		d := r.next()
		if d.Kind == Land && len(r.Cache().SwapOuts()) > 0 {
			return r
		}
		if d.Kind == Land {
			r.land(d.Step)
		}
	}
	require.Fail(t, "nobody was swapped out without a step")
	return nil
}

// What is loaded goes into no block that is yet to be moved to host memory.
func TestLoadLeavesSwapOutsAlone(t *testing.T) {
	for _, cached := range []bool{false, true} {
		r := swappedOut(t, Config{PrefixCache: true})
		if cached { // the victim's blocks as they would be found
			require.NoError(t, r.Truncate(2, 1))
			r.texts[2] = r.texts[2][:len(r.texts[2])-1]
		}
		away := map[int32]bool{}
		for _, x := range r.Cache().SwapOuts() {
			away[x.Block] = true
		}
		free := r.Cache().Pool().Free()
		p := r.load(prompt(7, 24))
		for _, id := range p.Blocks(0) {
			assert.False(t, away[id], "block %d is yet to be moved", id)
		}
		assert.Len(t, p.Blocks(0), free-len(away), "the others are free")
		r.Unpin(p)
		r.finish()
		for id := range uint64(2) {
			assert.Equal(t, continuation(nil, prompt(int(id+1), 10+int(id)), 10, 100), r.texts[id+1])
		}
	}
}

// A victim that ends before its blocks were moved leaves nothing behind: they can be loaded into.
func TestCancelBeforeSwapOut(t *testing.T) {
	for name, end := range map[string]func(r *rig) error{
		"cancelled":     func(r *rig) error { return r.Cancel(2) },
		"device lost":   func(r *rig) error { clear(r.results); r.machine.lose(); return r.Reset() },
		"a step failed": func(r *rig) error { clear(r.results); clear(r.machine.going); return r.Fail(r.flight[0].number) },
	} {
		t.Run(name, func(t *testing.T) {
			r := swappedOut(t, Config{PrefixCache: true})
			require.NoError(t, end(r))
			require.NoError(t, r.Check())
			assert.Empty(t, r.Cache().SwapOuts())
			assert.Equal(t, 12, r.Cache().HostFree())
			p := r.load(prompt(7, 24))
			assert.Len(t, p.Blocks(0), r.Stats().Cache.Blocks-r.Blocks(1))
			r.Unpin(p)
			r.finish()
			assert.Equal(t, continuation(nil, prompt(1, 10), 10, 100), r.texts[1])
			require.NoError(t, r.Add(Request{ID: 9, Prompt: prompt(7, 20), MaxTokens: 3}))
			r.finish()
			assert.Equal(t, continuation(nil, prompt(7, 20), 3, 100), r.texts[9])
		})
	}
}

// What is loaded is nobody's copy, and nobody's copy comes over it.
func TestLoadBesidePartialHits(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 6, PrefixCache: true, PartialHits: true})
	require.NoError(t, r.Add(Request{ID: 1, Prompt: prompt(1, 6), MaxTokens: 1}))
	r.finish()
	like := append(prompt(1, 3), prompt(8, 5)...) // begins as a cached block does
	p := r.load(like)
	require.Equal(t, 8, p.Tokens())
	assert.Zero(t, p.Fresh())
	assert.Empty(t, r.Cache().Copies())
	r.Unpin(p)
	q := r.load(prompt(5, 16))
	require.Equal(t, 16, q.Tokens())
	r.Unpin(q)
	require.NoError(t, r.Add(Request{ID: 2, Prompt: prompt(5, 18), MaxTokens: 1}))
	d := r.next()
	assert.Equal(t, 16, d.Opened[0].Cached)
	r.land(d.Step)
	assert.Equal(t, continuation(nil, prompt(5, 18), 1, 100), r.texts[2])
}

// A sequence that waits, or has computed only a chunk, drops tokens: what it says instead is found by its own tokens.
func TestTruncatedWhileItWaits(t *testing.T) {
	for name, wait := range map[string]func(r *rig){
		"refused":  func(*rig) {},
		"in chunk": func(r *rig) { require.NoError(t, r.Cancel(1)); r.next(); r.land(r.flight[0].number) },
	} {
		t.Run(name, func(t *testing.T) {
			r := endless(t, Config{BlockSize: 4, Blocks: 9, PrefixCache: true, Watermark: 6, Groups: []paging.Group{{Window: 100}}})
			require.NoError(t, r.Add(Request{ID: 1, Prompt: prompt(1, 3), MaxTokens: 28}))
			require.NoError(t, r.Add(Request{ID: 2, Prompt: prompt(2, 3), MaxTokens: 20}))
			for r.Stats().Preemptions == 0 {
				if d := r.next(); d.Kind == Land {
					r.land(d.Step)
				}
			}
			for r.Stats().InFlight > 0 {
				r.land(r.flight[0].number)
			}
			r.next() // it is looked up, and does not fit
			wait(r)
			for r.Stats().InFlight > 0 {
				r.land(r.flight[0].number)
			}
			before, _ := r.Tokens(2)
			said := append([]int32(nil), before...)
			n := len(said) - 3 - 1
			require.Greater(t, n, 4)
			require.NoError(t, r.Truncate(2, n))
			require.NoError(t, r.Replace(2, 999)) // so that it goes on in another way
			r.finish()
			assert.LessOrEqual(t, r.Cache().Match(r.Cache().NewTable(paging.Extras{}), said), (len(said)-n)/4*4, "what was dropped is not there")
		})
	}
}
