//go:build !js

package browser

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/tests/testdata"
)

// Requests name adapters that the page has loaded, and run beside others.
func TestLora(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	for _, name := range []string{"qwen3", "qwen3-lora1", "qwen3-lora2"} {
		data := base64.StdEncoding.EncodeToString(testdata.Bytes(t, "families/"+name+".gguf"))
		get[bool](p, fmt.Sprintf(`fetch('data:;base64,%s').then((r) => r.blob()).then((b) => Boolean(globalThis[%q] = b))`, data, name))
	}
	get[bool](p, `import("/quire.js").then((m) => Boolean(Object.assign(globalThis, m, {failure: (promise) => promise.then(() => 'no failure', (e) => e.name + ': ' + e.message)})))`)
	get[bool](p, `Quire.open({model: globalThis['qwen3'], kvType: 'f32', kvMemory: 4 << 20, context: 64, loraRank: 12}).then((q) => Boolean(globalThis.quire = q))`)
	assert.Equal(t, [][]int{{178, 84, 79, 88}, {178, 165, 85, 281}, {165, 165, 132, 132}, {165, 271, 137, 132}}, get[[][]int](p, `(async () => {
		globalThis.one = await quire.loadLora(globalThis['qwen3-lora1']);
		globalThis.two = await quire.loadLora(globalThis['qwen3-lora2']);
		const asked = (lora) => quire.generate({ids: [122], maxTokens: 4, temperature: 0, ignoreEnd: true, lora}).result.then(({ids}) => ids);
		return Promise.all([asked(null), asked({adapter: one, scale: 0.5}), asked([{adapter: one, scale: 0.75}, two]), asked(two)]);
	})()`))
	assert.Equal(t, []any{"first", "adapter", true, 400.0, "fulfilled,rejected"}, get[[]any](p, `(async () => {
		await Promise.all([one.drop(), two.drop()]);
		const twins = await Promise.allSettled([1, 2].map(() => quire.loadLora(globalThis['qwen3-lora1'], {name: 'same'})));
		await twins.find(({status}) => status === 'fulfilled').value.drop();
		globalThis.one = await quire.loadLora(new File([globalThis['qwen3-lora1']], 'first.gguf'));
		globalThis.two = await quire.loadLora(globalThis['qwen3-lora2']);
		const ask = (lora) => quire.completions.create({prompt: [122], max_tokens: 4, temperature: 0, ignore_eos: true, lora}).then(({choices}) => choices[0].text);
		const own = await quire.decode((await quire.generate({ids: [122], maxTokens: 4, temperature: 0, ignoreEnd: true, lora: two}).result).ids);
		const same = await ask(two) === own && await ask('adapter') === own && await ask({name: 'adapter', scale: 1}) === own && await ask() !== own;
		return [one.name, two.name, same, await ask('none').catch((e) => e.status), twins.map(({status}) => status).sort().join()];
	})()`))
	for _, wrong := range [][2]string{
		{`^ErrBadRequest: .*has rank 4, and of the 12 .* 0 are free.*loraRank`, `quire.loadLora(globalThis['qwen3-lora1'])`},
		{`^ErrUnsupportedAdapter: .*general\.type is "model"`, `quire.loadLora(globalThis['qwen3'])`},
		{`^ErrBadRequest: no adapter is given`, `quire.loadLora('')`},
		{`^ErrBadRequest: .*an adapter called "first" is loaded already`, `quire.loadLora(globalThis['qwen3-lora1'], {name: 'first'})`},
		{`^ErrBadRequest: lora must be what loadLora gave`, `quire.generate({ids: [1], lora: 1}).result`},
		{`^ErrBadRequest: the scale of an adapter must be a number`, `quire.embed({ids: [1], lora: {adapter: one, scale: 'much'}})`},
		{`^ErrBadRequest: .*no adapter \d is loaded`, `one.drop().then(() => quire.generate({ids: [1], lora: one}).result)`},
	} {
		assert.Regexp(t, wrong[0], get[string](p, `failure(`+wrong[1]+`)`))
	}
	get[bool](p, `quire.close().then(() => true)`)
	p.quiet()
}
