//go:build !js

package browser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// spoil stands in for a driver that computes garbage where attention uses subgroups.
const spoil = `
const makes = devices.createShaderModule;
devices.createShaderModule = function ({code, ...rest}) {
  if (code.includes('enable subgroups')) code = code.replaceAll('[g * RK + j] * SCALE', '[g * RK + j] * 0.5 * SCALE');
  return makes.call(this, {code, ...rest});
};
`

// A kernel that computes wrongly in the tab is caught and named, and its baseline runs in its place.
func TestSelfTest(t *testing.T) {
	p := newTab(t, serve(t, spoil)+"/empty.html", "")
	type tested struct {
		Kernels, Replaced, Warnings []string
		Time                        float64
		Subgroups                   bool
		Text                        string
	}
	got := get[tested](p, `import('/quire.js').then(async ({Quire}) => {
		const quire = await Quire.open({model: '/quire-tales.gguf', selfTest: true, variant: 'subgroup', kvMemory: 2 << 20, context: 64, maxSeqs: 1, tokenBudget: 16});
		const {text} = await quire.generate({prompt: 'Once upon a time', maxTokens: 8, temperature: 0}).result;
		await quire.close();
		const {selfTest, warnings, adapter} = quire.info;
		return {...selfTest, warnings, text, subgroups: adapter.features.includes('subgroups')};
	})`)
	assert.Greater(t, len(got.Kernels), 10)
	assert.Positive(t, got.Time)
	assert.Equal(t, " there was a little girl named Lily", got.Text)
	if !got.Subgroups {
		t.Skip("the adapter has no subgroups: nothing to fall back from")
	}
	if assert.NotEmpty(t, got.Replaced) {
		assert.Regexp(t, "^attention.*/subgroup", got.Replaced[0])
		assert.NotContains(t, got.Kernels, got.Replaced[0])
		assert.Regexp(t, "computes wrongly with kernel attention", got.Warnings)
	}
	p.quiet()
}
