package attend

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
)

var adapter = gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}

func TestRunMeasuresAllThatIsAsked(t *testing.T) {
	p := Plan{Kinds: []Kind{Forward, Decode, Standard}, ForwardKVType: "f16", Lengths: []int{33}, Contexts: []int{64}, HeadDims: []int{32}, Heads: Heads{2, 1}, DecodeHeads: Heads{2, 1}, Batches: []int{2}, DecodeBatches: []int{1}}
	var begun, reports int
	r, err := Run(context.Background(), adapter, p, func(p Progress) {
		if p.Report == nil {
			assert.Equal(t, begun, p.Done, p.Stage)
			begun++
		} else {
			reports++
			assert.Equal(t, reports, len(p.Report.Results)+len(p.Report.Memory))
		}
		assert.LessOrEqual(t, p.Done, p.Total)
		assert.Equal(t, 3+3+1, p.Total)
	})
	require.NoError(t, err)
	assert.NotEmpty(t, r.Adapter)
	assert.Positive(t, r.Bandwidth)
	assert.Positive(t, r.Copy)
	assert.Positive(t, r.FMA)
	require.Len(t, r.Results, 3)
	assert.Equal(t, 4, reports)
	for _, m := range r.Results {
		name := m.Case.String()
		assert.Empty(t, m.Skipped, name)
		assert.Positive(t, m.Seconds, name)
		assert.Positive(t, m.Launches, name)
		assert.Contains(t, m.Kernel, map[string]string{Flash: "attention", standardNamed: "matmul"}[m.Method], name)
		assert.InEpsilon(t, m.Operations/m.Seconds/1e12, m.TFLOPs, 1e-9, name)
		assert.InEpsilon(t, m.Bytes/m.Seconds/1e9/r.Bandwidth, m.BandwidthShare, 1e-9, name)
		assert.GreaterOrEqual(t, float64(m.BufferBytes), m.inputBytes()/2, name)
	}
	assert.InEpsilon(t, r.Results[1].Seconds/r.Results[0].Seconds, r.Results[0].Speedup, 1e-9)
	assert.Zero(t, r.Results[2].Speedup)
	require.Len(t, r.Memory, 1)

	text, err := json.Marshal(r)
	require.NoError(t, err)
	var back Report
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, r.Results[2].TFLOPs, back.Results[2].TFLOPs)
	for _, field := range []string{`"kind":"decode"`, `"method":"standard"`, `"fma_tflop_per_second":`, `"buffer_bytes":`, `"flash_bytes":`} {
		assert.Contains(t, string(text), field)
	}
}

// What the adapter cannot hold is told and passed over.
func TestRunSkipsWhatIsTooLarge(t *testing.T) {
	const far = 1 << 19 // scores of a TiB
	r, err := Run(context.Background(), adapter, Plan{Kinds: []Kind{Standard}, Lengths: []int{far}, HeadDims: []int{8}, Heads: Heads{1, 1}}, nil)
	require.NoError(t, err)
	require.Len(t, r.Results, 1)
	assert.Contains(t, r.Results[0].Skipped, "scores")
	require.Len(t, r.Memory, 1)
	assert.True(t, r.Memory[0].Computed)
	assert.EqualValues(t, 4*4*8*far+2*4*far*far, r.Memory[0].Standard)
}

// So is what is past a launch's 32-bit offsets, and a variant that the adapter lacks; the others are measured.
func TestRunSkipsWhatDoesNotRun(t *testing.T) {
	p := Plan{Kinds: []Kind{Forward}, Lengths: []int{32, 1 << 18}, HeadDims: []int{32}, Heads: Heads{1024, 1024}, Variants: []string{"baseline", "matrix"}}
	r, err := Run(context.Background(), adapter, p, nil)
	require.NoError(t, err)
	require.Len(t, r.Results, 4)
	assert.Empty(t, r.Results[0].Skipped)
	assert.Positive(t, r.Results[0].Seconds)
	if !slices.Contains(r.Features, gpu.FeatureSubgroupMatrix.Names()[0]) {
		assert.Contains(t, r.Results[1].Skipped, "adapter "+r.Adapter+" has no subgroup matrices")
	}
	assert.Contains(t, r.Results[2].Skipped, "q: too large for one binding")
}

// What no adapter or not this one runs is known before anything is measured.
func TestRunRefusesAtOnce(t *testing.T) {
	bare := gpu.AdapterInfo{Name: "bare"}
	bare.Limits.MaxComputeWorkgroupStorageSize = 16384
	for says, p := range map[string]Plan{
		"variant f16: adapter bare has no f16 arithmetic; leave the variant out": {Variants: []string{"f16", "matrix"}, Kinds: []Kind{Forward, Standard}},
		"tile64x64 needs ": {BackwardVariants: []string{"tile64x64"}},
	} {
		p = p.filled(bare)
		err := checkAdapter(p.cases(), bare)
		assert.ErrorIs(t, err, ErrPlan, says)
		assert.ErrorContains(t, err, says)
	}
	for _, p := range []Plan{{}, {Variants: []string{"f16", "baseline"}}, {Variants: []string{"f16"}, Kinds: []Kind{Backward}}} {
		p = p.filled(bare)
		assert.NoError(t, checkAdapter(p.cases(), bare))
	}
}

// A run that is ended tells what it has found.
func TestRunEndsWithItsResults(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := Plan{Kinds: []Kind{Forward}, Lengths: []int{32, 33}, HeadDims: []int{32}, Heads: Heads{1, 1}, Variants: []string{"baseline"}}
	r, err := Run(ctx, adapter, p, func(p Progress) {
		if p.Report != nil {
			cancel()
		}
	})
	assert.ErrorIs(t, err, context.Canceled)
	require.NotNil(t, r)
	assert.Len(t, r.Results, 1)
}

func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := Run(ctx, adapter, Plan{Lengths: []int{32}}, func(p Progress) { cancel() })
	assert.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, r, "nothing was measured")
	_, err = Run(context.Background(), adapter, Plan{Lengths: []int{0}}, nil)
	assert.ErrorIs(t, err, ErrPlan)
}

// Flash attention allocates nothing that grows with the square of the length; standard attention does.
func TestMemoryGrowsWithTheLength(t *testing.T) {
	d := gputest.Device(t)
	at := func(length int, allocate bool) Memory {
		m, err := measureMemory(context.Background(), d, oneHead(length, 32), allocate)
		require.NoError(t, err)
		return m
	}
	tiny, short, long := at(70, true), at(4096, false), at(16384, false)
	assert.False(t, tiny.Computed)
	assert.EqualValues(t, 4*4*70*32+2*4*96*96, tiny.Standard)
	assert.True(t, long.Computed)
	assert.EqualValues(t, 4*4*16384*32+2*4*16384*16384, long.Standard)
	assert.LessOrEqual(t, long.Flash, 4*short.Flash, "four times the tokens")
	assert.GreaterOrEqual(t, long.Flash, uint64(4*4*16384*32), "q, k, v and the output")
	assert.Less(t, long.Flash, uint64(5*4*16384*32), "little but q, k, v and the output")
	assert.Greater(t, short.Ratio, 10.0)
	assert.Greater(t, long.Ratio, 40.0)
}

func TestCharts(t *testing.T) {
	var r Report
	r.Adapter = "a <GPU>"
	for _, length := range []int{512, 1024, 16384} {
		for i, method := range []string{Flash, standardNamed} {
			c := Case{Kind: Forward, Method: method, Length: length, HeadDim: 64, Batch: 1, Causal: true}
			r.Results = append(r.Results, Result{Case: c, TFLOPs: float64(length) / 512 / float64(1+i)})
		}
		r.Results = append(r.Results, Result{Case: Case{Kind: Decode, Method: Flash, Length: length, HeadDim: 128, Batch: 8, Causal: true, KVType: "f16"}, GBs: 100})
		r.Memory = append(r.Memory, Memory{Length: length, HeadDim: 64, Flash: uint64(length) << 10, Standard: uint64(length*length) << 3})
	}
	r.Results = append(r.Results, Result{Case: Case{Kind: Forward, Method: standardNamed, Length: 1 << 20, HeadDim: 256, Causal: true}, Skipped: "too large"})
	var names []string
	for _, c := range r.Charts() {
		names = append(names, c.Name)
		for d := xml.NewDecoder(strings.NewReader(c.SVG)); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else {
				require.NoError(t, err, c.Name)
			}
		}
		assert.NotContains(t, c.SVG, "NaN", c.Name)
		assert.NotContains(t, c.SVG, "Inf", c.Name)
	}
	assert.Equal(t, []string{"attention-forward-64", "attention-decode-128", "attention-memory-64"}, names)
	forward := r.Charts()[0].SVG
	assert.Equal(t, 6, strings.Count(forward, "<circle"))
	assert.Contains(t, forward, "flash: 1 at 512, 2 at 1k, 32 at 16k; standard: 0.5 at 512")
	assert.Contains(t, forward, "a &lt;GPU&gt;")
	// The fastest point is the highest, the longest the farthest right.
	assert.Contains(t, forward, `d="M76.0 269.7L137.6 263.4L384.0 74.9"`)
	assert.Contains(t, r.Charts()[1].SVG, "flash, f16, batch 8")
	assert.Equal(t, "Forward, head dim 64", r.Charts()[0].Title)
	for i := range r.Results {
		r.Results[i].Causal = r.Results[i].Kind == Decode
	}
	assert.Equal(t, "Forward, no mask, head dim 64", r.Charts()[0].Title)
	assert.Equal(t, "Decode, head dim 128", r.Charts()[1].Title)
}
