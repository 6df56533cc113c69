//go:build js

package main

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"

	"quire/engine"
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

// measureAttention runs the attention benchmark, which needs no model. Whoever wants to stop it ends the worker.
func (b *bridge) measureAttention(id int, argument string) error {
	var a struct {
		Adapter string      `json:"adapter"`
		Plan    attend.Plan `json:"plan"`
	}
	if err := decode(argument, &a); err != nil {
		return err
	}
	go func() {
		report, err := attend.Run(context.Background(), gpu.Options{Adapter: a.Adapter}, a.Plan, func(p attend.Progress) {
			message := attentionProgress{Stage: p.Stage, Done: p.Done, Total: p.Total}
			if p.Report != nil {
				message.attentionReport = &attentionReport{p.Report, orEmpty(p.Report.Charts())}
			}
			b.answer("progress", id, message, js.Null())
		})
		if errors.Is(err, attend.ErrPlan) {
			err = fmt.Errorf("%w: %w", engine.ErrBadRequest, err)
		}
		if err != nil {
			b.fail(id, err)
			return
		}
		b.answer("done", id, attentionReport{report, orEmpty(report.Charts())}, js.Null())
	}()
	return nil
}
