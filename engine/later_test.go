package engine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

// The first token comes before kernels for a few sequences at once are made, which others stand in for. Those that compute wrongly are
// never taken.
func TestFirstTokenWaitsForFewerKernels(t *testing.T) {
	texts := func(e *Engine) (texts []string) {
		var streams []*Stream
		for _, prompt := range testPrompts(2) {
			streams = append(streams, submit(t, e, Request{Prompt: prompt, MaxTokens: 8, IgnoreEnd: true}))
		}
		for _, s := range streams {
			r := s.Result()
			require.NoError(t, r.Err)
			texts = append(texts, r.Text)
		}
		return texts
	}
	o := Options{NoSelfTest: true, MaxSeqs: 4, Context: 48, TokenBudget: 24, Eager: true}
	want := texts(openModel(t, "tiny-tales", o))
	if !runsFew() { // a test of all kernels takes software GPUs long
		o.NoSelfTest, o.SelfTest = false, true
		broken = func(label, text string) string {
			if strings.HasPrefix(label, "matvec") && strings.Contains(label, "×2/") {
				return strings.Replace(text, "dot(wlow, low[", "dot(whigh, low[", 1)
			}
			return text
		}
		t.Cleanup(func() { broken = nil })
	}
	o.Eager = false
	e := openModel(t, "tiny-tales", o)
	late := func() (late []*gpu.Kernel) {
		for _, k := range e.machine.device.Kernels() {
			if strings.Contains(k.Label(), "×2/") {
				late = append(late, k)
			}
		}
		return late
	}
	require.NoError(t, submit(t, e, Request{Prompt: testPrompts(1)[0], MaxTokens: 2, IgnoreEnd: true}).Result().Err)
	require.Empty(t, late(), "a row at a time wants none")
	assert.Equal(t, want, texts(e))
	require.Eventually(t, func() bool { return len(late()) > 0 && late()[0].Ready() }, time.Minute, 10*time.Millisecond)
	require.Eventually(t, func() bool { // before they are tested, meanwhile, and after
		assert.Equal(t, want, texts(e))
		return o.NoSelfTest || strings.Contains(e.Stats().StruckOut, "×2/")
	}, time.Minute, time.Millisecond)
	assert.Equal(t, want, texts(e))
}

// Kernels for as many sequences as there are requests come with the first token, whatever steps there are before.
func TestKernelsForWhatWaits(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{NoSelfTest: true, MaxSeqs: 2, Context: 48})
	made := func() bool {
		return slices.ContainsFunc(e.machine.device.Kernels(), func(k *gpu.Kernel) bool { return strings.Contains(k.Label(), "×2/") && k.Ready() })
	}
	require.NoError(t, e.loop.Call(func() { e.machine.Expect(9) }))
	require.False(t, made(), "not before the first token")
	require.NoError(t, submit(t, e, Request{Prompt: testPrompts(1)[0], MaxTokens: 2, IgnoreEnd: true}).Result().Err)
	require.Eventually(t, made, time.Minute, 10*time.Millisecond)
}
