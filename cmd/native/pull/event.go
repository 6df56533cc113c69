package pull

import (
	"fmt"
	"sync"
	"time"
)

// Stage is what is being done.
type Stage string

// The stages, by the names that --json shows.
const (
	Resolving Stage = "resolving"
	Waiting   Stage = "waiting" // for another process that pulls the same
	Loading   Stage = "downloading"
	Retrying  Stage = "retrying"
	Instead   Stage = "cached" // another model of the cache is taken, for want of a network
	Done      Stage = "done"
)

// Event is how far a pull has come.
type Event struct {
	Stage  Stage
	Name   string
	Done   int64 // bytes that are there
	Total  int64
	Speed  float64       // bytes a second, lately; 0: not known yet
	Left   time.Duration // until the end; 0: not known
	Reason string        // of Retrying and Instead
	Wait   time.Duration // of Retrying
}

func (p *Puller) tell(e Event) {
	if p.options.Told == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.options.Told(e)
}

const (
	tellEvery = 100 * time.Millisecond
	lately    = 5 * time.Second // that speed is measured over
)

// meter measures how fast a pull goes, and tells.
type meter struct {
	name string
	tell func(Event)

	mu    sync.Mutex
	total int64
	done  int64
	came  int64 // of done, now
	past  []reading
	over  chan struct{}
	ended sync.WaitGroup
}

// reading is how much had come at a time.
type reading struct {
	at   time.Time
	came int64
}

func newMeter(name string, total int64, tell func(Event)) *meter {
	m := &meter{name: name, tell: tell, total: total, over: make(chan struct{}), past: []reading{{at: time.Now()}}}
	m.ended.Go(func() {
		tick := time.NewTicker(tellEvery)
		defer tick.Stop()
		told := false
		for {
			select {
			case now := <-tick.C:
				if e := m.read(now); e.Total > 0 {
					m.tell(e)
					told = true
				}
			case <-m.over:
				if e := m.read(time.Now()); e.Total > 0 && !told { // it took less than a tick
					m.tell(e)
				}
				return
			}
		}
	})
	return m
}

func (m *meter) stop() {
	close(m.over)
	m.ended.Wait()
}

// expect corrects the total where a file's size was not known, or is another.
func (m *meter) expect(size, said int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total += size - max(said, 0)
}

// had counts bytes that need not come.
func (m *meter) had(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done += bytes
	m.total = max(m.total, m.done)
}

func (m *meter) arrived(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done += bytes
	m.came += bytes
}

// read gives what is known at a time.
func (m *meter) read(now time.Time) Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.past = append(m.past, reading{now, m.came})
	for len(m.past) > 2 && now.Sub(m.past[1].at) >= lately {
		m.past = m.past[1:]
	}
	e := Event{Stage: Loading, Name: m.name, Done: m.done, Total: m.total}
	if span := now.Sub(m.past[0].at); span > 0 {
		e.Speed = float64(m.came-m.past[0].came) / span.Seconds()
	}
	if e.Speed > 0 {
		e.Left = time.Duration(float64(m.total-m.done) / e.Speed * float64(time.Second))
	}
	return e
}

// Size writes a number of bytes in binary units.
func Size(n int64) string {
	for _, unit := range []struct {
		name  string
		bytes float64
		form  string
	}{{"GiB", 1 << 30, "%.2f %s"}, {"MiB", 1 << 20, "%.1f %s"}, {"KiB", 1 << 10, "%.1f %s"}} {
		if float64(n) >= unit.bytes {
			return fmt.Sprintf(unit.form, float64(n)/unit.bytes, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
