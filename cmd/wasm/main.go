//go:build js

// Command wasm is Quire in a browser tab: it lets a worker's JavaScript (web/worker.js) drive package engine.
//
// Before it runs, globalThis.quireGPU (web/gpu.js) must be attached and globalThis.quirePost be a function: it is called
// with (kind, id, JSON, a Uint8Array or null). The program sets globalThis.quireCall(method, id, JSON, blob), which never throws and returns
// nothing; each call is answered by one "done" or "failed" under its id.
package main

import "syscall/js"

func main() {
	post := js.Global().Get("quirePost")
	b := newBridge(func(kind string, id int, json string, bytes js.Value) { post.Invoke(kind, id, json, bytes) })
	js.Global().Set("quireCall", js.FuncOf(func(_ js.Value, args []js.Value) any {
		b.call(args[0].String(), args[1].Int(), args[2].String(), args[3])
		return nil
	}))
	b.answer("ready", 0, struct{}{}, js.Null())
	b.outbox.run()
}
