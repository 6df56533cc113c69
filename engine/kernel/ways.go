package kernel

import (
	"fmt"

	"quire/engine/gpu"
)

// way is how a product is done for some numbers of rows: by kernels of one shape.
type way struct {
	shape
	late    bool            // compiles later; the next way does its work until then
	kernels [][]*gpu.Kernel // for each piece one a part of K
}

// shape is how kernels share a product's work.
type shape interface {
	// takes says whether m rows are its to multiply, where no way before it takes them.
	takes(p *LinearParams, m int) bool
	// norms says whether its kernels find an RMSNorm of x on the way.
	norms() bool
	// specs specialises its kernels for a piece of the matrix: one for each part of K, to run one after another.
	specs(p *LinearParams, piece Piece) ([]Spec, error)
	// groups returns the workgroups of each for m rows.
	groups(p *LinearParams, piece Piece, m int) (x, y, z uint32)
}

// add composes the way's kernels for a piece and starts to compile them.
func (w *way) add(dev *gpu.Device, p *LinearParams, piece Piece) error {
	specs, err := w.specs(p, piece)
	if err != nil {
		return err
	}
	var kernels []*gpu.Kernel
	for _, s := range specs {
		m, err := Module(dev, s)
		if err != nil {
			return err
		}
		k := dev.Later(m)
		if !w.late {
			k = dev.Kernel(m)
		}
		kernels = append(kernels, k)
	}
	w.kernels = append(w.kernels, kernels)
	return nil
}

// matvecMost is the number of rows up to which matrix × vector kernels, eight rows at a time, beat tiles.
const matvecMost = 32

// choose takes the ways that suit the adapter, by rising number of rows.
func (l *Linear) choose(info gpu.AdapterInfo) error {
	p, large := &l.params, false
	switch p.Variant {
	case "", "subgroup":
		if l.subgroup = subgroupSize(info); l.subgroup == 0 && p.Variant == "subgroup" {
			return fmt.Errorf("linear: variant subgroup: adapter %s has no subgroups of a known size", info.Name)
		}
		large = p.Variant == "" && info.Type == "discrete"
	case "tile128":
		large = true
	case "baseline":
	default:
		return fmt.Errorf("linear: unknown variant %q", p.Variant)
	}
	if p.Deterministic {
		l.subgroup = 0
		l.ways = []*way{{shape: matvecWay{rows: 1}}}
		return nil
	}
	rows, tiled := []int{1, 2, 4, 8}, true
	if p.Variant == "" && info.Type == "cpu" && info.Backend == "webgpu" {
		// SwiftShader takes seconds to compile each large kernel, longer than they save.
		rows, tiled = rows[:3], false
	}
	var few []shape
	for i, m := range rows {
		most := m
		if i+1 == len(rows) {
			if most = matvecMost; !tiled {
				most = 0
			}
		}
		few = append(few, matvecWay{m, most, l.subgroup})
	}
	few = p.needed(few)
	for i, s := range few {
		l.ways = append(l.ways, &way{shape: s, late: p.Late && i > 0 && i+1 < len(few)})
	}
	if !tiled || p.MaxRows > 0 && p.MaxRows <= matvecMost {
		return nil
	}
	if large {
		l.ways = append(l.ways, &way{shape: tileWay{tile128, wideGroups}})
	}
	l.ways = append(l.ways, &way{shape: tileWay{tile: matmulTile}})
	return nil
}

// needed leaves out the ways for fewer rows than there will be, and for more.
func (p *LinearParams) needed(all []shape) (needed []shape) {
	for i, s := range all {
		if p.MinRows > 0 && !s.takes(p, p.MinRows) {
			continue
		}
		if i > 0 && p.MaxRows > 0 && all[i-1].takes(p, p.MaxRows) {
			break
		}
		needed = append(needed, s)
	}
	return needed
}

// upTo says whether m is at most so many; 0: any number.
func upTo(most, m int) bool { return most == 0 || m <= most }
