package grammar

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"quire/engine/grammar/grammartest"
)

// changed is a value with some parts left out, replaced or added.
func changed(value any, rnd *rand.Rand, parts []any) any {
	if rnd.IntN(5) == 0 {
		return parts[rnd.IntN(len(parts))]
	}
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if rnd.IntN(6) > 0 {
				out[name] = changed(v[name], rnd, parts)
			}
		}
		if rnd.IntN(4) == 0 {
			out[grammartest.Schemas{Rand: rnd}.Name()] = parts[rnd.IntN(len(parts))]
		}
		return out
	case []any:
		out := []any{}
		for _, item := range v {
			if rnd.IntN(6) > 0 {
				out = append(out, changed(item, rnd, parts))
			}
		}
		if rnd.IntN(4) == 0 {
			out = append(out, parts[rnd.IntN(len(parts))])
		}
		return out
	}
	return value
}

// orders is in how many orders of properties a value can be written.
func orders(value any) int {
	n := 1
	switch v := value.(type) {
	case map[string]any:
		for i, name := range slices.Collect(maps.Keys(v)) {
			n = min(n*(i+1)*orders(v[name]), 1<<20)
		}
	case []any:
		for _, item := range v {
			n = min(n*orders(item), 1<<20)
		}
	}
	return n
}

// TestRandomValues holds random values against random schemas: those that are valid, and no others, can be written, with
// their properties in some order.
func TestRandomValues(t *testing.T) {
	count := 60
	if os.Getenv("QUIRE_ALL") != "" {
		count = 1500
	}
	v := mixed(300)
	checked, valid := 0, 0
	for seed := range count {
		rnd := rand.New(rand.NewPCG(uint64(seed), 61))
		source, err := json.Marshal(grammartest.Schemas{Rand: rnd}.Root())
		require.NoError(t, err)
		g, err := Compile(JSONSchema, string(source), Limits{})
		nothing := err != nil && (strings.Contains(err.Error(), "nothing can satisfy") || strings.Contains(err.Error(), "never ends"))
		if err != nil && !nothing {
			continue
		}
		parts := []any{nil, true, json.Number("0"), json.Number("2.5"), json.Number("-7"), "a", "x1", "", "12", []any{}, map[string]any{},
			map[string]any{"a": json.Number("1")}, []any{"a", nil}, map[string]any{"v": nil, "next": nil}}
		var m *Matcher
		if !nothing {
			m = g.Matcher(v)
			for range 3 {
				d := json.NewDecoder(strings.NewReader(walk(t, m.Clone(), v, rnd, 40)))
				d.UseNumber()
				var part any
				require.NoError(t, d.Decode(&part))
				parts = append(parts, part)
			}
		}
		validator := grammartest.Validator(t, source)
		for range 40 {
			value := changed(parts[rnd.IntN(len(parts))], rnd, parts)
			text, err := json.Marshal(value)
			require.NoError(t, err)
			if len(text) > 150 || orders(value) > 300 {
				continue
			}
			plain, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			require.NoError(t, err)
			want, got := validator.Validate(plain) == nil, false
			for _, s := range spellings(value, 300) {
				got = got || !nothing && accepts(m, s)
			}
			require.Equal(t, want, got, "seed %d: %s\n%s", seed, text, source)
			if checked++; want {
				valid++
			}
		}
	}
	t.Logf("%d values, of which %d are valid", checked, valid)
	require.Greater(t, valid, checked/20)
}
