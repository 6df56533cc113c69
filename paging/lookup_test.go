package paging

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What an empty table was asked about before binds it to nothing.
func TestLookupsOfOtherTokens(t *testing.T) {
	cached, other := runs(4, 1, 4, 2, 1, 9), runs(4, 5, 4, 6, 1, 9)
	for name, ask := range map[string]func(m *Manager, table *BlockTable){
		"a match": func(m *Manager, table *BlockTable) {
			require.Equal(t, 8, m.Match(table, cached))
		},
		"a refused allocation": func(m *Manager, table *BlockTable) {
			_, err := m.Allocate(table, cached, All, 100)
			require.ErrorIs(t, err, ErrNoBlocks)
		},
		"a beginning that is shared": func(m *Manager, table *BlockTable) {
			require.Equal(t, 4, m.Match(table, runs(4, 1, 4, 6, 1, 9)))
		},
		"a freed table": func(m *Manager, table *BlockTable) {
			_, err := m.Allocate(table, cached, All, 0)
			require.NoError(t, err)
			m.Free(table)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, groups := range [][]Group{nil, {{Window: 20}}, {{}, {Window: 6}}} {
				b := newBook(t, Config{BlockSize: 4, Blocks: 20, PrefixCache: true, Groups: groups})
				a, _ := b.allocate(cached)
				b.EndStep()
				b.free(a)
				table := b.NewTable(Extras{})
				ask(b.Manager, table)
				hit, err := b.Allocate(table, other, All, 0)
				require.NoError(t, err)
				b.check()
				assert.Zero(t, hit, "nothing of these tokens was ever computed")
				assert.Equal(t, 8, b.Match(b.NewTable(Extras{}), append(other, 0)))
				assert.Equal(t, 8, b.Match(b.NewTable(Extras{}), cached), "the others stay what they are")
				b.free(table)

				ask(b.Manager, table)
				held, err := b.Hold(table, other[:8])
				require.NoError(t, err)
				assert.Equal(t, 8, held)
				assert.Equal(t, 8, table.Tokens())
			}
		})
	}
}

// A chunk was allocated of tokens that change behind it, before they are computed: nothing stands under the old ones.
func TestTokensChangeBehindAChunk(t *testing.T) {
	for _, groups := range [][]Group{nil, {{Window: 20}}} {
		b := newBook(t, Config{BlockSize: 4, Blocks: 20, PrefixCache: true, Groups: groups})
		b.allocate(runs(4, 1))
		b.EndStep()
		before, after := runs(4, 1, 4, 2, 4, 3, 1, 9), runs(4, 1, 1, 2, 3, 7, 4, 3, 1, 9)
		table := b.NewTable(Extras{})
		hit, err := b.Allocate(table, before, 1, 0)
		require.NoError(t, err)
		require.Equal(t, 4, hit)
		b.EndStep()
		b.append(table, after, 7)
		assert.Equal(t, 4, b.Match(b.NewTable(Extras{}), before))
		assert.Equal(t, 12, b.Match(b.NewTable(Extras{}), after))
	}
}
