package engine

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"

	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/model"
)

// lora is an adapter that is loaded, at ranks of its own.
type lora struct {
	number  uint64
	adapter *model.Adapter
	source  gpu.Source
	first   int
	uses    int // by requests that have not finished
	dropped bool
}

// adapters are the engine's LoRA adapters.
type adapters struct {
	mu   sync.Mutex
	rank int     // there is room for
	all  []*lora // in order of their ranks, with those dropped that still run
	last uint64  // number
}

// LoRARank is the rank that an adapter's file takes of Options.LoRARank.
func LoRARank(src gpu.Source) (int, error) {
	f, err := gguf.Read(src, src.Size())
	if err != nil {
		return 0, err
	}
	return model.AdapterRank(f)
}

// AddLoRA loads a LoRA adapter in GGUF for requests that name its number, while others run. Options.LoRARank says how much room there
// is. The engine owns src, also when AddLoRA fails.
func (e *Engine) AddLoRA(src gpu.Source) (number uint64, err error) {
	l, err := e.newLoRA(src)
	if err != nil {
		src.Close()
		return 0, err
	}
	err = e.loop.CallReady(func() error {
		err := e.machine.Place(l.number, l.adapter, src, l.first)
		if err != nil && isLost(err) {
			e.loop.Fail(err)
		}
		return err
	})
	if err != nil {
		e.adapters.drop(l)
		return 0, err
	}
	return l.number, nil
}

// newLoRA reads an adapter and finds room for it.
func (e *Engine) newLoRA(src gpu.Source) (*lora, error) {
	f, err := gguf.Read(src, src.Size())
	if err != nil {
		return nil, err
	}
	if e.options.LoRARank == 0 {
		return nil, fmt.Errorf("%w: the model was opened without room for adapters: open it with LoRARank", ErrBadRequest)
	}
	ad, err := e.plan.NewAdapter(f)
	if err != nil {
		return nil, err
	}
	l := &lora{adapter: ad, source: src}
	return l, e.adapters.add(l)
}

// DropLoRA takes an adapter away from requests to come. Its room is free once those that run with it have finished.
func (e *Engine) DropLoRA(number uint64) error {
	a := &e.adapters
	a.mu.Lock()
	l := a.find(number)
	a.mu.Unlock()
	if l == nil {
		return unknownLoRA(number)
	}
	a.drop(l)
	return nil
}

// settle gives the room of dropped adapters back once nothing runs with them.
func (a *adapters) settle() {
	a.all = slices.DeleteFunc(a.all, func(l *lora) bool {
		gone := l.dropped && l.uses == 0
		if gone {
			l.source.Close()
		}
		return gone
	})
}

func unknownLoRA(number uint64) error {
	return fmt.Errorf("%w: no adapter %d is loaded", ErrBadRequest, number)
}

// add finds ranks for an adapter, and its number.
func (a *adapters) add(l *lora) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, free := 0, 0
	for i := 0; ; i++ {
		end := a.rank
		if i < len(a.all) {
			end = a.all[i].first
		}
		free += end - at
		if end-at >= l.adapter.Rank {
			a.last++
			l.number, l.first = a.last, at
			a.all = append(a.all, l)
			sort.SliceStable(a.all, func(i, j int) bool { return a.all[i].first < a.all[j].first })
			return nil
		}
		if i == len(a.all) {
			break
		}
		at = a.all[i].first + a.all[i].adapter.Rank
	}
	return fmt.Errorf("%w: the adapter has rank %d, and of the %d that there is room for %d are free: drop others, or open the model with a larger LoRARank",
		ErrBadRequest, l.adapter.Rank, a.rank, free)
}

// find finds an adapter that requests may name.
func (a *adapters) find(number uint64) *lora {
	for _, l := range a.all {
		if l.number == number && !l.dropped {
			return l
		}
	}
	return nil
}

func (a *adapters) drop(l *lora) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l.dropped = true
	a.settle()
}

// use holds on to a request's adapters until it calls what is given.
func (a *adapters) use(named []LoRA) (letGo func(), err error) {
	if len(named) == 0 {
		return func() {}, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var held []*lora
	for _, n := range named {
		l := a.find(n.Adapter)
		if l == nil {
			return nil, unknownLoRA(n.Adapter)
		}
		held = append(held, l)
	}
	return a.hold(held), nil
}

// hold keeps adapters' room until what it gives is called. The lock is held.
func (a *adapters) hold(held []*lora) (letGo func()) {
	for _, l := range held {
		l.uses++
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, l := range held {
			l.uses--
		}
		a.settle()
	}
}

// close closes the adapters' files.
func (a *adapters) close() (err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.all {
		err = errors.Join(err, l.source.Close())
	}
	a.all = nil
	return err
}

// each goes through the adapters that are loaded, of which none is closed meanwhile. f may wait: the tab's event loop may not, for a
// lock that is held as long.
func (a *adapters) each(f func(*lora) error) error {
	a.mu.Lock()
	all := slices.Clone(a.all)
	letGo := a.hold(all)
	a.mu.Unlock()
	defer letGo()
	for _, l := range all {
		if err := f(l); err != nil {
			return err
		}
	}
	return nil
}
