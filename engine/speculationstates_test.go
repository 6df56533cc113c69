package engine

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
	"quire/tests/testdata"
)

// known drafts what it knows that a sequence says, with mistakes.
type known struct {
	*rand.Rand
	prompt int
	text   []int32
	draft  []int32
}

func (k *known) Draft(tokens []int32, inFlight, most int) []int32 {
	k.draft = k.draft[:0]
	for _, token := range k.text[min(len(k.text), len(tokens)-k.prompt):] {
		if k.IntN(6) == 0 {
			token = 3
		}
		if len(k.draft) < min(inFlight+most, 6) {
			k.draft = append(k.draft, token)
		}
	}
	return k.draft
}

// repeats skips a test on hosts that compile the same kernels again; engine/kernel runs them there.
func repeats(t *testing.T) {
	if runsFew() {
		t.Skip("another host runs it")
	}
}

func familySource(t testing.TB, name string) gpu.Source {
	f, size := testdata.Open(t, "families/"+name+".gguf")
	return gpu.ReaderSource(f, size)
}

// openFamily opens one of the small models of random weights.
func openFamily(t testing.TB, name string, o Options) *Engine {
	o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
	e, err := Open(context.Background(), familySource(t, name), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e
}

// A model whose layers keep a state goes back to the one behind the last token that was right: the texts are those without drafts,
// and no token is computed twice for it.
func TestSpeculationWithStates(t *testing.T) {
	names := []string{"qwen35", "granitehybrid", "lfm2"}
	if os.Getenv("QUIRE_ALL") == "" {
		repeats(t)
		names = names[:2]
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			e := openFamily(t, name, Options{Deterministic: true, Context: 128, BlockSize: 4, MaxSeqs: 2, Speculation: "ngram"})
			var requests []Request
			for i, p := range testPrompts(4)[1:3] {
				requests = append(requests, Request{Prompt: p, MaxTokens: 40, IgnoreEnd: true, DraftMax: -1, Sample: sample.Params{Temperature: float64(i) / 2, Seed: 7}})
			}
			var texts [][]int32
			for _, r := range say(t, e, requests, true) {
				texts = append(texts, r.IDs)
			}
			require.NoError(t, e.loop.Call(func() {
				before := e.scheduler.Stats()
				said, _ := drafted(t, e, requests, texts)
				assert.Equal(t, texts, said)
				s := e.scheduler.Stats()
				right, wrong := s.Accepted-before.Accepted, s.Drafted-s.Accepted-before.Drafted+before.Accepted
				computed := len(requests[0].Prompt) + len(requests[1].Prompt)
				for _, text := range texts {
					computed += len(text) - 1
				}
				t.Logf("%d steps, %d tokens were right, %d wrong", s.Steps-before.Steps, right, wrong)
				assert.Greater(t, right, uint64(20))
				assert.Greater(t, wrong, uint64(5))
				assert.Equal(t, uint64(computed)+wrong-(s.Cache.HitTokens-before.Cache.HitTokens), s.Tokens-before.Tokens)
			}))
		})
	}
}

// drafted runs requests in the engine's own scheduler and runner, with drafts of these texts; it gives what they say, and behind each
// token the model's guess, where it has any.
func drafted(t *testing.T, e *Engine, requests []Request, texts [][]int32) (said, guesses [][]int32) {
	said, guesses = make([][]int32, len(requests)), make([][]int32, len(requests))
	drafters := map[uint64]*known{}
	for i, r := range requests {
		id := uint64(1000 + i)
		drafters[id] = &known{Rand: rand.New(rand.NewPCG(1, id)), prompt: len(r.Prompt), text: texts[i]}
		require.NoError(t, e.scheduler.Add(schedule.Request{ID: id, Prompt: r.Prompt, MaxTokens: r.MaxTokens}))
	}
	var s step.Step
	for {
		d := e.scheduler.Schedule(&s)
		switch d.Kind {
		case schedule.Idle:
			return said, guesses
		case schedule.Run:
			for _, o := range d.Opened {
				require.NoError(t, e.machine.Open(o.Lane, requests[o.Sequence-1000].Sample, sample.History{}))
			}
			s.Guessing = step.Guess
			require.NoError(t, e.machine.Submit(&s))
		default:
			result, err := e.machine.Land(t.Context())
			require.NoError(t, err)
			landed, err := e.scheduler.Land(d.Step, result.Tokens)
			require.NoError(t, err)
			for _, l := range landed {
				of := l.Sequence - 1000
				said[of] = append(said[of], l.Token)
				if e.plan.Guesses() {
					guesses[of] = append(guesses[of], result.Guesses[l.Index])
				}
			}
			for id, drafter := range drafters {
				e.scheduler.Draft(id, drafter)
			}
		}
	}
}
