//go:build !js

package browser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What any worker may do is spread over those that work: others are still on their way.
func TestTasksAreSpread(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, []any{3.0, 3.0, 2.0}, get[[]any](p, `(async () => {
		const {Workers} = await import('/store/workers.js');
		Object.defineProperty(navigator, 'hardwareConcurrency', {value: 16});
		const made = [];
		globalThis.Worker = class {
			asked = [];
			constructor() { made.push(this); }
			postMessage({id}) { this.asked.push(id); }
			terminate() {}
		};
		const workers = new Workers();
		const all = workers.askAll(5, 'opens', {});
		for (const worker of made.slice(0, 3)) {
			worker.onmessage({data: {}}); // it works
			await null;
			await null;
		}
		await new Promise((resolve) => { setTimeout(resolve); });
		for (const {onmessage, asked} of made.slice(0, 3)) asked.splice(0).forEach((id) => onmessage({data: {id}}));
		await new Promise((resolve) => { setTimeout(resolve); });
		for (let i = 0; i < 8; i++) workers.askAny(5, 'part', {});
		await new Promise((resolve) => { setTimeout(resolve); });
		return made.map(({asked}) => asked.length).filter((tasks) => tasks > 0);
	})()`))
}
