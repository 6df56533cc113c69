//go:build !js

package model

import (
	"context"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// HasSelfTest says whether SelfTest does anything on this host.
const HasSelfTest = true

// SelfTest runs the graph's kernels, once they are bound, on patterns, and returns how those that compute wrongly do. Those that
// have passed are left out, and new ones added.
func (g *Graph) SelfTest(ctx context.Context, passed map[*gpu.Kernel]bool) ([]*kernel.SelfTestError, error) {
	t, err := kernel.NewSelfTest(g.Device(), passed)
	if err != nil {
		return nil, err
	}
	defer t.Release()
	repack, err := kernel.NewRepacker(g.Device())
	if err != nil {
		return nil, err
	}
	defer repack.Release()
	for _, l := range g.products {
		if err := l.SelfTest(t, repack); err != nil {
			return nil, err
		}
	}
	for _, a := range g.attentions {
		if err := a.SelfTest(t); err != nil {
			return nil, err
		}
	}
	return t.Run(ctx)
}
