//go:build !js

package browser

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// A wait for a promise ends when that is rejected, at the first look or behind it.
func TestWaitsEnd(t *testing.T) {
	p := newTab(t, "about:blank", "")
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	const look = `(globalThis.looks = (globalThis.looks ?? 0) + 1) < `
	require.ErrorContains(t, until(ctx, look+`1 ? false : Promise.reject(new Error('gone'))`), "Error: gone")
	require.ErrorContains(t, until(ctx, look+`4 ? Promise.resolve('') : Promise.reject('gone')`), "rejected: gone")
	require.NoError(t, until(ctx, look+`7 ? Promise.resolve(0) : Promise.resolve([])`))
}
