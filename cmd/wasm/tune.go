//go:build js

package main

import (
	"context"
	"fmt"
	"syscall/js"

	"quire/engine/attention"
	"quire/engine/bench/attend"
	"quire/engine/gpu"
)

// tunings reads what the page remembers. What cannot be read is told and passed over.
func tunings(text string) attention.Tunings {
	if text == "" {
		return nil
	}
	t, err := attention.ParseTunings([]byte(text))
	if err != nil {
		js.Global().Get("console").Call("warn", fmt.Sprintf("quire: remembered tiles are passed over: %v", err))
	}
	return t
}

// tune measures attention's tiles, which needs no model; the answer holds what the page is to remember from now on. Whoever
// wants to stop it ends the worker.
func (b *bridge) tune(id int, argument string) error {
	var a struct {
		Adapter    string `json:"adapter"`
		Quick      bool   `json:"quick"`
		Remembered string `json:"remembered"`
	}
	if err := decode(argument, &a); err != nil {
		return err
	}
	go func() {
		tuned, err := attend.Tune(context.Background(), gpu.Options{Adapter: a.Adapter}, a.Quick, func(p attend.Progress) {
			b.answer("progress", id, progress{p.Stage, int64(p.Done), int64(p.Total)}, js.Null())
		})
		if err != nil {
			b.fail(id, err)
			return
		}
		b.answer("done", id, struct {
			Adapter  string           `json:"adapter"`
			Tried    []attend.Tried   `json:"tried"`
			Best     []attention.Best `json:"best"`
			Remember string           `json:"remember"`
		}{tuned.Adapter, tuned.Tried, tuned.Tuning.Tiles, string(tunings(a.Remembered).With(tuned.Tuning).Text())}, js.Null())
	}()
	return nil
}
