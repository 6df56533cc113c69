//go:build js

// Command bench measures attention and tunes its tiles in a browser tab, which needs no model. It is called as package main of
// cmd/wasm is (see package port), by what few pages need, which therefore need not load it. Whoever wants to stop a
// measurement ends the worker.
package main

import (
	"fmt"
	"syscall/js"

	"quire/cmd/wasm/port"
	"quire/engine"
	"quire/engine/bench/attend"
)

type bench struct{ *port.Port }

func main() {
	b := bench{port.Open(failureOf)}
	b.Serve(b.call)
	select {}
}

func failureOf(err error) *port.Failure {
	return port.FailureOf(err, port.Name{Name: "ErrBadRequest", Is: port.Is(attend.ErrPlan)})
}

func (b bench) call(method string, id int, argument string, _ js.Value) {
	var err error
	switch method {
	case "tune":
		err = b.tune(id, argument)
	case "attention":
		err = b.attention(id, argument)
	default:
		err = fmt.Errorf("%w: no method %q", engine.ErrBadRequest, method)
	}
	if err != nil {
		b.Fail(id, err)
	}
}
