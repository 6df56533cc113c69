//go:build !js

package browser

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// guaranteed gives the worker a device that has what every one has, and no more, and has it tell of that.
const guaranteed = `
const seen = {features: [], limits: {}};
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function ({label}) {
  const device = await request.call(this, {label});
  seen.features = [...device.features].filter((name) => name !== 'core-features-and-limits');
  for (const name in device.limits) seen.limits[name] = device.limits[name];
  return device;
};
channel.addEventListener('message', ({data}) => { if (data === 'seen') channel.postMessage({seen}); });
`

// seen gives what a worker was seen to have of WebGPU.
const seen = `new Promise((resolve) => {
	const channel = new BroadcastChannel('test');
	channel.onmessage = ({data}) => { if (data.seen) resolve(data.seen); };
	channel.postMessage('seen');
})`

type asked struct {
	Features []string
	Limits   map[string]int
}

// isGuaranteed asserts that a device had what every one has, and no more.
func (a asked) isGuaranteed(t *testing.T) {
	t.Helper()
	assert.Empty(t, a.Features)
	for name, limit := range map[string]int{
		"maxStorageBuffersPerShaderStage": 8, "maxComputeInvocationsPerWorkgroup": 256, "maxComputeWorkgroupStorageSize": 16 << 10,
		"maxStorageBufferBindingSize": 128 << 20, "maxBufferSize": 256 << 20,
	} {
		assert.Equal(t, limit, a.Limits[name], name)
	}
}

// lesser is what a browser gives whose GPU does only for WebGPU's compatibility mode: nothing, unless it is asked for that.
const lesser = `
GPU.prototype.requestAdapter = async ({featureLevel} = {}) => (featureLevel !== 'compatibility' ? null : {
  features: new Set(),
  limits: {maxStorageBuffersPerShaderStage: 4, maxComputeInvocationsPerWorkgroup: 128, maxComputeWorkgroupStorageSize: 16384, maxBufferSize: 268435456, maxStorageBufferBindingSize: 134217728},
  info: {vendor: 'qualcomm', architecture: 'adreno-5xx', device: '', description: ''},
});
`

// An adapter of compatibility mode is refused by its name, whether a browser tells the mode or only has less.
func TestCompatibilityMode(t *testing.T) {
	for name, script := range map[string]string{
		"asked for": lesser,
		"told":      strings.NewReplacer("featureLevel !== 'compatibility' ? null : ", "", "features: new Set(),", "featureLevel: 'compatibility', features: new Set(),", "PerShaderStage: 4", "PerShaderStage: 8", "Workgroup: 128", "Workgroup: 256").Replace(lesser),
		"has less":  strings.Replace(lesser, "featureLevel !== 'compatibility' ? null : ", "", 1),
	} {
		t.Run(name, func(t *testing.T) {
			p := newTab(t, serve(t, script), script)
			told := get[[]string](p, `import('/quire.js').then(async ({Quire}) => [
				await Quire.adapters().catch(({name, message}) => name + ': ' + message),
				await Quire.open({model: '/quire-tales.gguf'}).catch(({name, message}) => name + ': ' + message),
			])`)
			for _, text := range told {
				assert.Regexp(t, `^ErrNoAdapter: .*the browser offers qualcomm adreno-5xx in WebGPU's compatibility mode only, where .* too few`, text)
			}
			p.wait(`document.body.innerText.includes("compatibility mode only")`)
			p.quiet()
		})
	}
	// The same from a browser that has all of it under another name is none of that.
	whole := strings.NewReplacer("featureLevel !== 'compatibility' ? null : ", "", "new Set()", "new Set(['core-features-and-limits'])").Replace(lesser)
	p := newTab(t, serve(t)+"/empty.html", whole)
	assert.Equal(t, "qualcomm adreno-5xx", get[string](p, `import('/quire.js').then(({Quire}) => Quire.adapters()).then(([{name}]) => name)`))
}
