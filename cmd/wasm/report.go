//go:build js

package main

import (
	"quire/cmd/wasm/port"
	"quire/engine"
)

// result is a stream's end.
type result struct {
	engine.Result
	Error *port.Failure `json:"error,omitempty"`
}

func resultOf(r engine.Result) result {
	out := result{Result: r}
	if r.Err != nil {
		out.Error = failureOf(r.Err)
	}
	return out
}
