//go:build !js

package browser

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// measured has a worker tell what it asks of WebGPU: the most bytes of a buffer and of a binding, and the most dispatches of a submit.
const measured = `
const seen = {buffer: 0, binding: 0, dispatches: 0, features: [], limits: {}};
const wrap = (type, name, before) => {
  const {prototype} = type, call = prototype[name];
  prototype[name] = function (...args) {
    before.call(this, ...args);
    return call.apply(this, args);
  };
};
let dispatches = 0;
wrap(GPUDevice, 'createBuffer', ({label, size, usage}) => { if (usage & 0x80 && label !== 'staging') seen.buffer = Math.max(seen.buffer, size); });
wrap(GPUDevice, 'createBindGroup', ({entries}) => entries.forEach(({resource}) => { seen.binding = Math.max(seen.binding, resource.size); }));
wrap(GPUComputePassEncoder, 'dispatchWorkgroups', () => { dispatches++; });
wrap(GPUQueue, 'submit', () => {
  seen.dispatches = Math.max(seen.dispatches, dispatches);
  dispatches = 0;
});
channel.addEventListener('message', ({data}) => {
  if (data !== 'seen') return;
  channel.postMessage({seen});
  seen.dispatches = 0;
});
`

// guaranteed gives the worker a device that has what every one has, and no more.
const guaranteed = `
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function ({label}) {
  const device = await request.call(this, {label});
  seen.features = [...device.features].filter((name) => name !== 'core-features-and-limits');
  for (const name in device.limits) seen.limits[name] = device.limits[name];
  return device;
};
`

// apple has the adapter seem to be one of Apple's, whose speed is measured as a model opens: it takes a second for a step.
const apple = `
const map = GPUBuffer.prototype.mapAsync;
let opens = true;
channel.addEventListener('message', ({data}) => { if (data === 'seen') opens = false; });
GPUBuffer.prototype.mapAsync = async function (...args) {
  if (opens) await new Promise((resolve) => setTimeout(resolve, 1000));
  return map.apply(this, args);
};
Object.defineProperty(GPUAdapter.prototype, 'info', {value: {vendor: 'apple', architecture: 'common-3', device: '', description: ''}});
`

// seen gives what a worker was seen to ask of WebGPU.
const seen = `new Promise((resolve) => {
	const channel = new BroadcastChannel('test');
	channel.onmessage = ({data}) => { if (data.seen) resolve(data.seen); };
	channel.postMessage('seen');
})`

type asked struct {
	Text, Type                         string
	Buffer, Binding, Dispatches, Probe int
	Features                           []string
	Limits                             map[string]int
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

// Buffers and submissions much smaller than in Safari, on a device that has no more than WebGPU guarantees, give the same text.
func TestLowLimits(t *testing.T) {
	onlyAll(t)
	const largest = 1072 << 10 // bytes; in Safari it is 1 GiB
	ask := func(site string) asked {
		t.Helper()
		p := newTab(t, site+"/empty.html", "")
		got := get[asked](p, `import('/quire.js').then(async ({Quire}) => {
			const quire = await Quire.open({model: '/quire-tales.gguf', keep: false, context: 256, maxSeqs: 2, variant: 'baseline', selfTest: false});
			const {dispatches: probe} = await `+seen+`;
			const {text} = await quire.generate({prompt: 'Once upon a time there was a fox who had a kite, and a friend', temperature: 0, maxTokens: 6, ignoreEnd: true}).result;
			return {text, type: quire.info.adapter.type, probe, ...await `+seen+`};
		})`)
		p.quiet()
		return got
	}
	plain := ask(serve(t, measured))
	mux := http.NewServeMux()
	mux.Handle("/", proxy(t, serve(t, measured, guaranteed, apple)))
	mux.HandleFunc("/gpu/browser.js", func(w http.ResponseWriter, r *http.Request) {
		text, err := os.ReadFile(filepath.Join(dist, "gpu", "browser.js"))
		assert.NoError(t, err)
		lower := strings.Replace(string(text), "2**30:1/0", fmt.Sprintf("2**30:%d", largest), 1)
		assert.NotEqual(t, string(text), lower)
		w.Header().Set("Content-Type", "text/javascript")
		w.Write([]byte(lower))
	})
	low := ask(host(t, mux).URL)
	assert.NotEmpty(t, plain.Text)
	assert.Equal(t, plain.Text, low.Text)
	low.isGuaranteed(t)
	assert.Equal(t, []string{"cpu", "integrated"}, []string{plain.Type, low.Type})
	assert.Greater(t, plain.Buffer, largest, "there is something to split")
	assert.LessOrEqual(t, low.Binding, largest)
	assert.LessOrEqual(t, low.Buffer, largest)
	assert.LessOrEqual(t, low.Dispatches, low.Probe*3/4, "what the probe submits as a whole is split where an adapter is slow")
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
