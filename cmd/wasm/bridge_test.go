//go:build js

package main

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/cmd/wasm/port"
	"quire/engine"
	"quire/engine/attention"
	"quire/engine/chat"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/hub"
	"quire/engine/json"
	"quire/engine/sample"
	"quire/engine/session"
	"quire/engine/tokenizer"
	"quire/engine/words"
	"quire/tests/tiny"
)

// What a conversation is cut to is asked for in words that are known, and of messages only.
func TestTruncationRefuses(t *testing.T) {
	for _, wrong := range []string{`{"messages": [], "truncation": "middle"}`, `{"prompt": "a", "truncation": "auto"}`, `{"ids": [1], "truncation": "auto"}`,
		`{"messages": [], "after": [1], "truncation": "auto"}`} {
		var r request
		require.NoError(t, port.Decode(wrong, &r))
		_, _, err := r.fit(nil)
		require.ErrorIs(t, err, engine.ErrBadRequest, wrong)
		assert.ErrorContains(t, err, "truncation is ", wrong)
	}
}

func TestFailureOf(t *testing.T) {
	for want, err := range map[string]error{
		"ErrNoAdapter":            gpu.ErrNoAdapter,
		"ErrDeviceLost":           gpu.ErrDeviceLost,
		"ErrOutOfMemory":          &gpu.MemoryError{Label: "KV cache"},
		"ErrUnsupportedModel":     engine.ErrUnsupportedModel,
		"ErrUnsupportedAdapter":   engine.ErrAdapter,
		"ErrUnsupportedTokenizer": tokenizer.ErrUnsupportedTokenizer,
		"FormatError":             &gguf.FormatError{Field: "magic"},
		"MetadataError":           &gguf.MetadataError{Key: "llama.block_count"},
		"ShaderError":             &gpu.ShaderError{Kernel: "matmul"},
		"ErrContextTooLong":       engine.ErrContextTooLong,
		"ErrQueueFull":            engine.ErrQueueFull,
		"SelfTestError":           &engine.SelfTestError{Kernel: "matmul"},
		"ErrTemplate":             &chat.Error{Reason: "no user"},
		"ErrSessionFormat":        &session.Error{Part: "magic", Err: session.ErrFormat},
		"ErrSessionDamaged":       &session.Error{Part: "block 3", Err: session.ErrDamaged},
		"ErrSessionModel":         &session.Error{Part: "header", Err: session.ErrModel},
		"ErrBadRequest":           engine.ErrBadRequest,
		"ErrClosed":               engine.ErrClosed,
		"Error":                   errors.New("anything else"),
	} {
		err = fmt.Errorf("opening: %w", err)
		assert.Equal(t, &port.Failure{Name: want, Message: words.Error(err)}, failureOf(err))
	}
	missing := hub.Status(404, "Not Found")
	missing.URL = "https://huggingface.co/org/repo/blob/main/a.gguf"
	assert.Equal(t, &port.Failure{Name: "ErrNotFound", Message: missing.URL + ": there is no such file (HTTP 404 Not Found). The address is of a page about the file. " +
		"The file itself is at https://huggingface.co/org/repo/resolve/main/a.gguf"}, failureOf(fmt.Errorf("gguf: read 8 bytes: %w", missing)))
	assert.Equal(t, "too many requests wait: try again later, or raise the queue limit", failureOf(engine.ErrQueueFull).Message, "no package is named")
}

func TestDecode(t *testing.T) {
	var r request
	require.NoError(t, port.Decode(`{"prompt": "", "seed": "18446744073709551615", "topK": 3, "stop": ["a"]}`, &r))
	require.NotNil(t, r.Prompt)
	assert.Equal(t, 3, r.TopK)
	assert.Equal(t, engine.StopTexts{"a"}, r.Stop)
	for _, wrong := range []string{`{"colour": 1}`, `{"topK": 1.5}`, `{} {}`, `{`, ``} {
		assert.ErrorIs(t, port.Decode(wrong, &r), engine.ErrBadRequest, wrong)
	}
}

// What is left of penalties is as the engine has it.
func TestPenalties(t *testing.T) {
	var r request
	require.NoError(t, port.Decode(`{"logitBias": {"5": -100, "7": 0.5}, "repetitionPenalty": 1.1, "presencePenalty": -2, "dry": {"multiplier": 0.8, "range": 9}}`, &r))
	var p sample.Params
	require.NoError(t, r.penalties(&p))
	want := sample.NewDRY(0.8)
	want.Range = 9
	assert.Equal(t, sample.Params{LogitBias: map[int32]float64{5: -100, 7: 0.5}, RepetitionPenalty: 1.1, DRY: want}, p)
	r, p = request{}, sample.Params{}
	require.NoError(t, port.Decode(`{"dry": {"multiplier": 1, "base": 2, "allowedLength": 0, "breakers": []}}`, &r))
	require.NoError(t, r.penalties(&p))
	assert.Equal(t, sample.DRY{Multiplier: 1, Base: 2, Breakers: []string{}}, p.DRY)
	for wrong, says := range map[string]string{`{"repetitionPenalty": 0}`: "repetitionPenalty is 0", `{"logitBias": {"x": 1}}`: `logitBias is "x"`} {
		var r request
		require.NoError(t, port.Decode(wrong, &r))
		assert.Contains(t, failureOf(fmt.Errorf("%w: %w", engine.ErrBadRequest, r.penalties(&p))).Message, says)
	}
}

// TestMessages: what a template sees of messages is what the page gave: keys in their order, integers, and no content where there is none.
func TestMessages(t *testing.T) {
	var r request
	require.NoError(t, port.Decode(`{"messages": [{"content": "hi", "role": "user"},
		{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"zip": "x", "days": 3, "ratio": 1.5, "whole": 2.0,
			"big": 100000, "huge": 1180591620717411303424, "alpha": true, "b": {"z": [1, {"y": 1, "x": 2}]}}}}]},
		{"role": "tool", "content": null}, {"role": "user", "content": [{"type": "text", "text": "A"}]}]}`, &r))
	messages, err := readMessages(r.Messages)
	require.NoError(t, err)
	template, err := chat.New("{% for m in messages %}{{ m|tojson }}{{ m.content is defined }}\n{% endfor %}", "", "")
	require.NoError(t, err)
	text, err := template.Render(messages, chat.Options{})
	require.NoError(t, err)
	assert.Equal(t, `{"content": "hi", "role": "user"}True
{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"zip": "x", "days": 3, "ratio": 1.5, "whole": 2.0, "big": 100000, "huge": 1180591620717411303424, "alpha": true, "b": {"z": [1, {"y": 1, "x": 2}]}}}}]}False
{"role": "tool", "content": null}True
{"role": "user", "content": [{"type": "text", "text": "A"}]}True
`, text)
	for _, wrong := range []string{`{}`, `{"role": 5}`, `"A"`, `null`, `[]`} {
		_, err := readMessages([]json.RawMessage{json.RawMessage(`{"role": "user"}`), json.RawMessage(wrong)})
		assert.ErrorIs(t, err, engine.ErrBadRequest, wrong)
		assert.ErrorContains(t, err, "message 1 ", wrong)
	}
}

func TestOpenOptions(t *testing.T) {
	var o openOptions
	require.NoError(t, port.Decode(`{"kvMemory": 5, "partialHits": true, "preemption": "swap", "swapMemory": 8589934592, "queueLimit": 3}`, &o))
	assert.Equal(t, engine.Options{KVMemory: 5, PartialHits: true, Preemption: "swap", SwapMemory: 8 << 30, QueueLimit: 3}, o.options())
	for wrong, says := range map[string]string{
		`{"swapMemory": -1}`: `field "swapMemory" is`, `{"queueLimit": 1.5}`: `field "queueLimit" is`, `{"preemption": 1}`: `field "preemption" is`,
		`{"adapter": 1}`: `field "adapter" is`, `{"profile": true}`: `unknown field "profile"`, `{"noPrefixCache": true}`: `unknown field "noPrefixCache"`,
	} {
		err := port.Decode(wrong, &o)
		assert.ErrorIs(t, err, engine.ErrBadRequest, wrong)
		assert.ErrorContains(t, err, says)
	}
}

// A page may remember anything; what cannot be read is told on the console and passed over.
func TestTunings(t *testing.T) {
	console := js.Global().Get("console")
	warn := console.Get("warn")
	defer console.Set("warn", warn)
	var told []string
	heard := js.FuncOf(func(_ js.Value, args []js.Value) any {
		told = append(told, args[0].String())
		return nil
	})
	defer heard.Release()
	console.Set("warn", heard)
	assert.Nil(t, port.Tunings(""))
	assert.Empty(t, told)
	assert.Nil(t, port.Tunings(`{"quire_tuning": 1`))
	require.Len(t, told, 1)
	assert.Contains(t, told[0], "passed over")
	text := string(attention.Tunings{{Adapter: "one"}}.Text())
	assert.Equal(t, "one", openOptions{Tuning: text}.options().Tunings[0].Adapter)
}

// posted records what a bridge says.
type posted struct {
	kind string
	id   int
	json string
}

func testBridge() (*bridge, *[]posted) {
	var said []posted
	return newBridge(&port.Port{Post: func(kind string, id int, json string, _ js.Value) { said = append(said, posted{kind, id, json}) }, Failure: failureOf}), &said
}

func TestCallWithoutModel(t *testing.T) {
	b, said := testBridge()
	for id, method := range []string{"submit", "ask", "flow", "cancel", "encode", "decode", "save", "restore", "stats", "close", "nothing"} {
		b.call(method, id, `{}`, js.Null())
		var f port.Failure
		require.Len(t, *said, id+1, method)
		last := (*said)[id]
		require.NoError(t, json.Unmarshal([]byte(last.json), &f))
		assert.Equal(t, posted{"failed", id, last.json}, last)
		assert.Equal(t, "ErrClosed", f.Name)
	}
	b.call("open", 13, `{"colour": 1}`, js.Null())
	assert.Contains(t, (*said)[11].json, `"ErrBadRequest"`)
	assert.False(t, b.opening, "a wrong call leaves the worker ready for a right one")
}

func TestOpenSource(t *testing.T) {
	_, err := openSource(context.Background(), "", js.Null())
	assert.ErrorIs(t, err, engine.ErrBadRequest)
	blob := js.Global().Get("Blob").New([]any{"12345"})
	source, err := openSource(context.Background(), "", blob)
	require.NoError(t, err)
	defer source.Close()
	assert.Equal(t, int64(5), source.Size())
}

// A model's files are given at once, in any order.
func TestOpenSourceOfSeveralFiles(t *testing.T) {
	whole := tiny.Model{}.Bytes(t)
	var files []any
	for no, data := range tiny.Split(t, whole, 3) {
		bytes := js.Global().Get("Uint8Array").New(len(data))
		js.CopyBytesToJS(bytes, data)
		files = append([]any{js.Global().Get("File").New([]any{bytes}, tiny.SplitName(no, 3))}, files...)
	}
	source, err := openSource(context.Background(), "", js.ValueOf(files))
	require.NoError(t, err)
	defer source.Close()
	header, err := gguf.Read(source, source.Size())
	require.NoError(t, err)
	assert.Len(t, header.Tensors, 20)
	_, err = openSource(context.Background(), "", files[1].(js.Value))
	assert.ErrorIs(t, err, engine.ErrBadRequest)
	assert.ErrorContains(t, err, "the model lies in 3 files, and model-00001-of-00003.gguf, model-00003-of-00003.gguf are missing: give all of them at once")
}

// What one landed step gives to many streams goes out as one message.
func TestOutboxSendsAStepAtOnce(t *testing.T) {
	const streams, steps = 5, 3
	sent := make(chan []message, streams*steps)
	o := newOutbox(func(m []message) { sent <- m })
	go o.run()
	var tokens [streams]chan int32
	for id := range tokens {
		tokens[id] = make(chan int32, 1)
		go func() {
			for token := range tokens[id] {
				o.add(id, engine.Chunk{Token: engine.Token{Candidate: engine.Candidate{ID: token}}, Text: "t"}, id == 0)
			}
		}()
	}
	for step := range int32(steps) {
		for _, stream := range tokens {
			stream <- step
		}
		messages := <-sent
		require.Len(t, messages, streams)
		for _, m := range messages {
			assert.Equal(t, "t", m.Text)
			assert.Equal(t, []int32{step}, m.IDs)
			assert.Equal(t, m.ID == 0, len(m.Tokens) == 1)
		}
	}
	assert.Empty(t, sent)
}

// A stream's last chunks and its end travel together.
func TestOutboxEnd(t *testing.T) {
	o := newOutbox(nil)
	o.add(1, engine.Chunk{Text: "a"}, false)
	o.add(2, engine.Chunk{Text: "x"}, false)
	o.add(1, engine.Chunk{Text: "b"}, false)
	o.add(1, engine.Chunk{Text: "y", Index: 1}, false)
	o.end(1, result{Result: engine.Result{Reason: engine.FinishStop}})
	o.end(3, result{Result: engine.Result{Reason: engine.FinishLength}})
	require.Len(t, o.messages, 4)
	assert.Equal(t, "ab", o.messages[0].Text)
	assert.Nil(t, o.messages[0].Result)
	assert.Nil(t, o.messages[1].Result)
	assert.Equal(t, message{ID: 1, Index: 1, Text: "y", IDs: []int32{0}, Result: o.messages[2].Result}, o.messages[2])
	assert.Equal(t, engine.FinishStop, o.messages[2].Result.Reason, "the end comes after every choice's last words")
	assert.Equal(t, engine.FinishLength, o.messages[3].Result.Reason)
}

func TestRequestChoices(t *testing.T) {
	var r request
	require.NoError(t, port.Decode(`{"ids": [1], "n": 2, "bestOf": 3}`, &r))
	q, err := r.request(nil)
	require.NoError(t, err)
	assert.Equal(t, 2, q.N)
	assert.Equal(t, 3, q.BestOf)
	assert.Nil(t, q.Beams)
	r = request{}
	require.NoError(t, port.Decode(`{"ids": [1], "minTokens": 2, "beams": {"width": 4, "lengthPenalty": -0.5, "earlyStopping": "never"}}`, &r))
	q, err = r.request(nil)
	require.NoError(t, err)
	assert.Equal(t, &engine.Beams{Width: 4, LengthPenalty: -0.5, EarlyStopping: engine.StopNever}, q.Beams)
	assert.Equal(t, 2, q.MinTokens)
	r.Beams.EarlyStopping = "soon"
	_, err = r.request(nil)
	assert.ErrorIs(t, err, engine.ErrBadRequest)
}

func TestPack(t *testing.T) {
	assert.Equal(t, []byte{0, 0, 0, 0, 0x2d, 1, 3, 0x80, 0, 0, 1, 0}, pack(nil, []engine.BlockState{
		{Owner: -1}, {Owner: 300, References: 3, Cached: true}, {Owner: -1, References: 1},
	}))
}

func TestResultOf(t *testing.T) {
	text, err := json.Marshal(resultOf(engine.Result{Reason: engine.FinishError, Err: engine.ErrClosed, IDs: []int32{}, Choices: []engine.Choice{}}))
	require.NoError(t, err)
	assert.JSONEq(t, `{"reason": "error", "error": {"name": "ErrClosed", "message": "the engine is closed"}, "ids": [], "text": "", "choices": [],
		"figures": {"promptTokens": 0, "cachedTokens": 0, "generatedTokens": 0, "draftedTokens": 0, "acceptedTokens": 0, "timeToFirst": 0, "promptPerSecond": 0, "decodePerSecond": 0, "blocks": 0}}`, string(text))
}
