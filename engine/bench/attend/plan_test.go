package attend

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

func TestCasesOfAPlan(t *testing.T) {
	p := Plan{Kinds: Kinds, Lengths: []int{8, 16}, Contexts: []int{32}, HeadDims: []int{64}, Variants: []string{"", "baseline"},
		Heads: Heads{4, 2}, Batches: []int{3}, DecodeBatches: []int{1, 2}, DecodeHeads: Heads{8, 1}}
	var got []string
	for _, c := range p.filled(gpu.AdapterInfo{}).cases() {
		got = append(got, c.String())
	}
	assert.Equal(t, []string{
		"flash forward of 3 x 8, 4/2 heads of 64", "flash baseline forward of 3 x 8, 4/2 heads of 64", "standard forward of 3 x 8, 4/2 heads of 64",
		"flash forward of 3 x 16, 4/2 heads of 64", "flash baseline forward of 3 x 16, 4/2 heads of 64", "standard forward of 3 x 16, 4/2 heads of 64",
		"flash backward of 3 x 8, 4/2 heads of 64", "standard backward of 3 x 8, 4/2 heads of 64",
		"flash backward of 3 x 16, 4/2 heads of 64", "standard backward of 3 x 16, 4/2 heads of 64",
		"flash decode of 1 x 32, 8/1 heads of 64", "flash baseline decode of 1 x 32, 8/1 heads of 64",
		"flash decode of 2 x 32, 8/1 heads of 64", "flash baseline decode of 2 x 32, 8/1 heads of 64",
	}, got)
	for _, c := range p.filled(gpu.AdapterInfo{}).cases() {
		assert.True(t, c.Causal)
		assert.Equal(t, map[Kind]string{Forward: "f32", Backward: "f32", Decode: "f16"}[c.Kind], c.KVType)
		assert.Equal(t, map[bool]int{true: 1, false: c.Length}[c.Kind == Decode], c.queries)
	}
}

// Standard attention alone has its forward pass; decode has no standard beside it.
func TestCasesOfAKind(t *testing.T) {
	for _, tt := range []struct {
		kinds []Kind
		want  []string
	}{
		{[]Kind{Standard}, []string{"standard forward"}},
		{[]Kind{Decode, Standard}, []string{"standard forward", "flash decode"}},
		{[]Kind{Backward}, []string{"flash backward"}},
		{[]Kind{Backward, Standard}, []string{"standard forward", "flash backward", "standard backward"}},
	} {
		p := Plan{Kinds: tt.kinds, Lengths: []int{8}, Contexts: []int{8}, HeadDims: []int{64}, DecodeBatches: []int{1}}
		var got []string
		for _, c := range p.filled(gpu.AdapterInfo{}).cases() {
			got = append(got, c.Method+" "+string(c.Kind))
		}
		assert.Equal(t, tt.want, got)
	}
}

// K and V may be stored otherwise for flash attention's forward pass; standard attention and gradients keep to f32.
func TestForwardKVType(t *testing.T) {
	p := Plan{Kinds: []Kind{Forward, Backward, Standard}, Lengths: []int{8}, HeadDims: []int{64}, ForwardKVType: "q8"}
	var got []string
	for _, c := range p.filled(gpu.AdapterInfo{}).cases() {
		got = append(got, c.KVType)
	}
	assert.Equal(t, []string{"q8", "f32", "f32", "f32"}, got)
}

// What the adapter gets where nothing is said.
func TestDefaults(t *testing.T) {
	p := Plan{}.filled(gpu.AdapterInfo{Type: "discrete"})
	assert.Equal(t, []int{512, 1024, 2048, 4096, 8192, 16384}, p.Lengths)
	assert.Equal(t, 131072, p.Contexts[len(p.Contexts)-1])
	assert.Equal(t, []int{64, 128}, p.HeadDims)
	assert.Equal(t, Heads{32, 8}, p.DecodeHeads)
	assert.Equal(t, []int{1, 8}, p.DecodeBatches)
	assert.Equal(t, 4096, Plan{}.filled(gpu.AdapterInfo{Type: "integrated"}).Lengths[3])
	assert.Len(t, Plan{}.filled(gpu.AdapterInfo{Type: "unknown"}).Lengths, 4)
	software := Plan{Lengths: []int{64}}.filled(gpu.AdapterInfo{Type: "cpu"})
	assert.Equal(t, []int{64}, software.Lengths)
	assert.LessOrEqual(t, software.Contexts[len(software.Contexts)-1], 2048)
}

func TestPlansThatCannotBe(t *testing.T) {
	for says, p := range map[string]Plan{
		`no kind "sideways"`:  {Kinds: []Kind{Forward, "sideways"}},
		"a length of 0":       {Lengths: []int{8, 0}},
		"a length of 2097152": {Lengths: []int{2 << 20}},
		"a context of -1":     {Contexts: []int{-1}},
		"a head dim of 257":   {HeadDims: []int{257}},
		"a batch of 0":        {Batches: []int{0}},
		"a batch of 1025":     {DecodeBatches: []int{1025}},
		"8 query heads":       {Heads: Heads{8, 3}},
		"0 query heads":       {DecodeHeads: Heads{0, 1}},
		"1 query heads":       {Heads: Heads{1, 0}},
		`KV cache type "f8"`:  {KVType: "f8"},
		`no variant "warp"`:   {Variants: []string{"", "baseline+warp"}},
		`no variant ""`:       {Variants: []string{"f16+"}},
		`no variant "f16"; there are baseline, tile`: {BackwardVariants: []string{"f16"}, Kinds: []Kind{Decode}},
	} {
		err := p.Check()
		require.ErrorIs(t, err, ErrPlan, says)
		assert.ErrorContains(t, err, says)
	}
	assert.NoError(t, Plan{}.Check())
	assert.NoError(t, Plan{Variants: []string{"", "tile16x16+f16"}, BackwardVariants: []string{"", "tile128x64"}}.Check())
}

func TestOperationsAndBytes(t *testing.T) {
	const n, d = 4096, 64
	head := Case{Kind: Forward, Method: Flash, Length: n, queries: n, HeadDim: d, Heads: 1, KVHeads: 1, Batch: 1, Causal: true, KVType: "f32"}
	with := func(change func(*Case)) Case {
		c := head
		change(&c)
		return c
	}
	for _, tt := range []struct {
		name              string
		c                 Case
		operations, bytes float64
	}{
		{"causal", head, 2 * n * n * d, 4 * 4 * n * d},
		{"full", with(func(c *Case) { c.Causal = false }), 4 * n * n * d, 4 * 4 * n * d},
		{"many", with(func(c *Case) { c.Heads, c.KVHeads, c.Batch = 8, 2, 3 }), 24 * 2 * n * n * d, 3 * 4 * (8 + 8 + 2 + 2) * n * d},
		{"standard", with(func(c *Case) { c.Method = standardNamed }), 2 * n * n * d, 4*4*n*d + 4*4*n*n},
		{"backward", with(func(c *Case) { c.Kind = Backward }), 5 * n * n * d, 4 * (8*n*d + n)},
		{"standard backward", with(func(c *Case) { c.Kind, c.Method = Backward, standardNamed }), 5 * n * n * d, 4*7*n*d + 10*4*n*n},
		{"decode", with(func(c *Case) { c.Kind, c.queries, c.KVType, c.Heads = Decode, 1, "f16", 4 }), 4 * 4 * n * d, 2*2*n*d + 2*4*4*d},
	} {
		assert.Equal(t, tt.operations, tt.c.operations(), tt.name)
		assert.Equal(t, tt.bytes, tt.c.bytes(), tt.name)
	}
}
