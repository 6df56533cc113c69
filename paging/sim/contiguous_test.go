package sim

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func policy(t *testing.T, name string) Policy {
	for _, p := range Policies() {
		if p.Name == name {
			return p
		}
	}
	t.Fatal("no policy", name)
	return Policy{}
}

func TestPolicies(t *testing.T) {
	for _, tt := range []struct{ prompt, output, maximum, pow2, oracle int }{
		{10, 1, 64, 11, 11}, {10, 2, 64, 12, 12}, {10, 3, 64, 14, 13}, {10, 25, 64, 42, 35}, {10, 32, 64, 42, 42}, {30, 34, 64, 64, 64},
	} {
		r := Request{Prompt: tt.prompt, Output: tt.output}
		assert.Equal(t, tt.maximum, policy(t, "maximum").Slots(&r, 64))
		assert.Equal(t, tt.pow2, policy(t, "pow2").Slots(&r, 64))
		assert.Equal(t, tt.oracle, policy(t, "oracle").Slots(&r, 64))
	}
}

// Three requests in 8 slots, the longest of 4 tokens. In step 0 the first two run, with 2 and 1 tokens; in step 1 with 3 and
// 2, and end; in step 2 the third runs alone with 1.
func TestReplayByHand(t *testing.T) {
	requests := []Request{{Prompt: 2, Output: 2}, {Prompt: 1, Output: 2}, {Prompt: 1, Output: 1}}
	tests := []struct {
		policy                         string
		placement                      Placement
		tokens, reserved, internal, of float64 // of the allocated slots of all steps
		memory                         [5]float64
	}{
		{"maximum", Buddies, 9, 7, 4, 20, [5]float64{8, 6, 2, 0, 0}},
		{"pow2", FirstHole, 9, 7, 0, 16, [5]float64{8, 6, 0, 0, 2}},
		{"pow2", Buddies, 9, 7, 0, 16, [5]float64{8, 6, 0, 2, 0}},
		{"oracle", FirstHole, 9, 7, 0, 16, [5]float64{8, 6, 0, 0, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.policy+", "+string(tt.placement), func(t *testing.T) {
			got, err := policy(t, tt.policy).Replay(requests, Setting{Slots: 8, MaxLen: 4, Placement: tt.placement})
			require.NoError(t, err)
			assert.Equal(t, Result{
				Name: tt.policy, TokenShare: tt.tokens / tt.of, Reserved: tt.reserved / tt.of, Internal: tt.internal / tt.of,
				External: tt.memory[3] / 16,
				Memory: Memory{Tokens: tt.memory[0] / 16, Reserved: tt.memory[1] / 16, Internal: tt.memory[2] / 16,
					External: tt.memory[3] / 16, Free: tt.memory[4] / 16},
				InFlight: 5. / 3, TokensPerStep: 5. / 3, Steps: 3, Requests: 3, Tokens: 5,
			}, got)
		})
	}
}

// The first request leaves a hole of 2 slots in front of the second; with the one behind it the third had enough.
func TestHolesAreExternalFragmentation(t *testing.T) {
	requests := []Request{{Prompt: 1, Output: 1}, {Prompt: 1, Output: 2}, {Prompt: 2, Output: 1}}
	got, err := policy(t, "oracle").Replay(requests, Setting{Slots: 6, MaxLen: 3, Placement: FirstHole})
	require.NoError(t, err)
	assert.Equal(t, 3./12, got.External)
	assert.Equal(t, Memory{Tokens: 4. / 12, Reserved: 4. / 12, External: 3. / 12, Free: 1. / 12}, got.Memory)
	assert.Equal(t, 3, got.Steps)
}

func TestRequestsArrive(t *testing.T) {
	requests := []Request{
		{Prompt: 1, Output: 1}, {Arrival: 2100 * time.Millisecond, Prompt: 1, Output: 2}, {Arrival: 4 * time.Second, Prompt: 1, Output: 1},
	}
	got, err := policy(t, "oracle").Replay(requests, Setting{Slots: 100, MaxLen: 8, Step: time.Second, Placement: FirstHole})
	require.NoError(t, err)
	assert.Equal(t, 3, got.Steps, "0, 3 and 4: nothing happens between")
	assert.Equal(t, 4./3, got.InFlight)
	assert.Equal(t, 0.0, got.External, "nobody ever waits")
	assert.InDelta(t, 1, sum(got.Memory), 1e-12)
}

func TestNoRoom(t *testing.T) {
	_, err := policy(t, "oracle").Replay([]Request{{Prompt: 1, Output: 1}, {Prompt: 90, Output: 9}}, Setting{Slots: 98, MaxLen: 200})
	assert.ErrorIs(t, err, ErrNoRoom)
	assert.ErrorContains(t, err, "request 2 takes 99 of 98 slots")
}

func sum(m Memory) float64 { return m.Tokens + m.Reserved + m.Internal + m.External + m.Free }

func TestSharesSumUp(t *testing.T) {
	draw := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		requests := make([]Request, 1+draw.IntN(50))
		output := 0
		for i := range requests {
			requests[i] = Request{Prompt: 1 + draw.IntN(30), Output: 1 + draw.IntN(34), Arrival: time.Duration(draw.IntN(1000))}
			output += requests[i].Output
		}
		s := Setting{Slots: 64 + draw.IntN(200), MaxLen: 64, Step: time.Duration(draw.IntN(3)), Placement: []Placement{Buddies, FirstHole}[draw.IntN(2)]}
		requests = inOrder(requests)
		for _, p := range Policies() {
			r, err := p.Replay(requests, s)
			require.NoError(t, err)
			assert.InDelta(t, 1, r.TokenShare+r.Reserved+r.Internal, 1e-12)
			assert.InDelta(t, 1, sum(r.Memory), 1e-12)
			for _, part := range []float64{r.TokenShare, r.Reserved, r.Internal, r.External, r.Memory.Free, r.Memory.Tokens} {
				assert.True(t, part >= 0 && part <= 1, part)
			}
			assert.Equal(t, output, r.Tokens)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct{ prompt, output, most, wantPrompt, wantOutput, wantHashes int }{
		{1000, 48, 2048, 1000, 48, 2}, {2000, 48, 2048, 2000, 48, 4}, {2000, 49, 2048, 2000, 48, 4},
		{2048, 9, 2048, 2047, 1, 4}, {9000, 9000, 2048, 2047, 1, 4}, {600, 600, 600, 599, 1, 2}, {600, 600, 513, 512, 1, 1}, {1, 1, 2, 1, 1, 1},
	} {
		all := []Request{{Prompt: tt.prompt, Output: tt.output, Hashes: make([]int32, (tt.prompt+HashSpan-1)/HashSpan)}}
		got, err := Cut(all, tt.most)
		require.NoError(t, err)
		assert.Equal(t, []int{tt.wantPrompt, tt.wantOutput, tt.wantHashes}, []int{got[0].Prompt, got[0].Output, len(got[0].Hashes)})
		assert.Equal(t, tt.prompt, all[0].Prompt, "the caller's stay as they are")
	}
	_, err := Cut(nil, 1)
	assert.Error(t, err)
}

func TestSynthetic(t *testing.T) {
	for i, name := range SyntheticNames() {
		requests, err := Synthetic(name)
		require.NoError(t, err)
		again, err := Synthetic(name)
		require.NoError(t, err)
		assert.Equal(t, requests, again)
		prompt, output := 0, 0
		for _, r := range requests {
			require.Positive(t, r.Prompt)
			require.Positive(t, r.Output)
			prompt += r.Prompt
			output += r.Output
		}
		// An exponential distribution's mean is known to one part in the root of the number of draws.
		n := float64(len(requests))
		assert.InEpsilon(t, synthetic[i].prompt, float64(prompt)/n, 3/math.Sqrt(n))
		assert.InEpsilon(t, synthetic[i].output, float64(output)/n, 3/math.Sqrt(n))
	}
	_, err := Synthetic("long")
	assert.ErrorIs(t, err, ErrSynthetic)
}
