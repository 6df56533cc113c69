package kernel

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/shaders"
)

// Items say what their rows do, of several rows at once too. Decode's of the first list lie where shaders look for them, whatever else a
// step has.
func TestItemsTellOfTheirRows(t *testing.T) {
	text, _, err := shaders.Compose("lib/step", shaders.Given{})
	require.NoError(t, err)
	for name, is := range map[string]int{"ITEM_WORDS": ItemWords, "STEP_DECODE_ITEMS": WordDecodeItems, "DECODE_ITEMS_AT": decodeItemsAt, "ROW_WORDS": rowWords + MaxGroups} {
		require.Contains(t, text, fmt.Sprintf("const %s: u32 = %du;", name, is))
	}
	s := &StepData{
		Tokens: []uint32{7, 8, 9}, Positions: []uint32{40, 41, 5},
		Rows:       []StepRow{{First: 0, Count: 2, Start: 40, Lane: 3}, {First: 2, Count: 1, Start: 5, Lane: 1}},
		SharedRows: []StepRow{{First: 1, Count: 2, Start: 9}},
		Tables:     [][MaxGroups][]uint32{{{11, 12, 13}, {14}}, {{15}}, {{16}}},
	}
	*s.List(0) = Items{Decode: []Item{{1, 0, 0, 6, 0}, {0, 4, 16, 42, 3}}, Prefill: []Item{{0, 8, 0, 42, 0}}, Shared: []Item{{2, 0, 0, 9, 0}}}
	*s.List(1) = Items{Decode: []Item{{1, 0, 3, 6, 1}}}
	const base = 5
	words := s.AppendWords(make([]uint32, base))[base:]
	for _, c := range []struct {
		word int
		want []Item
	}{
		{WordDecodeItems, s.Decode}, {WordPrefillItems, s.Prefill}, {SharedWord(0), s.Shared}, {ListWord(WordDecodeItems, 1), s.Further[0].Decode}, {ListWord(WordPrefillItems, 1), nil},
	} {
		require.EqualValues(t, len(c.want), words[c.word])
		at := int(words[c.word+1])
		if c.word == WordDecodeItems {
			require.Equal(t, decodeItemsAt, at)
		}
		for i, item := range c.want {
			got := words[at+i*ItemWords:]
			row := append(s.Rows[:2:2], s.SharedRows...)[item.Row]
			assert.Equal(t, []uint32{item.Row, item.First, item.KeyBegin, item.KeyEnd, item.To, row.First, row.Count, row.Start}, got[:8])
			assert.Equal(t, s.Tables[item.Row][0][0], words[got[8]], "the first block")
		}
	}
	assert.Equal(t, s.Tokens, words[words[wordAtTokens]:][:3])
}
