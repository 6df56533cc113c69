package loop

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
)

// ends says a, b, c and then the end.
func ends(_ *step.Row, counter uint32) sample.Token {
	if counter == 3 {
		return letter(endToken)
	}
	return alphabet(nil, counter)
}

func TestRequestsFinish(t *testing.T) {
	for name, c := range map[string]struct {
		request generation.Request
		say     func(*step.Row, uint32) sample.Token
		text    string
		tokens  int
		reason  generation.FinishReason
		limit   generation.Limit
	}{
		"at MaxTokens":                      {generation.Request{MaxTokens: 5}, alphabet, "abcde", 5, generation.FinishLength, generation.LimitTokens},
		"after one token":                   {generation.Request{MaxTokens: 1}, alphabet, "a", 1, generation.FinishLength, generation.LimitTokens},
		"at the context's end":              {generation.Request{}, alphabet, "abcdefghijklmnopqr", 18, generation.FinishLength, generation.LimitContext},
		"at the context's end, before that": {generation.Request{MaxTokens: 50}, alphabet, "abcdefghijklmnopqr", 18, generation.FinishLength, generation.LimitContext},
		"at the end token":                  {generation.Request{}, ends, "abc", 4, generation.FinishStop, ""},
		"at the end token, the last one":    {generation.Request{MaxTokens: 4}, ends, "abc", 4, generation.FinishStop, ""},
		"past the end token":                {generation.Request{IgnoreEnd: true, MaxTokens: 6}, ends, "abcef", 6, generation.FinishLength, generation.LimitTokens},
		"at a stop text":                    {generation.Request{Stop: []string{"z", "de"}}, alphabet, "abc", 5, generation.FinishStop, ""},
		"at a stop text, the last one":      {generation.Request{Stop: []string{"de"}, MaxTokens: 5}, alphabet, "abc", 5, generation.FinishStop, ""},
		"with half a stop text":             {generation.Request{Stop: []string{"ef"}, MaxTokens: 5}, alphabet, "abcde", 5, generation.FinishLength, generation.LimitTokens},
	} {
		for _, depth := range []int{1, 4} {
			r := start(t, schedule.Config{BlockSize: 4, Blocks: 40, MaxModelLen: 20, Depth: depth}, c.say)
			s := r.submit(c.request)
			got := s.result()
			assert.NoError(t, got.Err, name)
			assert.Equal(t, c.text, got.Text, name)
			assert.Len(t, got.IDs, c.tokens, name)
			assert.Equal(t, c.reason, got.Reason, name)
			assert.Equal(t, c.limit, got.Limit, name)
			assert.Equal(t, c.tokens, got.Figures.GeneratedTokens, name)
			streamed := ""
			for range len(s.chunks) {
				streamed += (<-s.chunks).Text
			}
			assert.Equal(t, c.text, streamed, name)
			r.close()
		}
	}
}

func TestSamplesFinishOneByOne(t *testing.T) {
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 40, MaxModelLen: 20, Depth: 2}, func(row *step.Row, counter uint32) sample.Token {
		if row.Sequence == 2 && counter == 1 {
			return letter(endToken)
		}
		return alphabet(row, counter)
	})
	got := r.submit(generation.Request{N: 3, MaxTokens: 4}).result()
	require.Len(t, got.Choices, 3)
	for i, want := range []string{"abcd", "a", "abcd"} {
		assert.Equal(t, want, got.Choices[i].Text)
		assert.Equal(t, i, got.Choices[i].Index)
	}
	assert.Equal(t, generation.FinishStop, got.Choices[1].Reason)
	r.close()
}

func TestCancel(t *testing.T) {
	deadline := errors.New("too late")
	for _, n := range []int{1, 3} {
		r := start(t, schedule.Config{BlockSize: 4, Blocks: 4000, Depth: 3}, alphabet)
		s, other := r.submit(generation.Request{N: n}), r.submit(generation.Request{MaxTokens: 300})
		for range 10 {
			<-s.chunks
		}
		r.Cancel(s.id, deadline)
		r.Cancel(s.id, nil) // has finished by then
		r.Cancel(99, nil)
		got := s.result()
		assert.Equal(t, generation.FinishCancelled, got.Reason)
		assert.Equal(t, deadline, got.Err)
		require.Len(t, got.Choices, n)
		assert.Equal(t, "abc", got.Text[:3])
		assert.Equal(t, generation.FinishLength, other.result().Reason)
		r.close()
	}
}

func TestCancelBeforeItRuns(t *testing.T) {
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 40}, alphabet)
	held, release := make(chan struct{}), make(chan struct{})
	require.NoError(t, r.Post(func() { close(held); <-release }))
	<-held
	s := r.submit(generation.Request{})
	r.Cancel(s.id, nil)
	close(release)
	got := s.result()
	assert.Equal(t, generation.FinishCancelled, got.Reason)
	assert.Empty(t, got.IDs)
	r.close()
	assert.Empty(t, r.runner.steps)
}

func TestClose(t *testing.T) {
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 40_000, Depth: 2}, alphabet)
	running := r.submit(generation.Request{})
	<-running.chunks
	r.close()
	got := running.result()
	assert.Equal(t, generation.FinishError, got.Reason)
	assert.ErrorIs(t, got.Err, ErrClosed)
	assert.ErrorIs(t, r.Submit(generation.New(generation.Request{Prompt: []int32{1}}, r.tokenizer, running)), ErrClosed)
	assert.ErrorIs(t, r.Call(func() {}), ErrClosed)
	assert.ErrorIs(t, r.CallReady(func() error { return nil }), ErrClosed)
}

func TestQueueFull(t *testing.T) {
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 40_000, MaxSeqs: 1, QueueLimit: 1}, alphabet)
	running := r.submit(generation.Request{})
	<-running.chunks
	waits, refused := r.submit(generation.Request{MaxTokens: 2}), r.submit(generation.Request{})
	assert.ErrorIs(t, refused.result().Err, schedule.ErrQueueFull)
	r.Cancel(running.id, nil)
	assert.Equal(t, "ab", waits.result().Text)
	r.close()
}

func TestLogits(t *testing.T) {
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 40, TokenBudget: 2}, alphabet)
	var positions []int
	got := r.submit(generation.Request{Prompt: []int32{5, 6, 7}, MaxTokens: 3, Logits: func(p int, _ []float32) { positions = append(positions, p) }}).result()
	require.NoError(t, got.Err)
	assert.Equal(t, []int{0, 1, 2, 3, 4}, positions)
	r.close()
}

// Requests that outgrow the memory give way, and say the same.
func TestPreemption(t *testing.T) {
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 16, Depth: 3, PrefixCache: true}, alphabet)
	var all []*stream
	require.NoError(t, r.Call(func() { // together, so that there is no room for all
		for i := range int32(3) {
			all = append(all, r.submit(generation.Request{Prompt: []int32{i, 5, 5, 5, 5}, MaxTokens: 20, N: 1 + int(i)%2}))
		}
	}))
	for _, s := range all {
		got := s.result()
		require.NoError(t, got.Err)
		assert.Equal(t, "abcdefghijklmnopqrst", got.Text)
		assert.Zero(t, got.Figures.CachedTokens, "what a request finds of its own when it comes back does not count")
	}
	assert.NotZero(t, r.scheduler.Stats().Preemptions)
	r.close()
}

// Logits that are not numbers finish their request, its other choices too, and nobody else; its blocks are forgotten.
func TestNotNumbers(t *testing.T) {
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 100, Depth: 3, PrefixCache: true}, alphabet)
	var bad uint64
	r.runner.broken = func(row *step.Row) bool { return row.Sequence == bad && row.Start > 6 }
	require.NoError(t, r.Call(func() { bad = 3 }))
	other := r.submit(generation.Request{Prompt: []int32{9, 9, 9, 9, 9}, MaxTokens: 12})
	failing := r.submit(generation.Request{Prompt: []int32{1, 2, 3, 4, 5}, N: 2, MaxTokens: 12})
	got := failing.result()
	assert.Equal(t, generation.FinishError, got.Reason)
	assert.ErrorIs(t, got.Err, generation.ErrNotNumbers)
	require.Len(t, got.Choices, 2)
	assert.Equal(t, "abc", got.Choices[1].Text, "what came before stays")
	assert.Equal(t, "abcdefghijkl", other.result().Text)
	again := r.submit(generation.Request{Prompt: []int32{1, 2, 3, 4, 5}, MaxTokens: 1}).result()
	assert.Zero(t, again.Figures.CachedTokens)
	kept := r.submit(generation.Request{Prompt: []int32{9, 9, 9, 9, 9}, MaxTokens: 1}).result()
	assert.Equal(t, 4, kept.Figures.CachedTokens)
	r.close()
}

// A beam of which nothing goes on gives way to a fork of the other, and each takes its own next token.
func TestBeamsAreReplaced(t *testing.T) {
	top := func(pairs ...float32) (all []sample.Candidate) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, sample.Candidate{ID: int32(pairs[i]), Logprob: pairs[i+1]})
		}
		return all
	}
	// After "a" come c and d, both likelier than anything after "b".
	after := map[int32][]sample.Candidate{
		'y': top('a', -1, 'b', -2, 'z', -9), 'a': top('c', -1, 'd', -1.5, 'z', -9), 'b': top('e', -5, 'z', -9, 'q', -9),
		'c': top('f', -1, 'z', -9, 'q', -9), 'd': top('g', -1, 'z', -9, 'q', -9),
	}
	var last func(sequence uint64) int32
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 40, MaxModelLen: 20, Depth: 2}, func(row *step.Row, _ uint32) sample.Token {
		next := after[last(row.Sequence)]
		return sample.Token{Candidate: next[0], Top: next}
	})
	last = func(sequence uint64) int32 {
		tokens, _ := r.scheduler.Tokens(sequence)
		return tokens[len(tokens)-1]
	}
	got := r.submit(generation.Request{Beams: &generation.Beams{Width: 2}, N: 2, MaxTokens: 3}).result()
	require.NoError(t, got.Err)
	assert.Equal(t, []string{"acf", "adg"}, []string{got.Choices[0].Text, got.Choices[1].Text})
	assert.InDelta(t, -3, got.Choices[0].Logprob, 1e-6)
	assert.Equal(t, generation.LimitTokens, got.Limit)
	var computed []int32
	for _, s := range r.runner.steps[1:] {
		tokens := slices.Clone(s.Tokens)
		slices.Sort(tokens)
		computed = append(computed, tokens...)
	}
	assert.Equal(t, []int32{'a', 'b', 'c', 'd'}, computed)
	r.close()
}

func TestLostDevice(t *testing.T) {
	lost := []error{errLost}
	for name, set := range map[string]func(*fake){
		"at a submit":         func(f *fake) { f.submits = []error{nil, nil, nil, errLost} },
		"at a landing":        func(f *fake) { f.lands = []error{nil, nil, errLost} },
		"twice":               func(f *fake) { f.submits, f.lands = []error{nil, nil, nil, errLost}, []error{nil, nil, nil, errLost} },
		"and slow to be back": func(f *fake) { f.submits, f.builds = []error{nil, errLost}, append(lost, errors.New("no adapter yet")) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, schedule.Config{BlockSize: 4, Blocks: 60, Depth: 3, PrefixCache: true}, alphabet)
				require.NoError(t, r.Call(func() { set(r.runner) }))
				a, b := r.submit(generation.Request{MaxTokens: 20, N: 2}), r.submit(generation.Request{MaxTokens: 9, Sample: sample.Params{Seed: 7}})
				got := a.result()
				require.NoError(t, got.Err)
				for _, c := range got.Choices {
					assert.Equal(t, "abcdefghijklmnopqrst", c.Text)
				}
				assert.Equal(t, "abcdefghi", b.result().Text)
				assert.NotZero(t, r.runner.rebuilt)
				r.close()
			})
		})
	}
}

// A device that does not come back finishes the requests, and is tried again for the next one.
func TestLostForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, schedule.Config{BlockSize: 4, Blocks: 60, Depth: 3}, alphabet)
		gone := errors.New("no adapter")
		require.NoError(t, r.Call(func() {
			r.runner.submits, r.runner.builds = []error{nil, errLost}, []error{gone, gone, gone}
		}))
		got := r.submit(generation.Request{MaxTokens: 5}).result()
		assert.Equal(t, generation.FinishError, got.Reason)
		assert.ErrorIs(t, got.Err, gone)
		assert.Equal(t, "ab", r.submit(generation.Request{MaxTokens: 2}).result().Text)
		assert.Equal(t, 1, r.runner.rebuilt)
		r.close()
	})
}

// An error that is no lost device finishes all requests; the next ones find everything built again.
func TestBrokenStep(t *testing.T) {
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 60, Depth: 3}, alphabet)
	broken := errors.New("a shader")
	require.NoError(t, r.Call(func() { r.runner.submits = []error{nil, broken} }))
	assert.ErrorIs(t, r.submit(generation.Request{MaxTokens: 5}).result().Err, broken)
	require.NoError(t, r.CallReady(func() error { return nil }))
	assert.Equal(t, 1, r.runner.rebuilt)
	assert.Equal(t, "ab", r.submit(generation.Request{MaxTokens: 2}).result().Text)
	require.NoError(t, r.Call(func() { r.Fail(errLost) })) // as of a block that could not be written
	r.runner.builds = []error{broken}
	assert.ErrorIs(t, r.CallReady(func() error { return nil }), broken)
	r.close()
}

// The runner knows how many sequences are going to decode at once before the first step, of which it has a part. Embeddings do not.
func TestRunnerKnowsWhatWaits(t *testing.T) {
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 40, MaxModelLen: 20, MaxSeqs: 2, Depth: 1}, alphabet)
	var streams []*stream
	require.NoError(t, r.Call(func() { // all come at once
		for _, n := range []int{1, 1, 2, 0} {
			request := generation.Request{N: n, MaxTokens: 2}
			if n == 0 {
				request = generation.Request{Embed: &generation.Embed{}}
			}
			streams = append(streams, r.submit(request))
		}
	}))
	for _, s := range streams[:3] {
		require.NoError(t, s.result().Err)
	}
	r.close()
	assert.Equal(t, 4, r.runner.expected)
}
