package attention

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// Right kernels of all kinds of attention pass the self-test.
func TestSelfTestPasses(t *testing.T) {
	base := Params{HeadDim: 64, Heads: 4, KVHeads: 2, BlockSize: 16, QStride: 256, OutStride: 256, Scale: 0.125, MaxKeys: 4096}
	var cases []Params
	for _, change := range []func(p *Params){
		func(p *Params) { p.Shared = true }, func(p *Params) { p.KVType, p.BlockPad = kernel.KVF16, 64 }, func(p *Params) { p.KVType = kernel.KVBF16 }, func(p *Params) { p.KVType = kernel.KVQ8 },
		func(p *Params) { p.Window, p.Softcap, p.LSE = 30, 20, true }, func(p *Params) { p.Bidirectional = true }, func(p *Params) { p.Deterministic, p.MaxKeys = true, 40 },
		func(p *Params) {
			p.HeadDim, p.Heads, p.KVHeads, p.QStride, p.OutStride, p.KVType = 7, 1, 1, 32, 32, kernel.KVQ8
		},
		func(p *Params) {
			p.HeadDim, p.Heads, p.KVHeads, p.QStride, p.OutStride, p.Scale, p.KVType = 256, 4, 1, 1024, 1024, 1, kernel.KVF16
		},
		func(p *Params) {
			p.HeadDim, p.Heads, p.KVHeads, p.QStride, p.OutStride, p.KVType = 128, 4, 1, 512, 512, kernel.KVF16
		},
		func(p *Params) {
			p.HeadDim, p.Heads, p.KVHeads, p.QStride, p.OutStride, p.KVType = 512, 2, 1, 1024, 1024, kernel.KVF16
		},
	} {
		p := base
		change(&p)
		cases = append(cases, p)
		if os.Getenv("QUIRE_ALL") != "" && !p.Deterministic {
			for _, name := range Variants() {
				p.Variant = name
				cases = append(cases, p)
			}
		}
	}
	for i, p := range cases {
		if caseShare() > 1 && i != 0 && i != 7 {
			continue
		}
		t.Run(fmt.Sprint(i, p.HeadDim, p.KVType, p.Variant), func(t *testing.T) {
			d := gputest.Device(t)
			a, err := New(d, p)
			if err != nil && p.Variant != "" {
				t.Skip(err) // the adapter does not offer the variant
			}
			require.NoError(t, err)
			require.NoError(t, a.Wait(context.Background()))
			passed := map[*gpu.Kernel]bool{}
			test, err := kernel.NewSelfTest(d, passed)
			require.NoError(t, err)
			defer test.Release()
			require.NoError(t, a.SelfTest(test))
			failures, err := test.Run(context.Background())
			require.NoError(t, err)
			for _, f := range failures {
				t.Error(f)
			}
			assert.NotEmpty(t, passed)
		})
	}
}
