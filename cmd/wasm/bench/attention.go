//go:build js

package main

import (
	"context"
	"syscall/js"

	"quire/cmd/wasm/port"
	"quire/engine/bench/attend"
	"quire/engine/gpu"
)

// attentionProgress is what has begun, or what has been found so far.
type attentionProgress struct {
	Stage string `json:"stage"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
	*attentionReport
}

type attentionReport struct {
	Report *attend.Report `json:"report"`
	Charts []attend.Chart `json:"charts"`
}

// attention runs the attention benchmark.
func (b bench) attention(id int, argument string) error {
	var a struct {
		Adapter string      `json:"adapter"`
		Plan    attend.Plan `json:"plan"`
	}
	if err := port.Decode(argument, &a); err != nil {
		return err
	}
	go func() {
		report, err := attend.Run(context.Background(), gpu.Options{Adapter: a.Adapter}, a.Plan, func(p attend.Progress) {
			message := attentionProgress{Stage: p.Stage, Done: p.Done, Total: p.Total}
			if p.Report != nil {
				message.attentionReport = &attentionReport{p.Report, port.OrEmpty(p.Report.Charts())}
			}
			b.Answer("progress", id, message, js.Null())
		})
		if err != nil {
			b.Fail(id, err)
			return
		}
		b.Answer("done", id, attentionReport{report, port.OrEmpty(report.Charts())}, js.Null())
	}()
	return nil
}
