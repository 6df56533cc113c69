package loop

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/schedule"
)

// A lane is opened with all that has come so far: forked, preempted and after a lost device. Without penalties nobody collects it.
func TestOpenTellsTheHistory(t *testing.T) {
	for name, c := range map[string]struct {
		config schedule.Config
		set    func(*fake)
	}{
		"preempted": {schedule.Config{BlockSize: 4, Blocks: 16, Depth: 4, PrefixCache: true}, func(*fake) {}},
		"lost":      {schedule.Config{BlockSize: 4, Blocks: 60, Depth: 4}, func(f *fake) { f.submits = []error{nil, nil, nil, nil, nil, errLost} }},
	} {
		r := start(t, c.config, alphabet)
		require.NoError(t, r.Call(func() { c.set(r.runner) }))
		penalized := sample.Params{PresencePenalty: 1}
		var all []*stream
		require.NoError(t, r.Call(func() { // together, so that there is no room for all
			for i := range int32(3) {
				all = append(all, r.submit(generation.Request{Prompt: []int32{i, 5, 5, 5, 5}, MaxTokens: 20, N: 1 + int(i)%2, Sample: penalized}))
			}
		}))
		for _, s := range all {
			require.NoError(t, s.result().Err)
		}
		var opened []sample.History
		require.NoError(t, r.Call(func() { opened, r.runner.opened = r.runner.opened, nil }))
		later := 0
		for _, h := range opened {
			require.Equal(t, 5, h.Prompt, name)
			for i, token := range h.Tokens[5:] {
				require.EqualValues(t, 'a'+i%26, token, name)
				later++
			}
			require.GreaterOrEqual(t, len(h.Tokens)+h.Room, 5+20-1, "%s: all but the last token have room", name)
		}
		require.NotZero(t, later, name)
		require.NoError(t, r.submit(generation.Request{MaxTokens: 2, Sample: sample.Params{RepetitionPenalty: 1}}).result().Err)
		require.NoError(t, r.Call(func() { opened = r.runner.opened }))
		require.Nil(t, opened[0].Tokens)
		r.close()
	}
}

// Where there is no room for a request's penalties, it fails alone, in whatever step.
func TestNoRoomForPenalties(t *testing.T) {
	noRoom := errors.New("no room")
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := start(t, schedule.Config{BlockSize: 4, Blocks: 100, Depth: 3, PrefixCache: true}, alphabet)
			require.NoError(t, r.Call(func() {
				r.runner.refuse = func(p sample.Params) error {
					if p.DRY.On() {
						return noRoom
					}
					return nil
				}
			}))
			other := r.submit(generation.Request{MaxTokens: 30})
			<-other.chunks
			got := r.submit(generation.Request{MaxTokens: 5, N: n, Sample: sample.Params{DRY: sample.NewDRY(1)}}).result()
			assert.Equal(t, generation.FinishError, got.Reason)
			assert.ErrorIs(t, got.Err, noRoom)
			assert.Equal(t, "abcdefghijklmnopqrstuvwxyzabcd", other.result().Text)
			r.close()
		})
	}
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 100, Depth: 3}, alphabet)
	require.NoError(t, r.Call(func() {
		r.runner.refuse = func(sample.Params) error {
			r.runner.refuse = nil
			return errLost
		}
	}))
	assert.Equal(t, "abc", r.submit(generation.Request{MaxTokens: 3}).result().Text, "a lost device comes back")
	r.close()
}
