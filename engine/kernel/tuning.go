package kernel

import (
	"context"
	"time"
)

// RowProduct is a product that is to be tuned, and its buffers. What x, y and the step hold is lost.
type RowProduct struct {
	*Linear
	Views LinearViews
}

// Tuning measures ways of products whose matrices are alike. Tried is what is told of each.
type Tuning[Tried any] struct {
	products []RowProduct
	m        int           // rows
	part     float64       // of the largest result, by which others may differ
	long     time.Duration // how long rounds may begin; 0: all do
	trials   []*trial
	tried    []func(Measured) Tried
}

// try starts to compile a way of the products, the adapter's own choice first.
func (t *Tuning[Tried]) try(change func(*LinearParams), tried func(Measured) Tried) error {
	s := &trial{}
	for _, p := range t.products {
		params := p.params
		params.Late = false
		change(&params)
		l, err := NewLinear(p.dev, params)
		if err != nil {
			return err
		}
		s.linears = append(s.linears, l)
	}
	t.trials, t.tried = append(t.trials, s), append(t.tried, tried)
	return nil
}

// Run measures, and returns what was tried, the adapter's own choice first. A way that gives other results than that is not the best.
func (t *Tuning[Tried]) Run(ctx context.Context) ([]Tried, error) {
	if err := measure(ctx, t.products, t.trials, t.m, t.part, t.long); err != nil {
		return nil, err
	}
	var all []Tried
	for i, s := range t.trials {
		all = append(all, t.tried[i](s.Measured))
	}
	return all, nil
}
