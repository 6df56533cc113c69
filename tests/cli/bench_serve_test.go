package cli

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Clients measure a server, and are told when there is none.
func TestBenchServe(t *testing.T) {
	s := serve(t).ready(t)
	r := quire(t, "bench", "serve", "--clients", "1,3", "--prompt", "8", "--gen", "4", "--requests", "2", "--json", s.url+"/v1")
	require.Zero(t, r.code, r.stderr)
	var report struct {
		Results []struct {
			Clients, Requests, Tokens int
			Speed                     float64 `json:"tokens_per_second"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &report))
	require.Len(t, report.Results, 2)
	for i, clients := range []int{1, 3} {
		m := report.Results[i]
		assert.Equal(t, clients, m.Clients)
		assert.Equal(t, 2*clients, m.Requests)
		assert.Equal(t, 2*clients*4, m.Tokens)
		assert.Positive(t, m.Speed)
	}
	r = quire(t, "bench", "serve", "--model", "no such", s.url+"/v1")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "no such")
	r = quire(t, "bench", "serve", "localhost:8080")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.stderr, "no address of a server")
}
