package pull

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"quire/cmd/native/remote"
	"quire/engine/hub"
)

// Options change how models are pulled; the zero value is a good default.
type Options struct {
	Connections int            // to a server at once; 0: 4
	Agent       string         // what servers are told that asks
	Network     remote.Options // how often and how long is tried; its Client and Into are not read

	// Told, if set, hears of what is done. It may be called from any goroutine, one at a time.
	Told func(Event)
}

const defaultConnections = 4

// Puller pulls models into a cache.
type Puller struct {
	Cache    *Cache
	hub      Endpoint
	options  Options
	client   *http.Client
	room     func(folder string) int64
	smallest int64 // of the spans that a connection takes at once

	mu sync.Mutex // one Event is told at a time
}

// New makes a Puller of the environment's hub and cache.
func New(o Options) (*Puller, error) {
	e, err := FromEnvironment()
	if err != nil {
		return nil, err
	}
	cache, err := OpenCache()
	if err != nil {
		return nil, err
	}
	if o.Connections == 0 {
		o.Connections = defaultConnections
	}
	if o.Agent == "" {
		o.Agent = "quire"
	}
	client := &http.Client{Transport: &transport{hub: e, agent: o.Agent, to: connections(o.Connections)}}
	return &Puller{Cache: cache, hub: e, options: o, client: client, room: room, smallest: smallSpan}, nil
}

// Parse reads a model's name; false means that it is none.
func (p *Puller) Parse(text string) (Name, bool, error) { return Parse(text, p.hub) }

// Client asks the hub with the user's token, and others without.
func (p *Puller) Client() *http.Client { return p.client }

// remote is how files are read.
func (p *Puller) remote() remote.Options {
	o := p.options.Network
	o.Client = p.client
	return o
}

// Find gives the model that a name means, as far as the cache knows without a network; nil where it does not.
func (p *Puller) Find(n Name) *Model {
	m := p.Cache.Find(n)
	if m != nil {
		p.Cache.Touch(m)
	}
	return m
}

// Open gives the model that a name means, and pulls it where it is not in the cache.
func (p *Puller) Open(ctx context.Context, n Name) (*Model, error) {
	if m := p.Find(n); m != nil {
		return m, nil
	}
	m, err := p.Pull(ctx, n)
	if err != nil && ctx.Err() == nil && (p.hub.Offline || isKind(err, hub.Unreachable)) {
		if near := p.Cache.nearest(n); near != nil {
			p.Cache.Touch(near)
			p.tell(Event{Stage: Instead, Name: near.Name, Reason: err.Error()})
			return near, nil
		}
	}
	return m, err
}

// Address gives the address of the file that a name means, or of the first of several, without pulling it.
func (p *Puller) Address(ctx context.Context, n Name) (string, error) {
	if n.URL != "" {
		return n.URL, nil
	}
	r, err := p.resolve(ctx, n)
	if err != nil {
		return "", err
	}
	return r.files[0].url, nil
}

// Pull fetches a model, or what of it is missing or has changed, and gives it as it lies in the cache.
func (p *Puller) Pull(ctx context.Context, n Name) (*Model, error) {
	p.tell(Event{Stage: Resolving, Name: n.String()})
	r, err := p.resolve(ctx, n)
	if err != nil {
		return nil, err
	}
	place := p.Cache.place(n)
	first := filepath.Join(place, filepath.FromSlash(r.files[0].path))
	unlock, err := p.Cache.lock(ctx, first, func() { p.tell(Event{Stage: Waiting, Name: r.name.String()}) })
	if err != nil {
		return nil, err
	}
	defer unlock()
	m, err := p.Cache.load(first + recordEnd)
	if err != nil || m.Name != r.name.String() {
		m = &Model{Name: r.name.String(), record: first + recordEnd, folder: place}
	}
	old := slices.Clone(m.Files)
	j := &job{Puller: p, name: r.name, folder: place, old: old}
	files, err := j.fetchAll(ctx, r)
	if err != nil {
		return nil, err
	}
	m.Files, m.Commit = files, r.commit
	if j.fetched || m.Pulled.IsZero() {
		m.Pulled = time.Now().UTC().Truncate(time.Second)
	}
	if n.Repo != "" && n.File == "" {
		p.answers(m, sameQuant(n.Quant))
	}
	if err := p.Cache.keep(m); err != nil {
		return nil, err
	}
	p.Cache.Touch(m)
	m.Fresh = !j.fetched
	p.tell(Event{Stage: Done, Name: m.Name, Done: m.Bytes(), Total: m.Bytes()})
	return m, nil
}

// answers has a model answer to a quantization's name, and no other of its repository.
func (p *Puller) answers(m *Model, quant string) {
	for _, other := range p.Cache.within(m.folder) {
		if at := slices.Index(other.Asked, quant); at >= 0 && other.record != m.record {
			other.Asked = slices.Delete(other.Asked, at, at+1)
			p.Cache.keep(other) // at worst two answer to it, of which one is found
		}
	}
	quants := []string{quant}
	if own := quantOf(m.Files[0].Path); own != "" && own != quant && quant == "" {
		quants = append(quants, own)
	}
	for _, q := range quants {
		if !slices.Contains(m.Asked, q) {
			m.Asked = append(m.Asked, q)
		}
	}
	slices.Sort(m.Asked)
}
