//go:build js

package main

import (
	"context"
	"syscall/js"

	"quire/cmd/wasm/port"
	"quire/engine/attention"
	"quire/engine/bench/attend"
	"quire/engine/gpu"
)

type tuneProgress struct {
	Stage string `json:"stage"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
}

// tune measures attention's tiles; the answer holds what the page is to remember from now on.
func (b bench) tune(id int, argument string) error {
	var a struct {
		Adapter    string `json:"adapter"`
		Quick      bool   `json:"quick"`
		Remembered string `json:"remembered"`
	}
	if err := port.Decode(argument, &a); err != nil {
		return err
	}
	go func() {
		tuned, err := attend.Tune(context.Background(), gpu.Options{Adapter: a.Adapter}, a.Quick, func(p attend.Progress) {
			b.Answer("progress", id, tuneProgress{p.Stage, p.Done, p.Total}, js.Null())
		})
		if err != nil {
			b.Fail(id, err)
			return
		}
		b.Answer("done", id, struct {
			Adapter  string           `json:"adapter"`
			Tried    []attend.Tried   `json:"tried"`
			Best     []attention.Best `json:"best"`
			Remember string           `json:"remember"`
		}{tuned.Adapter, tuned.Tried, tuned.Tuning.Tiles, string(port.Tunings(a.Remembered).With(tuned.Tuning).Text())}, js.Null())
	}()
	return nil
}
