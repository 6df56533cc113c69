package generation

import "time"

// clock takes a request's times.
type clock struct{ submitted, first, last time.Time }

func (c *clock) token(now time.Time) {
	if c.first.IsZero() {
		c.first = now
	}
	c.last = now
}

// figures fills in the times of a request that generated n tokens, none for an embedding.
func (c *clock) figures(f *Figures, n int) {
	f.GeneratedTokens = n
	if c.first.IsZero() {
		return
	}
	f.TimeToFirst = Duration{Duration: c.first.Sub(c.submitted)}
	if s := f.TimeToFirst.Seconds(); s > 0 {
		f.PromptPerSecond = float64(f.PromptTokens) / s
	}
	if s := c.last.Sub(c.first).Seconds(); n > 1 && s > 0 {
		f.DecodePerSecond = float64(n-1) / s
	}
}
