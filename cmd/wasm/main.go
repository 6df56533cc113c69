//go:build js

// Command wasm is Quire in a browser tab: it lets a worker's JavaScript (web/worker.js) drive package engine. See package port
// for how it is called. Before it runs, globalThis.quireGPU (web/gpu.js) must be attached.
package main

import "quire/cmd/wasm/port"

func main() {
	b := newBridge(port.Open(failureOf))
	b.Serve(b.call)
	go b.events.run()
	b.outbox.run()
}
