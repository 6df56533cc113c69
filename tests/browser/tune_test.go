//go:build !js

package browser

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What Quire.tune finds is kept by the page and used by the next open.
func TestTune(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	get[bool](p, `import("/quire.js").then(async (m) => Boolean(Object.assign(globalThis, m, {tales: (await import("/tales.js")).default})))`)
	tuned := get[struct {
		Adapter     string
		Tried, Best int
		Stages      int
		Prefill     string
	}](p, `(async () => {
		const stages = [];
		const {adapter, tried, best} = await Quire.tune({quick: true, adapter: null, signal: null, onProgress: ({stage}) => stages.push(stage)});
		return {adapter, tried: tried.length, best: best.length, prefill: best[0].prefill, stages: stages.filter((s) => s.includes('flash')).length};
	})()`)
	require.NotEmpty(t, tuned.Adapter)
	assert.Equal(t, 1, tuned.Best)
	assert.Equal(t, 4, tuned.Tried)
	assert.Equal(t, 4, tuned.Stages)

	// Put in for a baseline, whichever was faster, the tile is one that nothing else chooses.
	const open = `const quire = await Quire.open({model: tales, kvMemory: 8 << 20, context: 64});
		await quire.close();
		return quire.info.variant;`
	const kept = `localStorage.getItem('quire.tuning')`
	assert.Contains(t, get[string](p, fmt.Sprintf(`(async () => {
		localStorage.setItem('quire.tuning', %s.replace('"prefill": "%s"', '"prefill": "tile16x16"'));
		%s
	})()`, kept, tuned.Prefill, open)), "tile16x16")
	assert.True(t, get[bool](p, `(Quire.forgetTuning(), `+kept+` === null)`))
	assert.NotContains(t, get[string](p, `(async () => {`+open+`})()`), "tile16x16", "untuned")
}
