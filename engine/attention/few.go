package attention

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// few is a decode kernel for steps with so few items that a GPU has room to spare: an item takes several workgroups, each of which has
// some of its query rows. What they wait for is shorter then, though each of them reads the item's K and V.
type few struct {
	tile   tile
	parts  int         // workgroups of an item
	most   int         // workgroups up to which it is faster
	kernel *gpu.Kernel // nil: there is none
}

// fewGroups are two workgroups for each compute unit of the large GPU that this was measured on. At head dims above 64 only one sequence of
// a llama gains: two and four of an 8B lose half a percent.
const fewGroups, fewWide = 256, 16

// fewFor is the tile of few items beside a tile of decode: with the fewest rows of which all invocations that share a key have a score.
// There is none where decode has single rows anyway, and for head dims that nobody has measured it for.
func (p Params) fewFor(decode shape, info gpu.AdapterInfo) shape {
	s := shape{name: "direct128x8", keys: 8, threadsX: 128, threadsY: 1, decode: true, direct: true, early: true}
	s.rows = max(1, directLanes(p.HeadDim)/s.keys)
	s = s.inSubgroups(p.HeadDim, info)
	if !decode.direct || decode.rows == 1 || decode.rows%s.rows != 0 || p.HeadDim > 128 {
		return shape{}
	}
	return s
}

func (p Params) mostFew() int {
	if p.HeadDim > 64 {
		return fewWide
	}
	return fewGroups
}

// newFew starts compiling the kernel where there is to be one.
func (a *Attention) newFew(c choice) (err error) {
	f := &a.few
	if c.few.rows == 0 {
		return nil
	}
	if f.tile, err = c.few.tile(a.params.HeadDim, memoryLimit(a.device.Info()), false); err != nil {
		return err
	}
	f.parts, f.most = a.decodeTile.rows/f.tile.rows, a.params.mostFew()
	spec := a.params.directSpec(f.tile, f.parts)
	w, err := a.params.whole(&spec, f.tile.keys)
	if err != nil {
		return err
	}
	a.splitMost = min(a.splitMost, w.most())
	f.kernel, err = a.compile(spec)
	return err
}

// useFew tells whether the kernel is to be used for a step's items.
func (a *Attention) useFew(items []kernel.Item) bool {
	return a.few.kernel != nil && len(items)*a.params.KVHeads*a.few.parts <= a.few.most
}
