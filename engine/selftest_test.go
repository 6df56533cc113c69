package engine

import (
	"context"
	"os"
	"strings"
	"testing"
	_ "unsafe" // for linkname

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
	"quire/engine/sample"
	"quire/tests/testdata"
)

// broken stands in for a driver that computes garbage.
//
//go:linkname broken quire/engine/kernel.broken
var broken func(label, text string) string

// breakKernels has kernels of a file and variant compute wrongly.
func breakKernels(t *testing.T, file, variant string) (hits *int) {
	hits = new(int)
	broken = func(label, text string) string {
		name, of, _ := strings.Cut(label, "/")
		if first, _, _ := strings.Cut(name, " "); first != file || variant != "" && !strings.Contains(of, variant) {
			return text
		}
		for _, wrong := range [][2]string{
			{"dot(wlow, low[", "dot(whigh, low["}, {"fma(vec4<f32>(a.y)", "fma(vec4<f32>(a.x)"}, {"[g * RK + j] * SCALE", "[g * RK + j] * 0.5 * SCALE"}, {"a * table[at] - b", "a * table[at] + b"},
			{"next], run + 1u)", "next], run)"},
		} {
			if changed := strings.Replace(text, wrong[0], wrong[1], 1); changed != text {
				*hits++
				return changed
			}
		}
		return text
	}
	t.Cleanup(func() { broken = nil })
	return hits
}

// A kernel that computes wrongly is caught and named, and its baseline runs in its place, if that computes rightly.
func TestSelfTest(t *testing.T) {
	if gputest.Device(t).Info().SubgroupLanes() == 0 {
		t.Skip("the adapter has no subgroups: nothing to fall back from")
	}
	cases := []struct{ file, breaks, variant string }{{"", "", ""}, {"matvec", "subgroup", ""}, {"attention", "subgroup", "subgroup"}, {"matmul", "", ""}, {"attention", "", ""}, {"rope_store", "", ""}}
	if runsFew() { // tests/browser has a broken one
		cases = cases[:1]
	}
	for _, c := range cases {
		t.Run(c.file+" "+c.breaks, func(t *testing.T) {
			o := Options{SelfTest: true, Variant: c.variant, MaxSeqs: 2, Context: 64}
			hits := breakKernels(t, c.file, c.breaks)
			if c.file != "" && c.breaks == "" {
				f, size := testdata.Open(t, "models/tiny-tales.gguf")
				o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
				_, err := Open(context.Background(), gpu.ReaderSource(f, size), o)
				require.NotZero(t, *hits)
				var wrong *kernel.SelfTestError
				require.ErrorAs(t, err, &wrong)
				assert.Equal(t, gputest.Device(t).Info().Name, wrong.Adapter)
				assert.Contains(t, wrong.Kernel, c.file)
				assert.NotEqual(t, wrong.Want, wrong.Got)
				assert.NotZero(t, wrong.Wrong)
				return
			}
			e := openModel(t, "tiny-tales", o)
			s := e.Info().SelfTest
			require.NotEmpty(t, s.Kernels)
			if c.file == "" {
				require.Empty(t, s.Replaced)
				return
			}
			require.NotZero(t, *hits)
			require.NotEmpty(t, s.Replaced)
			for _, name := range s.Replaced {
				assert.Contains(t, name, c.file)
				assert.Contains(t, name, c.breaks)
				assert.NotContains(t, s.Kernels, name)
			}
			good := submit(t, e, Request{Prompt: testPrompts(1)[0], MaxTokens: 5, IgnoreEnd: true}).Result()
			require.NoError(t, good.Err)
		})
	}
}

// Kernels of penalties are tested when a request first has any. Where they compute wrongly, it fails by their name, and others go on.
func TestSelfTestOfPenalties(t *testing.T) {
	hits := breakKernels(t, "penalize", "")
	e := openModel(t, "tiny-tales", Options{SelfTest: true, MaxSeqs: 2, Context: 64})
	plain := Request{Prompt: testPrompts(1)[0], MaxTokens: 5, IgnoreEnd: true}
	penalized := plain
	penalized.Sample.PresencePenalty = 1
	result := submit(t, e, penalized).Result()
	require.NotZero(t, *hits)
	var wrong *kernel.SelfTestError
	require.ErrorAs(t, result.Err, &wrong)
	assert.Contains(t, wrong.Kernel, "penalize")
	require.NoError(t, submit(t, e, plain).Result().Err)
}

// Kernels that draw at random are made when a request first does. Where they compute wrongly or do not compile, such requests fail by
// their name, and others go on with the model as it is.
func TestSelfTestOfDrawing(t *testing.T) {
	for name, spoilt := range map[string][2]string{
		"computes wrongly": {"return token;", "return token ^ 1u;"},
		"does not compile": {"return token;", "return token"},
	} {
		t.Run(name, func(t *testing.T) {
			broken = func(_, text string) string {
				if !strings.Contains(text, "fn draw_any(") {
					return text
				}
				return strings.ReplaceAll(text, spoilt[0], spoilt[1])
			}
			t.Cleanup(func() { broken = nil })
			e := openModel(t, "tiny-tales", Options{SelfTest: true, MaxSeqs: 2, Context: 256})
			device := func() (d *gpu.Device) {
				require.NoError(t, e.loop.Call(func() { d = e.machine.device }))
				return d
			}
			opened := device()
			greedy := submit(t, e, Request{Prompt: testPrompts(1)[0], MaxTokens: 60, IgnoreEnd: true})
			random := Request{Prompt: testPrompts(2)[1], MaxTokens: 5, IgnoreEnd: true}
			random.Sample = sample.Params{Temperature: 1, TopP: 1, Seed: 1}
			for range 2 {
				require.ErrorContains(t, submit(t, e, random).Result().Err, "sample/baseline")
			}
			result := greedy.Result()
			require.NoError(t, result.Err)
			assert.Len(t, result.IDs, 60)
			assert.Same(t, opened, device(), "the model has not been loaded again")
		})
	}
}
