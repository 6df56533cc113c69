package runner

import (
	"context"
	"iter"
	"slices"

	"quire/engine/gpu"
	"quire/engine/step"
)

// swapPiece bounds one readback of blocks on their way to host memory.
const swapPiece = 32 << 20

// away is a piece of a step's swap-outs on its way to host memory.
type away struct {
	hosts    []int32
	readback *gpu.Readback
}

// layerBytes is the size of a block of one layer's K, or V: that of the KV group with the largest.
func (r *Runner) layerBytes() uint64 {
	return r.plan.KVLayouts(r.options.BlockSize, r.options.KVType)[0].Bytes(1)
}

// BlockBytes is the size of a block with K and V of every layer of a KV group, as it is swapped.
func (r *Runner) BlockBytes() int { return 2 * len(r.graph.K) * int(r.layerBytes()) }

// readBlocks submits copies of whole blocks, K and V of each layer, one block after another.
func (r *Runner) readBlocks(blocks []int32) (*gpu.Readback, error) {
	back, err := r.device.NewReadback("blocks", uint64(len(blocks)*r.BlockBytes()))
	if err != nil {
		return nil, err
	}
	bytes := r.layerBytes()
	r.rec.Reset()
	r.rec.Profile = false
	to := uint64(0)
	for _, id := range blocks {
		for i := range r.graph.K {
			r.rec.Copy(r.graph.K[i], uint64(id)*bytes, back.Buffer(), to, bytes)
			r.rec.Copy(r.graph.V[i], uint64(id)*bytes, back.Buffer(), to+bytes, bytes)
			to += 2 * bytes
		}
	}
	r.rec.Map(back, back.Size())
	if err := r.device.Submit(&r.rec); err != nil {
		back.Release()
		return nil, err
	}
	return back, nil
}

// WriteBlock fills a block with what readBlocks gave, before the steps submitted from now on.
func (r *Runner) WriteBlock(id int32, data []byte) error {
	bytes := int(r.layerBytes())
	for i := range r.graph.K {
		for _, cache := range []*gpu.Buffer{r.graph.K[i], r.graph.V[i]} {
			if err := cache.Upload(uint64(id)*uint64(bytes), data[:bytes]); err != nil {
				return err
			}
			data = data[bytes:]
		}
	}
	return nil
}

// pieces cuts a list of blocks into what one readback takes.
func (r *Runner) pieces(blocks []int32) iter.Seq[[]int32] {
	return slices.Chunk(blocks, max(1, swapPiece/r.BlockBytes()))
}

// swap starts a step's swap-outs, which land with it, and does its swap-ins. Both come before the step's own work: the
// queue keeps their order.
func (r *Runner) swap(f *flight, s *step.Step) error {
	if err := r.swapStates(f, s); err != nil {
		return err
	}
	r.moved, r.hosts = r.moved[:0], r.hosts[:0]
	for _, x := range s.SwapOuts {
		r.moved, r.hosts = append(r.moved, x.Block), append(r.hosts, x.Host)
	}
	at := 0
	for piece := range r.pieces(r.moved) {
		back, err := r.readBlocks(piece)
		if err != nil {
			return err
		}
		f.away = append(f.away, away{hosts: append([]int32(nil), r.hosts[at:at+len(piece)]...), readback: back})
		at += len(piece)
	}
	for _, x := range s.SwapIns {
		if err := r.WriteBlock(x.Block, r.host[x.Host]); err != nil {
			return err
		}
	}
	return nil
}

// arrive waits for a step's swap-outs and keeps them.
func (r *Runner) arrive(ctx context.Context, f *flight) error {
	if err := r.arriveStates(ctx, f); err != nil {
		return err
	}
	size := r.BlockBytes()
	for _, a := range f.away {
		data := make([]byte, len(a.hosts)*size)
		if err := a.readback.Wait(ctx, data); err != nil {
			return err
		}
		a.readback.Release()
		for i, host := range a.hosts {
			for len(r.host) <= int(host) {
				r.host = append(r.host, nil)
			}
			r.host[host] = append(r.host[host][:0], data[i*size:(i+1)*size]...)
		}
	}
	f.away = f.away[:0]
	return nil
}
