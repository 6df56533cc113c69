// Package loader has several models answer calls from one memory: each is loaded when somebody asks for it, and goes when nobody has
// for a while, or when others need its room.
package loader

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"quire/engine/openai"
)

// Model is a loaded model.
type Model interface {
	openai.Engine
	Memory() uint64 // bytes on the GPU
	Close() error
}

// Entry is a model that may be loaded.
type Entry struct {
	Name string
	// Need is how many bytes it will have on the GPU, about; 0 where that is not known.
	Need uint64
	Info openai.ModelInfo
	Open func(ctx context.Context) (Model, error)
}

// Options say how many models are loaded at once.
type Options struct {
	Memory uint64        // bytes on the GPU for all models; 0: as many as there are
	Keep   time.Duration // for which a model that nobody uses stays; 0: until others need its room
	// Patience is how long who needs room waits for models to be out of use by chance: then those take nobody new until they have made
	// room. 0: DefaultPatience.
	Patience time.Duration
	Full     func(error) bool                     // says of an error that there was not enough memory; nil: of none
	Tell     func(event, model string, err error) // of "loaded", "unloaded" and "failed"; nil: nobody
}

// DefaultPatience is what Options without one mean.
const DefaultPatience = 10 * time.Second

// Loader is the models. It implements openai.Models.
type Loader struct {
	options Options

	mu      sync.Mutex
	slots   []*slot       // in the order they were given
	changed chan struct{} // closed, and made anew, when a slot's state changes
	closed  bool
	busy    sync.WaitGroup  // loads, and models being closed
	ctx     context.Context // of loads
	cancel  func()
}

// slot is a model, loaded or not.
type slot struct {
	Entry
	model   Model
	loading bool
	leaving bool  // it is being closed
	tries   int   // loads that have ended
	err     error // of the last
	uses    int
	wanted  int       // by who waits for it to be loaded
	giving  int       // of them, who wait because it is loaded and must make room
	needy   time.Time // since when it has waited for room; zero: it does not
	keep    time.Duration
	last    time.Time // it was used
	timer   *time.Timer
}

// New makes a loader of models with different names, of which none is loaded.
func New(entries []Entry, o Options) (*Loader, error) {
	if o.Full == nil {
		o.Full = func(error) bool { return false }
	}
	if o.Tell == nil {
		o.Tell = func(string, string, error) {}
	}
	l := &Loader{changed: make(chan struct{})}
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	if o.Keep == 0 {
		o.Keep = -1
	}
	l.options = o
	l.ctx, l.cancel = context.WithCancel(context.Background())
	for _, e := range entries {
		if l.find(e.Name) != nil {
			return nil, fmt.Errorf("two models have the name %q", e.Name)
		}
		l.slots = append(l.slots, &slot{Entry: e, keep: o.Keep})
	}
	return l, nil
}

func (l *Loader) find(name string) *slot {
	for _, s := range l.slots {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// List implements openai.Models.
func (l *Loader) List(context.Context) (all []openai.ModelInfo) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.slots {
		info := s.Info
		info.ID = s.Name
		if info.Loaded = s.model != nil; info.Loaded {
			info.Context = s.model.About().Context
		}
		all = append(all, info)
	}
	return all
}

// Take implements openai.Models: it waits until the model is loaded, and for room if need be.
func (l *Loader) Take(ctx context.Context, name string) (openai.Engine, func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.find(name)
	if name == "" && len(l.slots) > 0 {
		s = l.slots[0]
	}
	if s == nil {
		return nil, nil, openai.UnknownModel(name)
	}
	came := time.Now()
	s.wanted++
	defer func() {
		if s.wanted--; s.wanted == 0 && !s.needy.IsZero() {
			s.needy = time.Time{}
			l.tell()
		}
		l.rest(s)
	}()
	for tries := s.tries; ; {
		gives := false
		switch {
		case l.closed:
			return nil, nil, errClosed
		case s.model != nil && !s.leaving:
			if gives = l.gives(s, came, l.options.Patience); !gives {
				return s.model, l.use(s), nil
			}
		case !s.loading && s.tries > tries && s.err != nil:
			return nil, nil, s.err
		case !s.loading && !s.leaving && !l.gives(s, came, 0):
			if err := l.begin(s); err != nil {
				return nil, nil, err
			}
		}
		if gives {
			s.giving++
		}
		err := l.wait(ctx)
		if gives {
			s.giving--
		}
		if err != nil {
			return nil, nil, err
		}
	}
}

var errClosed = &openai.Error{Status: 503, Type: "unavailable_error", Code: "shutting_down", Message: "The server is shutting down."}

// wait waits for a change of any model. The lock is held before and after.
func (l *Loader) wait(ctx context.Context) error {
	changed := l.changed
	l.mu.Unlock()
	defer l.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tell wakes those who wait. The lock is held.
func (l *Loader) tell() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// use counts a use of a loaded model, until what it gives is called. The lock is held.
func (l *Loader) use(s *slot) (release func()) {
	s.uses++
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		s.uses--
		s.last = time.Now()
		l.rest(s)
		l.tell() // there may be room now
	})
}

// rest has a model that nobody uses unloaded after a while. The lock is held.
func (l *Loader) rest(s *slot) {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if s.uses+s.wanted > 0 || s.model == nil || s.leaving || s.keep < 0 {
		return
	}
	if s.keep == 0 {
		l.unload(s)
		return
	}
	s.timer = time.AfterFunc(s.keep, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if s.uses == 0 && s.model != nil && !s.leaving && !time.Now().Before(s.last.Add(s.keep)) {
			l.unload(s)
		}
	})
}

// unload closes a model that nobody uses. What was said of how long it stays ends with it. The lock is held.
func (l *Loader) unload(s *slot) {
	s.leaving, s.keep = true, l.options.Keep
	model := s.model
	l.busy.Go(func() {
		err := model.Close()
		l.options.Tell("unloaded", s.Name, err)
		l.mu.Lock()
		defer l.mu.Unlock()
		s.model, s.leaving = nil, false
		l.tell()
	})
}

// Load loads a model, and leaves it.
func (l *Loader) Load(ctx context.Context, name string) error {
	_, release, err := l.Take(ctx, name)
	if err == nil {
		release()
	}
	return err
}

// Keep says how long a model stays when nobody uses it: below 0 until others need its room, 0 not at all.
func (l *Loader) Keep(name string, how time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.find(name); s != nil {
		s.keep = how
		l.rest(s)
	}
}

// State is a model's.
type State struct {
	Name    string
	Model   Model     // nil: not loaded
	Expires time.Time // when it goes unless somebody uses it; zero: not by itself
}

// States gives all models in order.
func (l *Loader) States() (all []State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.slots {
		state := State{Name: s.Name, Model: s.model}
		if s.leaving {
			state.Model = nil
		}
		if s.timer != nil {
			state.Expires = s.last.Add(s.keep)
		}
		all = append(all, state)
	}
	return all
}

// Close lets all models go, and refuses whoever asks for one. Those in use end with an error.
func (l *Loader) Close() error {
	l.mu.Lock()
	l.closed = true
	l.cancel()
	var all []Model
	for _, s := range l.slots {
		if s.timer != nil {
			s.timer.Stop()
		}
		if s.model != nil && !s.leaving {
			s.leaving = true
			all = append(all, s.model)
		}
	}
	l.tell()
	l.mu.Unlock()
	var err error
	for _, m := range all {
		err = errors.Join(err, m.Close())
	}
	l.busy.Wait()
	return err
}
