package draft

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"quire/engine/sample"
	"quire/engine/step"
	"quire/paging"
)

// following is what a model says after tokens: it depends on each of them.
func following(tokens []int32) int32 {
	h := uint32(7)
	for _, token := range tokens {
		h = (h ^ uint32(token)) * 16777619
		h ^= h >> 11
	}
	return int32(h % 40)
}

// machine runs steps on slots that remember their tokens.
type machine struct {
	t       require.TestingT
	size    int
	slots   map[int32]int32
	lanes   map[int32]int32
	states  map[int32][]int32 // the tokens behind which each stands; nil: there are none
	results []*step.Result
	tokens  int
	broken  error
}

func (m *machine) Open(int32, sample.Params, sample.History) error { return nil }

func (m *machine) Submit(s *step.Step) error {
	if m.broken != nil {
		return m.broken
	}
	for i, c := range s.Copies {
		require.Less(m.t, i, 100)
		for j := range c.Slots {
			m.slots[c.To*int32(m.size)+j] = m.slots[c.From*int32(m.size)+j]
		}
	}
	row := s.Rows[0]
	m.tokens += len(s.Tokens)
	at := slices.Clone(m.states[row.From])
	for i, token := range s.Tokens {
		if token == step.LaneToken {
			token = m.lanes[row.Lane]
		}
		m.slots[s.Groups[0].Slots[i]] = token
		at = append(at, token)
	}
	if m.states != nil {
		require.Positive(m.t, row.To)
		require.Len(m.t, at, int(row.Start+row.Count))
		m.states[row.To] = at
	}
	r := &step.Result{Number: s.Number}
	for _, o := range s.Outputs {
		var tokens []int32
		for p := range s.Positions[o.Token] + 1 {
			tokens = append(tokens, m.slots[s.Groups[0].Tables[int(p)/m.size]*int32(m.size)+p%int32(m.size)])
		}
		if m.states != nil {
			require.Equal(m.t, tokens, at, "the state is of another text")
		}
		m.lanes[row.Lane] = following(tokens)
		r.Tokens = append(r.Tokens, m.lanes[row.Lane])
	}
	m.results = append(m.results, r)
	return nil
}

func (m *machine) Land(context.Context) (*step.Result, error) {
	r := m.results[0]
	m.results = m.results[1:]
	return r, nil
}

// Whatever is accepted, and whoever comes and goes: a draft is what the model says after the sequence's tokens.
func TestModelDraftsItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(low, high int, label string) int { return rapid.IntRange(low, high).Draw(t, label) }
		size := draw(1, 5, "block")
		c := ModelConfig{
			Cache: paging.Config{BlockSize: size, Blocks: draw(10, 80, "blocks"), PrefixCache: rapid.Bool().Draw(t, "cache")},
			Lanes: draw(1, 3, "lanes"), Budget: draw(2, 20, "budget"), Context: draw(30, 90, "context"), Vocabulary: 40,
		}
		if rapid.Bool().Draw(t, "has states") {
			c.Cache.States = draw(2, 60, "states")
		}
		m := NewModel(c)
		start := func() *machine {
			runner := &machine{t: t, size: size, slots: map[int32]int32{}, lanes: map[int32]int32{}}
			if c.Cache.States > 0 {
				runner.states = map[int32][]int32{0: nil}
			}
			require.NoError(t, m.Reset(runner))
			return runner
		}
		start()
		drafters, texts, drafted := make([]Drafter, 4), make([][]int32, 4), 0
		for range draw(5, 60, "turns") {
			i := draw(0, 3, "sequence")
			switch turn := draw(0, 20, "turn"); {
			case drafters[i] == nil:
				drafters[i], texts[i] = m.Drafter(Settings{Depth: 1, Most: draw(1, 8, "most")}), nil
				for range draw(1, 12, "prompt") {
					texts[i] = append(texts[i], int32(draw(0, 3, "token")))
				}
			case turn == 0:
				drafters[i].Close()
				drafters[i] = nil
			case turn == 1:
				require.NoError(t, m.Reset(nil))
				require.Empty(t, drafters[i].Draft(texts[i], 0, 8))
				start()
			case turn == 2:
				require.Contains(t, []int{0, 3}, len(drafters[i].Draft(texts[i], 2, 8)))
			default:
				most := draw(1, 9, "most")
				draft := slices.Clone(drafters[i].Draft(texts[i], 0, most))
				require.LessOrEqual(t, len(draft), most)
				accepted := 0
				for j, token := range draft {
					require.Equal(t, following(append(slices.Clone(texts[i]), draft[:j]...)), token)
				}
				if len(draft) > 0 {
					accepted = draw(0, len(draft), "accepted")
					drafters[i].Verified(len(draft), accepted)
				}
				texts[i] = append(append(texts[i], draft[:accepted]...), int32(draw(0, 3, "token")))
				drafted += len(draft)
			}
			require.NoError(t, m.Check())
		}
		for _, d := range drafters {
			if d != nil {
				d.Close()
			}
		}
		require.NoError(t, m.Check())
		require.Zero(t, m.cache.Stats().Active)
		require.Len(t, m.lanes, c.Lanes)
	})
}

// A model whose drafts are wrong rests, longer each time; one whose device is lost drafts nothing more.
func TestModelRests(t *testing.T) {
	m := NewModel(ModelConfig{Cache: paging.Config{BlockSize: 4, Blocks: 500}, Lanes: 1, Budget: 64, Context: 2000, Vocabulary: 40, Share: 20})
	runner := &machine{t: t, size: 4, slots: map[int32]int32{}, lanes: map[int32]int32{}}
	require.NoError(t, m.Reset(runner))
	text := make([]int32, 1200) // all 0, which the model does not say
	d := m.Drafter(Settings{Depth: 4})
	plain, verified := run(t, d, text[:10], text[10:], 4, 15)
	assert.Less(t, verified, 40)
	assert.Positive(t, verified)
	assert.Greater(t, plain, 1100)

	right := []int32{1, 2, 3}
	for len(right) < 400 {
		right = append(right, following(right))
	}
	good := m.Drafter(Settings{Depth: 4})
	assert.Empty(t, good.Draft(right[:3], 0, 15), "no lane is free")
	d.Close()
	plain, verified = run(t, good, right[:3], right[3:], 4, 15)
	assert.Less(t, plain+verified, 50)

	runner.broken = errors.New("lost")
	assert.Empty(t, good.Draft(append(right, 5), 0, 15))
	good.Close()
}

// What one request's drafts have computed is there for others of its salt, and for nobody else.
func TestModelKeepsSaltsApart(t *testing.T) {
	m := NewModel(ModelConfig{Cache: paging.Config{BlockSize: 4, Blocks: 100, PrefixCache: true}, Lanes: 3, Budget: 64, Context: 200, Vocabulary: 40})
	runner := &machine{t: t, size: 4, slots: map[int32]int32{}, lanes: map[int32]int32{}}
	require.NoError(t, m.Reset(runner))
	text := []int32{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1}
	for _, c := range []struct {
		salt     string
		computed int
	}{{"ann", len(text)}, {"ann", 1}, {"bob", len(text)}} {
		before := runner.tokens
		require.Len(t, m.Drafter(Settings{Depth: 1, Salt: c.salt}).Draft(text, 0, 1), 1)
		assert.Equal(t, c.computed, runner.tokens-before, c.salt)
	}
}

// A model whose layers keep a state begins the next draft behind the last token that was right, and computes no token again for it.
func TestModelKeepsStates(t *testing.T) {
	computed := map[int]int{}
	for _, states := range []int{0, 20} {
		m := NewModel(ModelConfig{Cache: paging.Config{BlockSize: 4, Blocks: 100, States: states}, Lanes: 1, Budget: 64, Context: 300, Vocabulary: 40})
		runner := &machine{t: t, size: 4, slots: map[int32]int32{}, lanes: map[int32]int32{}}
		if states > 0 {
			runner.states = map[int32][]int32{0: nil}
		}
		require.NoError(t, m.Reset(runner))
		d, text := m.Drafter(Settings{Depth: 1}), []int32{1, 2, 3, 4, 5}
		for turn := range 30 {
			draft := d.Draft(text, 0, 6)
			require.NotEmpty(t, draft)
			text = append(append(text, draft[:turn%(len(draft)+1)]...), 39)
			d.Verified(6, 6)
		}
		computed[states] = runner.tokens
		d.Close()
		require.NoError(t, m.Check())
	}
	assert.Equal(t, computed[0], computed[20])
}
