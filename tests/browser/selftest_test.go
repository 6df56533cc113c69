//go:build !js

package browser

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/tests/testdata"
)

// spoil stands in for a driver that computes garbage where norms of heads use subgroups.
const spoil = `
const makes = devices.createShaderModule;
devices.createShaderModule = function ({label, code}) {
  if (code.includes('enable subgroups')) code = code.replace('y*=scale*weight[w]', 'y*=scale*0.5*weight[w]');
  return makes.call(this, {label, code});
};
`

// A kernel that computes wrongly in the tab is caught and named, and its baseline runs in its place.
func TestSelfTest(t *testing.T) {
	p := newTab(t, serve(t, spoil)+"/empty.html", "")
	type tested struct {
		Kernels, Replaced, Warnings []string
		Time                        float64
		Subgroups                   bool
		IDs                         []int
	}
	data := base64.StdEncoding.EncodeToString(testdata.Bytes(t, "families/qwen3.gguf"))
	got := get[tested](p, fmt.Sprintf(`import('/quire.js').then(async ({Quire}) => {
		const model = await fetch('data:;base64,%s').then((r) => r.blob());
		const quire = await Quire.open({model, selfTest: true, kvType: 'f32', kvMemory: 4 << 20, context: 64});
		const {ids} = await quire.generate({ids: [122], maxTokens: 4, temperature: 0, ignoreEnd: true}).result;
		await quire.close();
		const {selfTest, warnings, adapter} = quire.info;
		return {...selfTest, warnings, ids, subgroups: adapter.features.includes('subgroups')};
	})`, data))
	assert.Greater(t, len(got.Kernels), 10)
	assert.Positive(t, got.Time)
	assert.Equal(t, []int{178, 84, 79, 88}, got.IDs)
	if !got.Subgroups {
		t.Skip("the adapter has no subgroups: nothing to fall back from")
	}
	if assert.Len(t, got.Replaced, 1) {
		assert.Regexp(t, "^head_norm.*/subgroup", got.Replaced[0])
		assert.NotContains(t, got.Kernels, got.Replaced[0])
		assert.Regexp(t, "computes wrongly with kernel head_norm", got.Warnings)
	}
	p.quiet()
}
