package gpu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall/js"
	"unsafe"
)

// host is web/gpu.js, the one object that Go talks to. Calls of every step take their operands from mail, words that
// JavaScript reads in wasm memory, so that they allocate nothing; what takes time answers through notify.
type host struct {
	object               js.Value
	submit, take, upload js.Value
	notify               js.Func

	mailMu sync.Mutex
	mail   *[8]uint32

	mu      sync.Mutex
	pending map[int32]func(kind int, value js.Value)
	token   int32
	devices map[int32]*jsBackend
}

// What notify says of a token, and of a device.
const (
	answerDone = iota
	answerFailed
	answerOutOfMemory
	answerShader
	answerSource
)
const (
	deviceLost = iota
	deviceUncaptured
	deviceMapped
	deviceBroken
)

var theHost = sync.OnceValues(func() (*host, error) {
	object := js.Global().Get("quireGPU")
	if object.IsUndefined() || !object.Get("memory").Truthy() {
		return nil, fmt.Errorf("%w: globalThis.quireGPU is missing: import gpu.js and call quireGPU.attach(instance.exports.mem) before the program runs", ErrNoAdapter)
	}
	h := &host{object: object, mail: new([8]uint32), pending: map[int32]func(int, js.Value){}, devices: map[int32]*jsBackend{}}
	h.submit, h.take, h.upload = object.Get("submit"), object.Get("take"), object.Get("upload")
	h.notify = js.FuncOf(h.notified)
	object.Call("connect", address(h.mail[:]), h.notify)
	return h, nil
})

// address is where JavaScript finds words in wasm memory. The slice must be kept alive while it is used.
func address[T any](words []T) uint32 {
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(words))))
}

// notified is called by JavaScript, never inside a call from Go. It must not block.
func (h *host) notified(_ js.Value, args []js.Value) any {
	target, kind, value := int32(args[0].Int()), args[1].Int(), args[2]
	if target < 0 {
		h.mu.Lock()
		b := h.devices[-target]
		h.mu.Unlock()
		if b != nil {
			b.notified(kind, value)
		}
		return nil
	}
	h.mu.Lock()
	done := h.pending[target]
	delete(h.pending, target)
	h.mu.Unlock()
	if done != nil {
		done(kind, value)
	}
	return nil
}

// expect registers what to do with an answer and returns its token.
func (h *host) expect(done func(kind int, value js.Value)) int32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.token = h.token%(1<<30) + 1
	h.pending[h.token] = done
	return h.token
}

// cancel takes back a token; it reports whether its answer had not come yet.
func (h *host) cancel(token int32) (func(int, js.Value), bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	done, ok := h.pending[token]
	delete(h.pending, token)
	return done, ok
}

type answer struct {
	kind  int
	value js.Value
}

// errGone says that gone was closed before the answer came; callers say what that means.
var errGone = errors.New("gone")

// await calls start with a token and waits for its answer, until ctx ends or gone is closed.
func (h *host) await(ctx context.Context, gone <-chan struct{}, start func(token int32)) (js.Value, error) {
	answers := make(chan answer, 1)
	token := h.expect(func(kind int, value js.Value) { answers <- answer{kind, value} })
	start(token)
	select {
	case a := <-answers:
		return a.value, a.err()
	case <-ctx.Done():
		h.cancel(token)
		return js.Undefined(), ctx.Err()
	case <-gone:
		h.cancel(token)
		return js.Undefined(), errGone
	}
}

// err is the answer's error, if it is one.
func (a answer) err() error {
	switch a.kind {
	case answerDone:
		return nil
	case answerOutOfMemory:
		return fmt.Errorf("%w: %s", ErrOutOfMemory, a.value.String())
	case answerShader:
		return &compileError{line: a.value.Get("line").Int(), message: a.value.Get("message").String()}
	case answerSource:
		return sourceError(a.value)
	default:
		return errors.New(a.value.String())
	}
}

// call makes one of the calls of a step: submit, take or upload. The caller keeps alive what the operands point to.
func (h *host) call(f js.Value, operands ...uint32) (int, error) {
	h.mailMu.Lock()
	defer h.mailMu.Unlock()
	copy(h.mail[:], operands)
	result := f.Invoke().Int()
	if result < 0 {
		return 0, errors.New(h.object.Get("message").String())
	}
	return result, nil
}
