package kernel

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/paging"
)

func TestCopyBlocks(t *testing.T) {
	for _, l := range []KVLayout{
		{HeadDim: 64, KVHeads: 2, BlockSize: 16, Type: KVF16},
		{HeadDim: 5, KVHeads: 3, BlockSize: 4, Type: KVF32},
		{HeadDim: 1, KVHeads: 1, BlockSize: 1, Type: KVF16},
		{HeadDim: 59, KVHeads: 2, BlockSize: 4, Type: KVQ8},
	} {
		t.Run(fmt.Sprintf("%+v", l), func(t *testing.T) {
			r := newRig(t)
			const blocks = 9
			words := l.BlockWords() * blocks
			before := [2][]float32{r.floats(words, 1), r.floats(words, 1)}
			k, v := r.rows("k", before[0], words, words, 0), r.rows("v", before[1], words, words, 0)
			slots := int32(max(1, l.BlockSize-3))
			d := StepData{Copies: []paging.Copy{
				{Group: 1, From: 3, To: 7, Slots: slots},
				{Group: 0, From: 1, To: 2, Slots: int32(l.BlockSize)},
				{Group: 1, From: 8, To: 1, Slots: int32(l.BlockSize)},
				{Group: 1, From: 3, To: 5, Slots: 0},
			}}
			kernel, err := NewCopyBlocks(r.dev, l, 1)
			require.NoError(t, err)
			b, err := kernel.Bind(r.step(d), k.All(), v.All())
			require.NoError(t, err)
			r.submit(func(rec *gpu.Recorder) { kernel.Record(rec, b, len(d.Copies)) })
			for i, buffer := range []*gpu.Buffer{k, v} {
				want := append([]float32(nil), before[i]...)
				row := l.RowWords()
				for _, c := range d.Copies {
					for h := range l.KVHeads {
						if c.Group != 1 {
							continue
						}
						from, to := int(c.From)*l.BlockWords()+h*l.BlockSize*row, int(c.To)*l.BlockWords()+h*l.BlockSize*row
						copy(want[to:to+int(c.Slots)*row], before[i][from:])
					}
				}
				require.Equal(t, want, r.read(buffer)[:words])
			}
		})
	}
}

func TestCopyBlocksRefuses(t *testing.T) {
	r := newRig(t)
	_, err := NewCopyBlocks(r.dev, KVLayout{HeadDim: 8, KVHeads: 1}, 0)
	require.ErrorContains(t, err, "block size")
	_, err = NewCopyBlocks(r.dev, KVLayout{HeadDim: 8, KVHeads: 1, BlockSize: 4}, MaxGroups)
	require.ErrorContains(t, err, "KV group")
}
