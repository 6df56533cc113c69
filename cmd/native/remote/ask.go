package remote

import (
	"context"
	"io"
	"net/http"

	"quire/engine/hub"
)

// maxAnswer is how long an answer of Ask may be.
const maxAnswer = 64 << 20

// Answer is a server's answer to Ask.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Ask asks for what is no model file: a listing, or with method HEAD what a file is. It tries again as File does.
// Errors are of type *hub.Error, but for those of ctx.
func Ask(ctx context.Context, method, url string, o Options) (*Answer, error) {
	f, err := newFile(ctx, url, o)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var last *Answer
	err = f.retry(func() (bool, error) {
		ctx, cancel := context.WithTimeoutCause(f.ctx, f.options.Idle, f.silence())
		defer cancel()
		var err error
		last, err = f.ask(ctx, method)
		if cause := context.Cause(ctx); err != nil && cause != nil {
			err = cause
		}
		return false, err
	})
	return last, err
}

// ask asks once.
func (f *File) ask(ctx context.Context, method string) (*Answer, error) {
	q, err := http.NewRequestWithContext(ctx, method, f.url, nil)
	if err != nil {
		return nil, &failure{told: &hub.Error{Kind: hub.BadAddress, Reason: "this is not a whole address", Err: err}, final: true}
	}
	q.Header.Set("Accept-Encoding", "identity")
	r, err := f.options.Client.Do(q)
	if err != nil {
		return nil, explain(err)
	}
	defer r.Body.Close()
	a := &Answer{Status: r.StatusCode, Header: r.Header}
	if a.Body, err = io.ReadAll(io.LimitReader(r.Body, maxAnswer+1)); err != nil {
		return nil, passing(hub.Cut, "the connection ended early, at byte %d", len(a.Body))
	}
	switch {
	case len(a.Body) > maxAnswer:
		return nil, final(hub.Server, "the answer is longer than %d bytes", maxAnswer)
	case r.StatusCode >= 400:
		return nil, refuse(r)
	}
	return a, nil
}
