package pull

import (
	"errors"
	"slices"
	"sync"
	"time"

	"quire/cmd/native/remote"
	"quire/engine/hub"
)

const (
	pieceSize = 256 << 10
	smallSpan = 4 << 20  // so that few requests are made
	largeSpan = 64 << 20 // so that spans come nearly in order
	saveEvery = time.Second
)

// download is a file that comes over several connections. Spans are taken in order, so that what is there from the start on can be
// added up while the rest comes.
type download struct {
	to      *partial
	adder   *adder
	arrived func(bytes int64)

	mu      sync.Mutex
	more    sync.Cond // a span has moved on, or an error has come
	waiting []span    // in order
	active  []*span
	size    int64
	err     error
}

func newDownload(to *partial, adder *adder, missing []span, connections int, smallest int64, arrived func(bytes int64)) *download {
	d := &download{to: to, adder: adder, size: to.note.Size, arrived: arrived}
	d.more.L = &d.mu
	long := min(max(d.size/int64(4*connections), smallest), largeSpan)
	for _, s := range missing {
		for s.at < s.end {
			cut := span{s.at, s.at + long}
			if cut.end+long/2 > s.end { // no request for a little rest
				cut.end = s.end
			}
			d.waiting = append(d.waiting, cut)
			s.at = cut.end
		}
	}
	return d
}

// run fetches what is missing over at most so many connections, of which first is one. stop ends them all.
func (d *download) run(first *remote.File, connections int, stop func()) error {
	var workers sync.WaitGroup
	alive := min(connections, max(1, len(d.waiting)))
	var busy error
	for i := range alive {
		from := first
		if i > 0 {
			from = first.Another()
			defer from.Close()
		}
		workers.Go(func() {
			err := d.work(from)
			d.mu.Lock()
			defer d.mu.Unlock()
			alive--
			switch {
			case err == nil:
			case alive > 0 && isKind(err, hub.Busy): // a server that allows fewer connections gets fewer
				busy = err
			case d.err == nil:
				d.err = err
				d.more.Broadcast()
				stop()
			}
		})
	}
	added := make(chan error, 1)
	go func() { added <- d.add() }()
	over := make(chan struct{})
	var saver sync.WaitGroup
	saver.Go(func() { d.saveUntil(over) })
	workers.Wait()
	d.mu.Lock()
	if len(d.waiting) > 0 && d.err == nil { // the last ones that were busy left it
		d.err = busy
	}
	d.mu.Unlock()
	d.more.Broadcast()
	err := <-added
	close(over)
	saver.Wait()
	if saved := d.save(); err == nil {
		err = saved
	}
	return err
}

// saveUntil notes again and again how far the file has come.
func (d *download) saveUntil(over <-chan struct{}) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.save() // what fails here fails at the end, too
		case <-over:
			return
		}
	}
}

// work reads spans until none is left.
func (d *download) work(from *remote.File) error {
	buf := make([]byte, pieceSize)
	for {
		s := d.take()
		if s == nil {
			return nil
		}
		from.Until(s.end)
		for s.at < s.end {
			n, err := from.ReadSome(buf[:min(int64(len(buf)), s.end-s.at)], s.at)
			if _, wrong := d.to.file.WriteAt(buf[:n], s.at); wrong != nil {
				n, err = 0, wrong
			}
			d.moved(s, int64(n))
			if err != nil {
				d.leave(s)
				return err
			}
		}
		d.leave(s)
	}
}

// take gives the next span. Where others have the last ones it waits: they may give one up.
func (d *download) take() *span {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.waiting) == 0 && len(d.active) > 0 && d.err == nil {
		d.more.Wait()
	}
	if len(d.waiting) == 0 || d.err != nil {
		return nil
	}
	s := d.waiting[0]
	d.waiting = d.waiting[1:]
	d.active = append(d.active, &s)
	return &s
}

func (d *download) moved(s *span, n int64) {
	d.mu.Lock()
	s.at += n
	d.mu.Unlock()
	d.more.Broadcast()
	d.arrived(n)
}

// leave takes a span from a worker. What of it has not come waits for another.
func (d *download) leave(s *span) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.active = slices.DeleteFunc(d.active, func(other *span) bool { return other == s })
	if s.at < s.end {
		d.waiting = slices.Insert(d.waiting, 0, *s)
	}
	d.more.Broadcast()
}

// missing is what has not come.
func (d *download) missing() []span {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := slices.Clone(d.waiting)
	for _, s := range d.active {
		all = append(all, *s)
	}
	return all
}

func (d *download) save() error { return d.to.save(d.missing()) }

// start is how far the file is there from its start on.
func (d *download) start() int64 {
	at := d.size
	for _, s := range d.waiting {
		at = min(at, s.at)
	}
	for _, s := range d.active {
		at = min(at, s.at)
	}
	return at
}

// add adds the file up as it comes.
func (d *download) add() error {
	buf := make([]byte, 1<<20)
	for at := int64(0); at < d.size; {
		d.mu.Lock()
		for d.err == nil && d.start() <= at {
			d.more.Wait()
		}
		to, err := d.start(), d.err
		d.mu.Unlock()
		if err != nil {
			return err
		}
		for at < to {
			n, err := d.to.file.ReadAt(buf[:min(int64(len(buf)), to-at)], at)
			if n == 0 && err != nil {
				return err
			}
			d.adder.Write(buf[:n])
			at += int64(n)
		}
	}
	return nil
}

// stream takes a file of a server without ranges, in order and from the start.
func stream(from *remote.File, adder *adder, arrived func(bytes int64)) error {
	buf := make([]byte, pieceSize)
	for at := int64(0); at < from.Size(); {
		n, err := from.ReadAt(buf[:min(int64(len(buf)), from.Size()-at)], at)
		if n == 0 && err != nil {
			return err
		}
		adder.Write(buf[:n])
		at += int64(n)
		arrived(int64(n))
	}
	return nil
}

// isKind reports whether an error is of the network, and of a kind.
func isKind(err error, kind hub.Kind) bool {
	var network *hub.Error
	return errors.As(err, &network) && network.Kind == kind
}
