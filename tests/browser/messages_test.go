//go:build !js

package browser

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/tests/tiny"
)

// TestMessagesOfThePage: what a template shows of messages is what the page gave: tool call arguments in their order, integers as
// integers, and no content where there is none.
func TestMessagesOfThePage(t *testing.T) {
	model := tiny.Script(t, "messages", "{% for m in messages %}{{ m|tojson }}{{ m.content is defined }};{% endfor %}")
	elsewhere := host(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Write(model)
	}))
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, `{"role": "user", "content": "hi"}True;`+
		`{"role": "assistant", "content": null, "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": `+
		`{"zip": "x", "days": 3, "ratio": 1.5, "big": 100000, "alpha": true, "huge": 1180591620717411303424}}}]}True;`+
		`{"role": "tool", "name": "f"}False;`, get[string](p, `(async () => {
		const {Quire} = await import('/quire.js');
		const quire = await Quire.open({model: '`+elsewhere.URL+`/model.gguf', kvMemory: 4 << 20});
		const args = {zip: 'x', days: 3, ratio: 1.5, big: 100000, alpha: true, huge: 2n ** 70n};
		const call = {type: 'function', function: {name: 'f', arguments: args}};
		const {promptIds} = await quire.generate({messages: [{role: 'user', content: 'hi'},
			{role: 'assistant', content: null, tool_calls: [call]}, {role: 'tool', name: 'f'}], maxTokens: 1, temperature: 0, ignoreEnd: true}).result;
		const text = await quire.decode(promptIds, {special: true});
		await quire.close();
		return text;
	})()`))
}
