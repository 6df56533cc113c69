package loader

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"quire/engine/openai"
)

// gives reports whether who came for a model must let another be loaded first, which has waited for room for longer, and for long
// enough: else a model that is always in use would keep others out for ever. The lock is held.
func (l *Loader) gives(s *slot, came time.Time, patience time.Duration) bool {
	if !s.needy.IsZero() {
		came = s.needy
	}
	return slices.ContainsFunc(l.slots, func(o *slot) bool {
		return o != s && !o.needy.IsZero() && o.needy.Before(came) && time.Since(o.needy) >= patience
	})
}

// begin loads a model where there is room, or has another make room. Who called waits for a change. The lock is held.
func (l *Loader) begin(s *slot) error {
	if l.options.Memory > 0 {
		if s.Need > l.options.Memory {
			return tooLarge(s.Name, s.Need, l.options.Memory)
		}
		if used := l.used(); used > 0 && used+s.Need > l.options.Memory {
			if s.needy.IsZero() {
				s.needy = time.Now()
			}
			l.makeRoom()
			return nil
		}
	}
	s.loading, s.needy = true, time.Time{}
	l.busy.Go(func() { l.load(s) })
	return nil
}

// used is the memory of the models that are loaded or will be. The lock is held.
func (l *Loader) used() (bytes uint64) {
	for _, s := range l.slots {
		switch {
		case s.model != nil:
			bytes += s.model.Memory()
		case s.loading:
			bytes += s.Need
		}
	}
	return bytes
}

// makeRoom unloads the model that has not been used for longest; false where there is none that nobody uses. The lock is held.
func (l *Loader) makeRoom() bool {
	if slices.ContainsFunc(l.slots, func(s *slot) bool { return s.leaving }) { // that may be enough
		return true
	}
	idle := slices.DeleteFunc(slices.Clone(l.slots), func(s *slot) bool { return s.model == nil || s.uses+s.wanted-s.giving > 0 })
	if len(idle) == 0 {
		return false
	}
	l.unload(slices.MinFunc(idle, func(a, b *slot) int { return cmp.Or(a.last.Compare(b.last), cmp.Compare(a.Name, b.Name)) }))
	return true
}

// load opens a model, and where the GPU has not enough memory, again after others have gone.
func (l *Loader) load(s *slot) {
	var model Model
	var err error
	for {
		if model, err = s.Open(l.ctx); err == nil || !l.options.Full(err) {
			break
		}
		l.mu.Lock()
		more := l.makeRoom()
		if more {
			more = l.wait(l.ctx) == nil
		} else if slices.ContainsFunc(l.slots, func(o *slot) bool { return o.model != nil }) {
			err = openai.Busy("no_room", fmt.Sprintf("The models in use leave no room on the GPU for %q: try again later.", s.Name))
		}
		l.mu.Unlock()
		if !more {
			break
		}
	}
	if err == nil && l.options.Memory > 0 && model.Memory() > l.options.Memory {
		err = tooLarge(s.Name, model.Memory(), l.options.Memory)
		model.Close()
	}
	l.mu.Lock()
	if err == nil && !l.fits(s, model) {
		l.mu.Unlock()
		model.Close()
		l.mu.Lock()
		s.loading = false
		l.tell()
		l.mu.Unlock()
		return
	}
	if err == nil && l.closed {
		err = errClosed
		defer model.Close()
	}
	s.loading, s.err, s.last = false, err, time.Now()
	s.tries++
	if err == nil {
		s.model = model
		l.rest(s)
	}
	l.tell()
	l.mu.Unlock()
	switch {
	case err == nil:
		l.options.Tell("loaded", s.Name, nil)
	case l.ctx.Err() == nil: // else it failed because all models go
		l.options.Tell("failed", s.Name, err)
	}
}

// fits makes room for what a loaded model has beyond what was thought it needs; false where others are in use: then it is loaded again
// when there is room, which is known to be more by then. The lock is held.
func (l *Loader) fits(s *slot, model Model) bool {
	s.Need = model.Memory()
	for l.options.Memory > 0 && l.used() > l.options.Memory {
		if !l.makeRoom() {
			return false
		}
		if l.wait(l.ctx) != nil {
			return true // all go
		}
	}
	return true
}

func tooLarge(name string, need, memory uint64) error {
	return &openai.Error{Status: 507, Type: "server_error", Code: "model_too_large",
		Message: fmt.Sprintf("The model %q needs about %d MiB on the GPU, and all models together may have %d MiB.", name, need>>20, memory>>20)}
}
