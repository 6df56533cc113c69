package model

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// planned gives the plan of a tiny file of an architecture with these keys.
func planned(t *testing.T, arch string, layers int, m meta) *Plan {
	t.Helper()
	file := tiny.Model{Architecture: arch, Layers: layers, Meta: meta{}}
	for key, value := range m {
		file.Meta[arch+"."+key] = value
	}
	p, err := NewPlan(file.File(t))
	require.NoError(t, err)
	assert.Empty(t, p.Warnings)
	return p
}

// Every fourth layer of a SmolLM3 has no positions; a shorter one has them everywhere.
func TestSmolLM3Layers(t *testing.T) {
	for layers, want := range map[int][]bool{3: {true, true, true}, 9: {true, true, true, false, true, true, true, false, true}} {
		p := planned(t, "smollm3", layers, meta{"rope.freq_base": float32(5e6)})
		var turned []bool
		for _, l := range p.kv {
			turned = append(turned, l.rope != nil)
		}
		assert.Equal(t, want, turned)
		assert.True(t, p.Ropes[0].Adjacent)
		assert.Equal(t, []int{0}, p.Windows())
	}
}

// What a file says of YaRN is in the table; what it does not say is as usual.
func TestYarn(t *testing.T) {
	with := func(m meta) meta {
		keys := meta{"rope.scaling.type": "yarn", "rope.scaling.factor": float32(4)}
		for key, value := range m {
			keys[key] = value
		}
		return keys
	}
	grown := 1 + 0.1*math.Log(4)
	for name, c := range map[string]struct {
		keys      meta
		want      Yarn
		magnitude float64
	}{
		"usual":          {meta{}, Yarn{Factor: 4, Original: tiny.Context, Fast: 32, Slow: 1}, grown},
		"all of it":      {meta{"rope.scaling.original_context_length": uint32(64), "rope.scaling.yarn_beta_fast": float32(8), "rope.scaling.yarn_beta_slow": float32(2)}, Yarn{Factor: 4, Original: 64, Fast: 8, Slow: 2}, grown},
		"no growth":      {meta{"rope.scaling.yarn_log_multiplier": float32(1)}, Yarn{Factor: 4, Original: tiny.Context, Fast: 32, Slow: 1}, 1},
		"own growth":     {meta{"rope.scaling.yarn_attn_factor": float32(1.5)}, Yarn{Factor: 4, Original: tiny.Context, Fast: 32, Slow: 1}, 1.5},
		"times a factor": {meta{"rope.scaling.attn_factor": float32(2), "rope.scaling.yarn_ext_factor": float32(1)}, Yarn{Factor: 4, Original: tiny.Context, Fast: 32, Slow: 1}, 2 * grown},
	} {
		t.Run(name, func(t *testing.T) {
			rope := planned(t, "qwen2", 1, with(c.keys)).Ropes[0]
			assert.Equal(t, c.want, *rope.Yarn)
			assert.InDelta(t, c.magnitude, rope.Magnitude, 1e-12)
			table := rope.Table(0, 1)
			assert.Equal(t, []float32{float32(rope.Magnitude), 0}, table[:2], "position 0")
		})
	}
	for key, value := range (meta{"rope.scaling.yarn_beta_fast": float32(0.5), "rope.scaling.yarn_beta_slow": float32(-1), "rope.scaling.yarn_ext_factor": float32(0.5),
		"rope.scaling.original_context_length": uint32(0), "rope.scaling.factor": float32(0), "rope.scaling.yarn_attn_factor": float32(-1)}) {
		file := tiny.Model{Meta: meta{}}
		for k, v := range with(meta{key: value}) {
			file.Meta["llama."+k] = v
		}
		_, err := NewPlan(file.File(t))
		require.ErrorIs(t, err, ErrUnsupported, key)
		assert.ErrorContains(t, err, "llama."+key)
	}
}

// Frequencies of a table of gpt-oss's size, whose blend begins and ends between two of them; the values are Hugging Face's.
func TestYarnExact(t *testing.T) {
	rope := Rope{Dim: 64, Base: 150000, Scale: 1, Magnitude: 1, Yarn: &Yarn{Factor: 32, Original: 4096, Fast: 32, Slow: 1}}
	frequency := func(i int) float64 {
		turn := rope.Table(1, 1)[2*i:]
		return math.Atan2(float64(turn[1]), float64(turn[0]))
	}
	plain := func(i int) float64 { return math.Pow(150000, -float64(i)/32) }
	assert.InEpsilon(t, plain(8), frequency(8), 1e-6)
	assert.InEpsilon(t, plain(18)/32, frequency(18), 1e-6)
	assert.InEpsilon(t, plain(9)*(0.9+0.1/32), frequency(9), 1e-6)
	rope.Yarn.Exact = true // from 8.0928 to 17.3980
	assert.InEpsilon(t, plain(8), frequency(8), 1e-6)
	assert.InEpsilon(t, plain(9)*(1-0.0974956+0.0974956/32), frequency(9), 1e-6)
	assert.InEpsilon(t, plain(18)/32, frequency(18), 1e-6)
}

// Granite's four factors, and what stands for those that a file lacks.
func TestGraniteFactors(t *testing.T) {
	p := planned(t, "granite", 2, meta{"attention.scale": float32(0.015625), "embedding_scale": float32(12), "residual_scale": float32(0.22), "logit_scale": float32(8)})
	assert.EqualValues(t, 0.015625, p.kv[0].scale)
	for _, m := range []meta{{}, {"attention.scale": float32(0), "embedding_scale": float32(0), "residual_scale": float32(0), "logit_scale": float32(0)}} {
		assert.InDelta(t, 1/math.Sqrt(tiny.HeadDim), planned(t, "granite", 1, m).kv[0].scale, 1e-7)
	}
	_, err := NewPlan(tiny.Model{Architecture: "granite", Meta: meta{"granite.logit_scale": float32(-1)}}.File(t))
	assert.ErrorContains(t, err, "granite.logit_scale is -1")
}
