package model

import (
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
