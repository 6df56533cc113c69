package golden

import (
	"bytes"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu/gputest"
	"quire/engine/sample"
)

// hybrids are models of which some layers keep a state instead of K and V, as many as this run is asked for.
func hybrids() []string {
	switch {
	case all():
		return []string{"lfm2", "qwen35", "granitehybrid", "qwen3next"}
	case runtime.GOOS == "js":
		return nil // TestFamilies has one, and many tokens take long there
	case gputest.First:
		return []string{"lfm2", "qwen35"}
	}
	return []string{"lfm2"}
}

// A conversation of ten turns, of 50 new tokens each: 30 that are said and 20 that are answered. Every turn but the first
// computes at most what is new and one interval between snapshots, and says what a model says that computes all of it.
func TestHybridConversation(t *testing.T) {
	const interval, said, answered = 64, 30, 20
	for _, name := range hybrids() {
		t.Run(name, func(t *testing.T) {
			o := engine.Options{Deterministic: true, Context: 640, KVType: "f32", MaxSeqs: 4, SnapshotInterval: interval}
			cached := openFile(t, "families/"+name+".gguf", o)
			o.NoPrefixCache = true
			plain := openFile(t, "families/"+name+".gguf", o)
			var told []int32
			for turn := range 10 {
				for i := range said {
					told = append(told, int32(3+(turn*said+i)*37%200))
				}
				before := cached.Stats()
				r := engine.Request{Prompt: told, MaxTokens: answered, IgnoreEnd: true}
				got := generate(t, cached, r).IDs
				assert.Equal(t, generate(t, plain, r).IDs, got, "turn %d", turn)
				stats := cached.Stats()
				if turn > 0 {
					assert.LessOrEqual(t, stats.Computed-before.Computed, uint64(said+answered+interval), "turn %d", turn)
					assert.Greater(t, stats.SnapshotHits, before.SnapshotHits)
				}
				told = append(told, got...)
			}
			t.Logf("%+v", cached.Stats())
		})
	}
}

// mixtures are models with experts, likewise.
func mixtures() []string {
	switch {
	case all():
		return []string{"qwen3moe", "mixtral", "qwen2moe"}
	case gputest.First && runtime.GOOS != "js":
		return []string{"qwen3moe"}
	}
	return nil
}

// The texts of a model with states or experts are the same alone, in a batch, in chunks of 7 tokens, and after it was preempted, by swap or by
// recompute.
func TestHybridBatches(t *testing.T) {
	for _, name := range slices.Concat(hybrids(), mixtures()) {
		t.Run(name, func(t *testing.T) {
			f := loadFamily(t, name)
			var requests []engine.Request
			for i, p := range f.Prompts {
				requests = append(requests, engine.Request{Prompt: p.PromptIDs, MaxTokens: 24 - i, IgnoreEnd: true})
			}
			for len(requests) < 4 {
				requests = append(requests, engine.Request{Prompt: slices.Concat(requests[0].Prompt, []int32{int32(len(requests))}, requests[0].Prompt), MaxTokens: 20, IgnoreEnd: true})
			}
			longest := 0
			for _, r := range requests {
				longest = max(longest, len(r.Prompt)+r.MaxTokens)
			}
			run := func(o engine.Options, together bool) (ids [][]int32, e *engine.Engine) {
				o.Deterministic, o.KVType, o.Context, o.BlockSize = true, "f32", longest, 8
				e = openFile(t, "families/"+f.Model, o)
				if !together {
					for _, r := range requests {
						ids = append(ids, generate(t, e, r).IDs)
					}
					return ids, e
				}
				for _, s := range submitAll(t, e, requests) {
					r := s.Result()
					require.NoError(t, r.Err)
					ids = append(ids, r.IDs)
				}
				return ids, e
			}
			want, e := run(engine.Options{NoPrefixCache: true}, false)
			got, _ := run(engine.Options{TokenBudget: 7, SnapshotInterval: 16, Depth: 3}, true)
			assert.Equal(t, want, got, "in a batch, in chunks of 7")
			block := e.Info().KVBytes / uint64(e.Info().Blocks+1)
			for _, how := range []string{"swap", "recompute"} {
				got, e := run(engine.Options{KVMemory: block * uint64(3+(longest+7)/8), Preemption: how, SnapshotInterval: 16, Depth: 2, StateMemory: 1 << 20, SwapMemory: 1 << 20, MaxSeqs: 4}, true)
				assert.Equal(t, want, got, "after preemption by %s", how)
				assert.NotZero(t, e.Stats().Preemptions)
				assert.Equal(t, how == "swap", e.Stats().Swaps > 0)
			}
		})
	}
}

// A saved conversation of a hybrid model goes on elsewhere from its last snapshot, with the text that it would have had, and several
// samples fork from a prompt's state.
func TestHybridSession(t *testing.T) {
	for _, name := range hybrids() {
		t.Run(name, func(t *testing.T) {
			f := loadFamily(t, name)
			o := engine.Options{Deterministic: true, KVType: "f32", Context: 256, SnapshotInterval: 32}
			e := openFile(t, "families/"+f.Model, o)
			prompt := slices.Concat(f.Prompts[0].PromptIDs, f.Prompts[len(f.Prompts)-1].PromptIDs)
			first := generate(t, e, engine.Request{Prompt: prompt, MaxTokens: 41, IgnoreEnd: true})
			s := e.NewSession(slices.Concat(prompt, first.IDs)...)
			held, err := s.Pin()
			require.NoError(t, err)
			assert.Greater(t, held, len(prompt)+len(first.IDs)-18)
			var file bytes.Buffer
			require.NoError(t, s.Save(&file))
			next := append(s.Tokens(), 7, 8, 9)
			want := generate(t, e, engine.Request{Prompt: next, MaxTokens: 20, IgnoreEnd: true, N: 3, Sample: sample.Params{Temperature: 1, Seed: 5}})

			o.NoPrefixCache = true
			plain := generate(t, openFile(t, "families/"+f.Model, o), engine.Request{Prompt: next, MaxTokens: 20, IgnoreEnd: true, N: 3, Sample: sample.Params{Temperature: 1, Seed: 5}})
			o.NoPrefixCache = false
			other := openFile(t, "families/"+f.Model, o)
			again, err := other.Restore(bytes.NewReader(file.Bytes()))
			require.NoError(t, err)
			assert.Equal(t, s.Tokens(), again.Tokens())
			got := generate(t, other, engine.Request{Prompt: next, MaxTokens: 20, IgnoreEnd: true, N: 3, Sample: sample.Params{Temperature: 1, Seed: 5}})
			assert.Equal(t, held, got.Figures.CachedTokens)
			for i := range want.Choices {
				assert.Equal(t, plain.Choices[i].IDs, want.Choices[i].IDs, "choice %d", i)
				assert.Equal(t, plain.Choices[i].IDs, got.Choices[i].IDs, "choice %d, restored", i)
			}
		})
	}
}
