package generation

import (
	_ "embed"
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/sample"
	"quire/engine/tokenizer"
	"quire/tests/testdata"
)

//go:embed testdata/dry.json
var dry []byte

// DRY takes off what llama.cpp's takes off, with breakers of one token and of several.
func TestDRYGolden(t *testing.T) {
	f, size := testdata.Open(t, "models/quire-tales.gguf")
	header, err := gguf.Read(f, size)
	require.NoError(t, err)
	tok, err := tokenizer.New(header)
	require.NoError(t, err)
	var golden struct {
		Cases []struct {
			Tokens           []int32
			Multiplier, Base float64
			Allowed, Range   int
			Breakers         []string
			Taken            map[string]float64
		}
	}
	require.NoError(t, json.Unmarshal(dry, &golden))
	require.NotEmpty(t, golden.Cases)
	b := NewBreakers(tok)
	for i, c := range golden.Cases {
		p := sample.Params{DRY: sample.DRY{Multiplier: c.Multiplier, Base: c.Base, AllowedLength: c.Allowed, Range: c.Range, Breakers: c.Breakers}}
		require.NoError(t, p.Validate())
		breakers, err := b.Of(p.DRY)
		require.NoError(t, err)
		taken := 0
		for id, x := range sample.Adjust(make([]float32, tok.Size()), p, c.Tokens[:len(c.Tokens)/2], c.Tokens[len(c.Tokens)/2:], breakers) {
			want := c.Taken[strconv.Itoa(id)]
			if want > sample.MostDRY {
				want = sample.MostDRY
			}
			if x == 0 && want == 0 {
				continue
			}
			assert.InEpsilon(t, want, -x, 1e-5, "case %d, token %d", i, id)
			taken++
		}
		assert.Len(t, c.Taken, taken, "case %d", i)
	}
}
