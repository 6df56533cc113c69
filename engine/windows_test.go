package engine

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/tests/testdata"
)

// openTiny opens a model with windows of 16 tokens: four blocks of 4. gemma3 has seven KV groups, six of them with a window,
// gemma4 three of which two have one.
func openTiny(t testing.TB, name string, set ...func(*Options)) *Engine {
	t.Helper()
	if runsFew() {
		t.Skip("its kernels take minutes to compile in the tab; tests/golden runs the model there")
	}
	f, size := testdata.Open(t, "families/"+name+".gguf")
	o := Options{Deterministic: true, Context: 64, BlockSize: 4, MaxSeqs: 8, TokenBudget: 16}
	o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
	for _, s := range set {
		s(&o)
	}
	e, err := Open(context.Background(), gpu.ReaderSource(f, size), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e
}

// Requests of a model with windows say under pressure what they say alone, whatever lies in the blocks that windows gave
// back.
func TestMemoryPressureWithWindows(t *testing.T) {
	testPressureWithWindows(t, "gemma3", 170) // the request of two samples alone may need 78 for each
}

// So they do where KV groups differ in their head dims, blocks are as large as the largest of them, and layers read K and V of
// earlier ones.
func TestMemoryPressureWithTwoHeadDims(t *testing.T) {
	testPressureWithWindows(t, "gemma4", 84)
}

func testPressureWithWindows(t *testing.T, model string, blocks int) {
	roomy := openTiny(t, model)
	want := results(t, roomy, pressed())
	require.Zero(t, roomy.Stats().Preemptions)
	for _, how := range []string{"recompute", "swap"} {
		t.Run(how, func(t *testing.T) {
			e := openTiny(t, model, func(o *Options) { o.Preemption, o.KVMemory = how, kvMemory(roomy, blocks) })
			require.Equal(t, blocks, e.Info().Blocks)
			p := poisoned(t, e)
			assertSame(t, want, results(t, e, pressed()), how)
			s := e.Stats()
			t.Logf("%d preemptions, %d by swap, %d copies, %d blocks poisoned", s.Preemptions, s.Swaps, s.Copies, p.blocks)
			assert.NotZero(t, s.Preemptions)
			assert.Equal(t, how == "swap", s.Swaps > 0 && s.SwapIns > 0)
			assert.NotZero(t, s.Copies)
			assert.NotZero(t, p.blocks)
			require.NoError(t, e.Close())
			assert.NoError(t, e.scheduler.Check())
		})
	}
}

// A session of a model with windows comes back whole while no window has left a block, and as tokens after that; in both
// cases it goes on as it would have.
func TestSessionWithWindows(t *testing.T) { testSessionWithWindows(t, "gemma3") }

func TestSessionWithTwoHeadDims(t *testing.T) { testSessionWithWindows(t, "gemma4") }

func testSessionWithWindows(t *testing.T, model string) {
	e := openTiny(t, model)
	for _, c := range []struct{ prompt, cached int }{{14, 12}, {40, 0}} {
		prompt := testPrompts(4)[3][:c.prompt]
		results(t, e, []Request{turn(prompt, 1)})
		next := append(append([]int32(nil), prompt...), 7, 8, 9)
		want := results(t, e, []Request{turn(next, 12)})
		assert.Equal(t, c.prompt/4*4, want[0].Figures.CachedTokens, "the prefix cache serves every group")
		var file bytes.Buffer
		require.NoError(t, e.NewSession(prompt...).Save(&file))

		other := openTiny(t, model)
		p := poisoned(t, other)
		again, err := other.Restore(bytes.NewReader(file.Bytes()))
		require.NoError(t, err)
		assert.Equal(t, prompt, again.Tokens())
		got := results(t, other, []Request{turn(next, 12)})
		assertSame(t, want, got, "restored")
		assert.Equal(t, c.cached, got[0].Figures.CachedTokens)
		assert.NotZero(t, p.blocks)
	}
}

// A session's file holds nothing of what other conversations left in its blocks: KV groups with smaller layers, or fewer of them,
// leave part of a block as it was.
func TestSessionHoldsNoOthers(t *testing.T) {
	for _, model := range []string{"gemma4", "gemma3"} {
		prompt := testPrompts(4)[3][:14]
		save := func(used bool) []byte {
			e := openTiny(t, model)
			if used {
				poisoned(t, e)
			}
			results(t, e, []Request{turn(testPrompts(1)[0], 1)})
			results(t, e, []Request{turn(prompt, 1)})
			var file bytes.Buffer
			require.NoError(t, e.NewSession(prompt...).Save(&file))
			return file.Bytes()
		}
		assert.True(t, bytes.Equal(save(false), save(true)), model)
	}
}
