package golden

import (
	"context"
	"math"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/tests/testdata"
)

const (
	storyTolerance = 1e-3
	f32Tolerance   = 2e-3
	f16Tolerance   = 0.1
)

// all reports whether every golden prompt is wanted (make test-all), not only the covering few.
func all() bool { return os.Getenv("QUIRE_ALL") != "" }

// covering cuts a golden prompt to what this host is asked for, unless all are wanted: of the larger model, hosts that repeat the
// first are asked for 3 tokens, each of which takes SwiftShader seconds, and the tab for 12 of the other.
func covering(model string, p *prompt) *prompt {
	n := len(p.GreedyIDs)
	switch {
	case model != "quire-tales" && !gputest.First:
		n = min(n, 3)
	case runtime.GOOS == "js":
		n = min(n, 12)
	}
	if !all() {
		p.GreedyIDs, p.Positions = p.GreedyIDs[:n], p.Positions[:n]
	}
	return p
}

func open(t testing.TB, model string, o engine.Options) *engine.Engine {
	t.Helper()
	return openFile(t, "models/"+model+".gguf", o)
}

func openFile(t testing.TB, file string, o engine.Options) *engine.Engine {
	t.Helper()
	f, size := testdata.Open(t, file)
	o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
	if o.Variant == "" {
		o.Variant = os.Getenv("QUIRE_VARIANT")
	}
	e, err := engine.Open(context.Background(), gpu.ReaderSource(f, size), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e
}

// generate runs one request to its end.
func generate(t testing.TB, e *engine.Engine, r engine.Request) engine.Result {
	t.Helper()
	s, err := e.Submit(context.Background(), r)
	require.NoError(t, err)
	result := s.Result()
	require.NoError(t, result.Err)
	return result
}

// submitAll submits requests while the step loop waits: all are there before the first begins, however busy the machine is.
func submitAll(t testing.TB, e *engine.Engine, requests []engine.Request) (streams []*engine.Stream) {
	t.Helper()
	all := make(chan struct{})
	first, err := e.Submit(context.Background(), engine.Request{Prompt: []int32{3}, MaxTokens: 1, IgnoreEnd: true, Logits: func(int, []float32) { <-all }})
	require.NoError(t, err)
	for _, r := range requests {
		s, err := e.Submit(context.Background(), r)
		if !assert.NoError(t, err) {
			break
		}
		streams = append(streams, s)
	}
	close(all)
	require.NoError(t, first.Result().Err)
	require.Len(t, streams, len(requests))
	return streams
}

func TestStories260K(t *testing.T) {
	e := open(t, "stories260K", engine.Options{KVType: "f32", Context: 512})
	for _, name := range []string{"empty_prompt", "robot_prompt"} {
		t.Run(name, func(t *testing.T) {
			s := loadStory(t, name)
			worst, rows := 0.0, 0
			result := generate(t, e, engine.Request{
				Prompt: s.PromptTokens, MaxTokens: len(s.Tokens) - len(s.PromptTokens) + 1, IgnoreEnd: true,
				Logits: func(p int, logits []float32) {
					want := s.logits[p*len(logits):][:len(logits)]
					for i := range logits {
						worst = max(worst, math.Abs(float64(logits[i])-float64(want[i])))
					}
					rows++
				},
			})
			assert.Equal(t, s.Tokens[len(s.PromptTokens)-1:], result.IDs)
			assert.Equal(t, len(s.Tokens), rows, "positions whose logits came")
			assert.LessOrEqual(t, worst, storyTolerance)
			t.Logf("largest difference of a logit over %d positions: %.2g", rows, worst)
		})
	}
}

// prompts lists a model's golden prompts; the covering ones come first.
var prompts = []struct {
	model, file string
	names       []string
	covering    int
}{
	{"quire-tales", "quire-tales", []string{"once", "turns", "strange", "kite"}, 2},
	{"smollm2-135m", "SmolLM2-135M-Instruct.Q4_1", []string{"plain", "odd", "turns", "gravity", "long"}, 2},
}

// Tolerances of f32 are for f32 throughout. Where a large GPU may multiply in f16 unasked, it is asked for f32 by its name; what it takes unasked
// keeps to the tolerance of f16 arithmetic.
func TestGreedyF32Cache(t *testing.T) {
	for _, m := range prompts {
		t.Run(m.model, func(t *testing.T) {
			o := engine.Options{KVType: "f32", Context: 1024, TokenBudget: 64}
			e := open(t, m.file, o)
			names := m.names
			if !all() {
				names = names[:m.covering]
				if !gputest.First && m.model != "quire-tales" {
					names = names[:1]
				}
			}
			if e.Info().Adapter.Type == "discrete" {
				for _, name := range names {
					p := covering(m.model, load(t, m.model, name))
					t.Run(name+" unasked", func(t *testing.T) { follow(t, e, p, 3*p.F16Arith) })
				}
				o.Variant = "f32"
				e = open(t, m.file, o)
			}
			for _, name := range names {
				t.Run(name, func(t *testing.T) { greedy(t, e, covering(m.model, load(t, m.model, name))) })
			}
		})
	}
}

// greedy generates from a golden prompt. The tokens are the golden ones; where the best two logits are closer than
// twice the tolerance either may come, and if it is not the golden one the comparison ends there.
func greedy(t *testing.T, e *engine.Engine, p *prompt) {
	differences := make([]float64, len(p.GreedyIDs))
	result := generate(t, e, engine.Request{
		Prompt: p.PromptIDs, MaxTokens: len(p.GreedyIDs), IgnoreEnd: true,
		Logits: func(at int, logits []float32) {
			if i := at - len(p.PromptIDs) + 1; i >= 0 {
				differences[i] = difference(p, at, logits)
			}
		},
	})
	require.Len(t, result.IDs, len(p.GreedyIDs))
	n := 0
	for n < len(result.IDs) && result.IDs[n] == p.GreedyIDs[n] {
		n++
	}
	if n < len(result.IDs) {
		at := p.Positions[n]
		require.Less(t, at.Gap, 2*f32Tolerance, "token %d is %d, want %d", n, result.IDs[n], at.ID)
		require.Contains(t, []int32{int32(at.Top[0][0]), int32(at.Top[1][0])}, result.IDs[n], "token %d", n)
		differences = differences[:n+1]
	}
	worst := slices.Max(differences)
	assert.LessOrEqual(t, worst, f32Tolerance)
	t.Logf("%d of %d tokens alike; largest difference of a logit: %.2g", n, len(p.GreedyIDs), worst)
}

func TestGoldenTokensF16Cache(t *testing.T) {
	for _, m := range prompts {
		if m.model != "quire-tales" && !gputest.First && !all() {
			continue // TestGreedyF32Cache has the larger model here
		}
		t.Run(m.model, func(t *testing.T) {
			e := open(t, m.file, engine.Options{Context: 1024, TokenBudget: 64})
			names := m.names
			if !all() {
				names = names[:1]
			}
			for _, name := range names {
				t.Run(name, func(t *testing.T) { follow(t, e, covering(m.model, load(t, m.model, name)), f16Tolerance) })
			}
		})
	}
}

// fed is what follow feeds: the prompt and its golden tokens.
func fed(p *prompt) []int32 {
	return append(append([]int32(nil), p.PromptIDs...), p.GreedyIDs[:len(p.GreedyIDs)-1]...)
}

// follow feeds the golden tokens in and looks at every position.
func follow(t *testing.T, e *engine.Engine, p *prompt, tolerance float64) {
	worst, compared := 0.0, 0
	generate(t, e, engine.Request{
		Prompt: fed(p), MaxTokens: 1, IgnoreEnd: true,
		Logits: func(at int, logits []float32) {
			worst = max(worst, difference(p, at, logits))
			i := at - len(p.PromptIDs) + 1
			if i < 0 || p.Positions[i].Gap <= 2*tolerance {
				return
			}
			best := 0
			for id := range logits {
				if logits[id] > logits[best] {
					best = id
				}
			}
			assert.Equal(t, p.Positions[i].ID, int32(best), "position %d", i)
			compared++
		},
	})
	assert.LessOrEqual(t, worst, tolerance)
	assert.Positive(t, compared)
	t.Logf("%d of %d best tokens compared; largest difference of a logit: %.2g", compared, len(p.GreedyIDs), worst)
}

// difference returns the largest difference from the golden logits that are known at a position.
func difference(p *prompt, at int, logits []float32) float64 {
	worst := 0.0
	i := at - len(p.PromptIDs) + 1
	if i == 0 {
		for id, want := range p.last {
			worst = max(worst, math.Abs(float64(logits[id])-float64(want)))
		}
	}
	if i >= 0 && i < len(p.Positions) {
		for _, top := range p.Positions[i].Top {
			worst = max(worst, math.Abs(float64(logits[int(top[0])])-top[1]))
		}
	}
	return worst
}
