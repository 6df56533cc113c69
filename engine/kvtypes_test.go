package engine

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// With 8-bit rows, too, K, V and logits do not depend on what else runs, nor on where chunks end.
func TestDeterministicQ8(t *testing.T) {
	if runsFew() {
		return // TestPackedCacheUnderPressure runs q8 in the tab
	}
	const tokens = 12
	prompts := testPrompts(5)
	o := Options{Deterministic: true, KVType: "q8", Context: 128, TokenBudget: 64, LongPrompt: -1, MaxSeqs: 8}
	alone := watch(t, o, prompts, tokens, false)
	o.TokenBudget = 7
	together := watch(t, o, prompts, tokens, true)
	for i := range prompts {
		assert.Equal(t, alone[i].ids, together[i].ids, "tokens of prompt %d", i)
		assert.Equal(t, alone[i].logits, together[i].logits, "logits of prompt %d", i)
		require.Len(t, together[i].kv, len(prompts[i])+tokens-1)
		assert.Equal(t, alone[i].kv, together[i].kv, "K and V of prompt %d", i)
	}
}

// Packed rows survive forks, copies, swaps and recomputation, beside blocks full of NaN.
func TestPackedCacheUnderPressure(t *testing.T) {
	for _, kv := range []string{"q8", "bf16"} {
		if kv != "q8" && runsFew() {
			continue
		}
		t.Run(kv, func(t *testing.T) {
			o := Options{Deterministic: true, KVType: kv, Context: 64, BlockSize: 4, MaxSeqs: 8}
			roomy := openModel(t, "tiny-tales", o)
			want := results(t, roomy, pressed())
			require.Zero(t, roomy.Stats().Preemptions)
			o.KVMemory, o.Depth = kvMemory(roomy, 28), 3
			require.NoError(t, roomy.Close())
			for _, o.Preemption = range []string{"swap", "recompute"} {
				if o.Preemption == "recompute" && runsFew() {
					continue
				}
				e := openModel(t, "tiny-tales", o)
				p := poisoned(t, e)
				assertSame(t, want, results(t, e, pressed()), o.Preemption)
				s := e.Stats()
				assert.NotZero(t, s.Preemptions)
				assert.Equal(t, o.Preemption == "swap", s.SwapIns > 0)
				assert.NotZero(t, s.Copies)
				assert.NotZero(t, p.blocks)
				require.NoError(t, e.Close())
			}
		})
	}
}

// A session of 8-bit rows goes on in another engine, and only in one that stores them alike.
func TestSessionQ8(t *testing.T) {
	if runsFew() {
		return // TestPackedCacheUnderPressure runs q8 in the tab
	}
	q8 := equal(func(o *Options) { o.KVType = "q8" })
	prompt := testPrompts(4)[3][:21]
	e := openModel(t, "tiny-tales", q8)
	s := e.NewSession(prompt...)
	s.Append(results(t, e, []Request{turn(prompt, 20)})[0].IDs...)
	var file bytes.Buffer
	require.NoError(t, s.Save(&file))
	next := append(s.Tokens(), 7, 8, 9)
	want := results(t, e, []Request{turn(next, 12)})

	other := openModel(t, "tiny-tales", q8)
	poisoned(t, other)
	again, err := other.Restore(bytes.NewReader(file.Bytes()))
	require.NoError(t, err)
	got := results(t, other, []Request{turn(append(again.Tokens(), 7, 8, 9), 12)})
	assertSame(t, want, got, "restored")
	assert.Equal(t, 40, got[0].Figures.CachedTokens, "five whole blocks came back")

	_, err = openModel(t, "tiny-tales", equal()).Restore(bytes.NewReader(file.Bytes()))
	require.ErrorIs(t, err, ErrSessionModel)
}
