//go:build !js

package browser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A worker that closed one engine may get another, whose calls have the same numbers.
func TestClosedWorkerTellsAll(t *testing.T) {
	site := serve(t)
	p := newTab(t, site+"/empty.html", "")
	assert.Equal(t, []string{"done", "done", "chunks"}, get[[]string](p, `new Promise((resolve) => {
		const script = [
			"await import('" + location.origin + "/worker.js');",
			"globalThis.quireCall = (method, id) => {",
			"  quirePost('done', id, '{}');",
			"  quirePost('chunks', 0, '[]');",
			"};",
			"quirePost('ready');",
		].join('\n');
		const worker = new Worker(URL.createObjectURL(new Blob([script], {type: 'text/javascript'})), {type: 'module'});
		const kinds = [];
		worker.onmessage = ({data: {kind}}) => {
			if (kind === 'listening') {
				worker.postMessage({method: 'close', id: 7});
				return;
			}
			kinds.push(kind);
			if (kinds.length === 1) worker.postMessage({method: 'submit', id: 7});
			if (kind === 'chunks' && kinds.filter((k) => k === 'done').length === 2) resolve(kinds);
		};
	})`))
	p.quiet()
}
