package engine

import (
	"context"
	"errors"
)

// bound adds the request's deadline to ctx.
func (r *Request) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.Deadline.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, r.Deadline)
}

// expired is ErrDeadline when the group's deadline, or its context's, has passed.
func (g *group) expired() error {
	if errors.Is(g.ctx.Err(), context.DeadlineExceeded) {
		return ErrDeadline
	}
	return nil
}
