//go:build !js

package browser

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
)

// withTemplate gives the built-in model with another chat template.
func withTemplate(t *testing.T, template string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dist, "quire-tales.gguf"))
	require.NoError(t, err)
	source := bytes.NewReader(data)
	f, err := gguf.Read(source, int64(len(data)))
	require.NoError(t, err)
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	w.Metadata = f.Metadata
	w.Metadata.Set("tokenizer.chat_template", template)
	for _, tensor := range f.Tensors {
		require.NoError(t, w.Declare(tensor.Name, tensor.Type, tensor.Shape...))
	}
	for _, tensor := range f.Tensors {
		require.NoError(t, w.WriteTensor(io.NewSectionReader(source, tensor.Offset, tensor.Bytes)))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// TestMessagesOfThePage: what a template shows of messages is what the page gave: tool call arguments in their order, integers as
// integers, and no content where there is none.
func TestMessagesOfThePage(t *testing.T) {
	model := withTemplate(t, "{% for m in messages %}{{ m|tojson }}{{ m.content is defined }};{% endfor %}")
	elsewhere := host(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Write(model)
	}))
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, `<|endoftext|>{"role": "user", "content": "hi"}True;`+
		`{"role": "assistant", "content": null, "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": `+
		`{"zip": "x", "days": 3, "ratio": 1.5, "big": 100000, "alpha": true, "huge": 1180591620717411303424}}}]}True;`+
		`{"role": "tool", "name": "f"}False;`, get[string](p, `(async () => {
		const {Quire} = await import('/quire.js');
		const quire = await Quire.open({model: '`+elsewhere.URL+`/model.gguf', kvMemory: 16 << 20});
		const args = {zip: 'x', days: 3, ratio: 1.5, big: 100000, alpha: true, huge: 2n ** 70n};
		const call = {type: 'function', function: {name: 'f', arguments: args}};
		const {promptIds} = await quire.generate({messages: [{role: 'user', content: 'hi'},
			{role: 'assistant', content: null, tool_calls: [call]}, {role: 'tool', name: 'f'}], maxTokens: 1, temperature: 0, ignoreEnd: true}).result;
		const text = await quire.decode(promptIds, {special: true});
		await quire.close();
		return text;
	})()`))
}
