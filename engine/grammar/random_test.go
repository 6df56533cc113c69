package grammar

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"quire/engine/grammar/grammartest"
)

// TestRandomSchemas draws texts at random under the masks of random schemas: all are valid.
func TestRandomSchemas(t *testing.T) {
	count := 150
	if os.Getenv("QUIRE_ALL") != "" {
		count = 2000
	}
	v := mixed(300)
	for _, c := range []struct {
		name             string
		schema           func(grammartest.Schemas) map[string]any
		refused, nothing int // at most one of so many
	}{
		{"by type", grammartest.Schemas.Root, 10, 2},
		{"mixed", grammartest.Schemas.Mixed, 3, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			refused, empty, drawn := map[string]int{}, 0, 0
			rejected := 0
			for seed := range count {
				rnd := rand.New(rand.NewPCG(uint64(seed), 16))
				source, err := json.Marshal(c.schema(grammartest.Schemas{Rand: rnd}))
				require.NoError(t, err)
				g, err := Compile(JSONSchema, string(source), Limits{})
				if err != nil {
					var e *Error
					require.True(t, errors.As(err, &e), err)
					require.NotEmpty(t, e.Where, "%s: %s", err, source)
					if strings.Contains(e.Text, "nothing can satisfy") || strings.Contains(e.Text, "never ends") {
						empty++
					} else {
						refused[e.Where[strings.LastIndexByte(e.Where, '/')+1:]+": "+e.Text]++
						rejected++
					}
					continue
				}
				validator := grammartest.Validator(t, source)
				m := g.Matcher(v)
				for range 3 {
					text := walk(t, m.Clone(), v, rnd, 60)
					drawn++
					value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
					require.NoError(t, err, "seed %d: %s\n%s", seed, source, text)
					require.NoError(t, validator.Validate(value), "seed %d: %s\n%s", seed, source, text)
				}
			}
			t.Logf("%d schemas: %d texts drawn, %d schemas that nothing satisfies, %d (%.1f %%) refused", count, drawn, empty, rejected, 100*float64(rejected)/float64(count))
			for _, r := range sortedKeys(refused) {
				t.Logf("%4d %s", refused[r], r)
			}
			require.Less(t, rejected, count/c.refused)
			require.Less(t, empty, count/c.nothing)
		})
	}
}
