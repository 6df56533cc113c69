package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/step"
	"quire/tests/testdata"
)

// Adapters come and go while requests run: what runs keeps its own, what is cached is found under the same load only, room comes back
// when nobody needs it, and a lost device brings them along.
func TestLoRAComesAndGoes(t *testing.T) {
	e := openTiny(t, "qwen3", func(o *Options) { o.LoRARank, o.KVType = 13, "f32" })
	add := func(name string) (uint64, error) {
		f, size := testdata.Open(t, "families/"+name+".gguf")
		return e.AddLoRA(gpu.ReaderSource(f, size))
	}
	need := func(name string) uint64 {
		number, err := add(name)
		require.NoError(t, err)
		return number
	}
	prompt := testPrompts(4)[3][:17]
	asked := func(all ...LoRA) Request {
		r := turn(prompt, 12)
		r.LoRA = all
		return r
	}
	first, second := need("qwen3-lora1"), need("qwen3-lora2")
	_, err := add("qwen3-lora1")
	require.ErrorIs(t, err, ErrBadRequest)
	assert.ErrorContains(t, err, "the adapter has rank 4, and of the 13 that there is room for 1 are free")
	requests := []Request{asked(), asked(LoRA{Adapter: first, Scale: 1}), asked(LoRA{Adapter: second, Scale: 1}), asked(LoRA{Adapter: second, Scale: 1}, LoRA{Adapter: first, Scale: 0.5})}
	want := results(t, e, requests)
	for i := range want {
		assert.Zero(t, want[i].Figures.CachedTokens, "each has another prefix")
		alone := results(t, e, requests[i:i+1])
		assert.Equal(t, 16, alone[0].Figures.CachedTokens)
		assertSame(t, want[i:i+1], alone, "alone, from the cache")
		for j := range i {
			assert.NotEqual(t, want[i].Tokens[0].Logit, want[j].Tokens[0].Logit)
		}
	}
	assertSame(t, want[3:], results(t, e, []Request{asked(LoRA{Adapter: first, Scale: 0.25}, LoRA{Adapter: second, Scale: 1}, LoRA{Adapter: first, Scale: 0.25})}), "in another order, and in parts")
	assertSame(t, want[:1], results(t, e, []Request{asked(LoRA{Adapter: first, Scale: 0})}), "with the scale 0")

	long := asked(LoRA{Adapter: first, Scale: 1})
	long.MaxTokens = 40
	runs := submit(t, e, long)
	_, more := runs.Next()
	require.True(t, more)
	require.NoError(t, e.DropLoRA(first))
	require.ErrorIs(t, e.DropLoRA(first), ErrBadRequest)
	_, err = e.Submit(t.Context(), asked(LoRA{Adapter: first, Scale: 1}))
	require.ErrorIs(t, err, ErrBadRequest)
	assert.ErrorContains(t, err, "no adapter 1 is loaded")
	result := runs.Result()
	require.NoError(t, result.Err)
	assert.Equal(t, want[1].IDs, result.IDs[:12], "what runs keeps its adapter")

	again := need("qwen3-lora1")
	assert.NotEqual(t, first, again)
	got := results(t, e, []Request{asked(LoRA{Adapter: again, Scale: 1})})
	assert.Zero(t, got[0].Figures.CachedTokens, "another load is another prefix")
	assertSame(t, want[1:2], got, "loaded again")

	lost := false
	e.trace = func(*step.Step) {
		if !lost {
			lost = true
			e.machine.device.Destroy()
		}
	}
	requests[1], requests[3] = asked(LoRA{Adapter: again, Scale: 1}), asked(LoRA{Adapter: second, Scale: 1}, LoRA{Adapter: again, Scale: 0.5})
	assertSame(t, want, results(t, e, requests), "with a device lost")
	assert.True(t, lost)

	f, size := testdata.Open(t, "families/qwen3-lora1.gguf")
	_, err = (&Engine{}).AddLoRA(gpu.ReaderSource(f, size))
	assert.ErrorContains(t, err, "without room for adapters")
}

// Room for adapters changes nothing while there are none.
func TestLoRARoomAlone(t *testing.T) {
	say := func(rank int) []int32 {
		e := openTiny(t, "llama-linear", func(o *Options) { o.Deterministic, o.LoRARank, o.KVType = false, rank, "f32" })
		return results(t, e, []Request{turn(testPrompts(4)[3][:17], 12)})[0].IDs
	}
	want := say(0)
	require.Len(t, want, 12)
	assert.Equal(t, want, say(4))
}
