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
	"github.com/stretchr/testify/require"
)

// measured has a worker tell what it asks of WebGPU: the most bytes of a buffer and of a binding, and the most dispatches of a submit.
const measured = `
const seen = {buffer: 0, binding: 0, dispatches: 0, submits: 0, features: [], limits: {}};
const wrap = (type, name, before) => {
  const {prototype} = type, call = prototype[name];
  prototype[name] = function (...args) {
    before.call(this, ...args);
    return call.apply(this, args);
  };
};
let dispatches = 0;
wrap(GPUDevice, 'createBuffer', ({size, usage}) => { if (usage & 0x80) seen.buffer = Math.max(seen.buffer, size); });
wrap(GPUDevice, 'createBindGroup', ({entries}) => entries.forEach(({resource}) => { seen.binding = Math.max(seen.binding, resource.size); }));
wrap(GPUComputePassEncoder, 'dispatchWorkgroups', () => { dispatches++; });
wrap(GPUQueue, 'submit', () => {
  seen.dispatches = Math.max(seen.dispatches, dispatches);
  seen.submits += Number(dispatches > 0);
  dispatches = 0;
});
channel.addEventListener('message', ({data}) => { if (data === 'seen') channel.postMessage({seen}); });
`

// guaranteed gives the worker a device that has what every one has, and no more, of an adapter that seems to be Apple's.
const guaranteed = `
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function ({requiredFeatures, requiredLimits, ...rest}) {
  const device = await request.call(this, rest);
  seen.features = [...device.features];
  for (const name of ['maxStorageBuffersPerShaderStage', 'maxComputeInvocationsPerWorkgroup', 'maxComputeWorkgroupStorageSize', 'maxStorageBufferBindingSize']) seen.limits[name] = device.limits[name];
  return device;
};
Object.defineProperty(GPUAdapter.prototype, 'info', {value: {vendor: 'apple', architecture: 'common-3', device: '', description: ''}});
`

type asked struct {
	Text                                 string
	Buffer, Binding, Dispatches, Submits int
	Features                             []string
	Limits                               map[string]int
	Type                                 string
}

func askedOf(t *testing.T, site string) asked {
	t.Helper()
	p := newTab(t, site+"/empty.html", "")
	got := get[asked](p, `import('/quire.js').then(async ({Quire}) => {
		const quire = await Quire.open({model: '/quire-tales.gguf', keep: false, kvMemory: 8 << 20, context: 128, maxSeqs: 2, variant: 'baseline', selfTest: false});
		const {text} = await quire.generate({prompt: 'Once upon a time there was a fox who had a kite, and a friend', temperature: 0, maxTokens: 8, ignoreEnd: true}).result;
		const channel = new BroadcastChannel('test');
		const {seen} = await new Promise((resolve) => {
			channel.onmessage = ({data}) => { if (data.seen) resolve(data); };
			channel.postMessage('seen');
		});
		return {text, type: quire.info.adapter.type, ...seen};
	})`)
	p.quiet()
	return got
}

// A browser that gives no more than WebGPU guarantees, and buffers and submits much smaller than that, tells what others tell.
func TestLowLimits(t *testing.T) {
	const largest = 5 << 18 // bytes; in Safari it is 1 GiB
	plain := askedOf(t, serve(t, measured))
	mux := http.NewServeMux()
	mux.Handle("/", proxy(t, serve(t, measured, guaranteed)))
	mux.HandleFunc("/gpu/browser.js", func(w http.ResponseWriter, r *http.Request) {
		text, err := os.ReadFile(filepath.Join(dist, "gpu", "browser.js"))
		require.NoError(t, err)
		lower := strings.Replace(string(text), "2 ** 30 : Infinity", fmt.Sprintf("2 ** 30 : %d", largest), 1)
		require.NotEqual(t, string(text), lower)
		w.Header().Set("Content-Type", "text/javascript")
		w.Write([]byte(lower))
	})
	low := askedOf(t, host(t, mux).URL)
	t.Logf("%+v\n%+v", plain, low)
	assert.Equal(t, plain.Text, low.Text)
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
