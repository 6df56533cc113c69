package runner

import (
	"iter"

	"quire/engine/gpu"
)

// A run is blocks as a session keeps them: the first layer's K of all of them, its V, the next layer's K, and so on. The blocks of all KV
// groups at one place of the conversation follow each other.

// ReadRun submits copies of blocks, as the steps submitted so far leave them, into a readback as large as their run, which is mapped for
// its Wait. What a group leaves of a block stays zero: there may still be what other sequences wrote.
func (r *Runner) ReadRun(back *gpu.Readback, blocks []int32, mapped bool) error {
	bytes := r.layerBytes()
	layouts := r.plan.KVLayouts(r.options.BlockSize, r.options.KVType)
	used := make([]uint64, len(layouts))
	r.rec.Reset()
	r.rec.Profile = false
	for cache, at := range r.caches(len(blocks)) {
		for g, layout := range layouts {
			used[g] = r.plan.KVUsed(g, cache.layer, layout)
		}
		for i := 0; i < len(blocks); {
			g, n := i%len(layouts), 1
			if len(layouts) == 1 {
				n = consecutive(blocks[i:])
			}
			if used[g] > 0 {
				r.rec.Copy(cache.Buffer, uint64(blocks[i])*bytes, back.Buffer(), at+uint64(i)*bytes, uint64(n-1)*bytes+used[g])
			}
			i += n
		}
	}
	if mapped {
		r.rec.Map(back, back.Size())
	}
	return r.device.Submit(&r.rec)
}

// NewRun makes room on the GPU for runs of so many bytes: FillBlocks takes blocks from there.
func (r *Runner) NewRun(bytes int) (*gpu.Buffer, error) {
	return r.device.NewBuffer("run", uint64(bytes), 0)
}

// NewRunReadback makes one for a run.
func (r *Runner) NewRunReadback(blocks int) (*gpu.Readback, error) {
	return r.device.NewReadback("run", uint64(blocks*r.BlockBytes()))
}

// FillBlocks fills blocks with what a run of all has from its first-th block on, before the steps submitted from now on.
func (r *Runner) FillBlocks(run *gpu.Buffer, all, first int, blocks []int32) error {
	bytes := r.layerBytes()
	r.rec.Reset()
	r.rec.Profile = false
	for cache, at := range r.caches(all) {
		for i := 0; i < len(blocks); {
			n := consecutive(blocks[i:])
			r.rec.Copy(run, at+uint64(first+i)*bytes, cache.Buffer, uint64(blocks[i])*bytes, uint64(n)*bytes)
			i += n
		}
	}
	return r.device.Submit(&r.rec)
}

// layerCache is K or V of the layers that share it.
type layerCache struct {
	*gpu.Buffer
	layer int
}

// caches gives what layers keep, and where a run of so many blocks has that.
func (r *Runner) caches(blocks int) iter.Seq2[layerCache, uint64] {
	return func(yield func(layerCache, uint64) bool) {
		each := uint64(blocks) * r.layerBytes()
		for i := range r.graph.K {
			at := uint64(2*i) * each
			if !yield(layerCache{r.graph.K[i], i}, at) || !yield(layerCache{r.graph.V[i], i}, at+each) {
				return
			}
		}
	}
}

// consecutive is how many ids from the first on follow each other.
func consecutive(ids []int32) int {
	n := 1
	for n < len(ids) && ids[n] == ids[0]+int32(n) {
		n++
	}
	return n
}
