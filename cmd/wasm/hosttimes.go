//go:build js

package main

import (
	"syscall/js"
	"time"

	"quire/engine"
)

// hostTimes is engine.HostTimes in milliseconds.
type hostTimes struct {
	Steps    uint64  `json:"steps"`
	Schedule float64 `json:"schedule"`
	Build    float64 `json:"build"`
	Bridge   float64 `json:"bridge"`
	Encode   float64 `json:"encode"`
	Mask     float64 `json:"mask"`
	Wait     float64 `json:"wait"`
	Give     float64 `json:"give"`
}

// hostTimes answers with where the time of steps has gone.
func (b *bridge) hostTimes(id int, e *engine.Engine) {
	t, err := e.HostTimes()
	if err != nil {
		b.Fail(id, err)
		return
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.Answer("done", id, hostTimes{
		Steps: t.Steps, Schedule: ms(t.Schedule), Build: ms(t.Build), Bridge: ms(t.Bridge), Encode: ms(t.Encode), Mask: ms(t.Mask),
		Wait: ms(t.Wait), Give: ms(t.Give),
	}, js.Null())
}
