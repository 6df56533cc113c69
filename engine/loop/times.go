package loop

import "time"

// Times is where the loop's time went, in so many steps.
type Times struct {
	Steps    uint64
	Again    uint64        // draws that were made again, for the mask was wrong
	Schedule time.Duration // deciding what runs
	Submit   time.Duration // Runner.Submit and Draw
	Mask     time.Duration // saying which tokens grammars allow
	Wait     time.Duration // Runner.Land
	Give     time.Duration // tokens to their requests
}

// Times counts from its first call on; only for a Call.
func (l *Loop) Times() Times {
	if !l.timed {
		l.timed, l.lapped = true, time.Now()
	}
	return l.times
}

// lap counts the time since the last lap, which to nil nobody asks for.
func (l *Loop) lap(to *time.Duration) {
	if !l.timed {
		return
	}
	now := time.Now()
	if to != nil {
		*to += now.Sub(l.lapped)
	}
	l.lapped = now
}
