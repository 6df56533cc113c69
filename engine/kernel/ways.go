package kernel

import (
	"slices"
	"sync/atomic"

	"quire/engine/gpu"
)

// way is how a product is done for some numbers of rows: by kernels of one shape.
type way struct {
	shape
	late     bool            // is made once there are rows for it; until then others do its work
	standIns []int           // these, of a late way: the first that is there
	kernels  [][]*gpu.Kernel // for each piece one a part of K; none of a late way at first
	sum      *gpu.Kernel     // of one that sums in parts
	wanted   atomic.Bool     // there have been rows for a late way
	begun    bool            // a late way's kernels have been asked for
	taken    atomic.Bool     // they are there, and compute rightly
	givenUp  atomic.Bool     // they will not be: others do its work for good
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
		kernels = append(kernels, dev.Kernel(m))
	}
	w.kernels = append(w.kernels, kernels)
	return nil
}

// choose takes the ways that suit the adapter.
func (l *Linear) choose(info gpu.AdapterInfo) error {
	p := &l.params
	a, err := arithmeticOf(p.Variant, info)
	if err != nil {
		return err
	}
	// On a large GPU a row's norm is sooner done by a whole workgroup than by a subgroup.
	if !a.large && !p.Deterministic {
		l.subgroup = a.subgroup
	}
	p.large = a.large && a.subgroup > 0 && p.Variant == ""
	if p.Row != nil && (p.Variant != "" || p.Deterministic || !p.fits(p.Row.shape(), info.Limits)) {
		p.Row = nil
	}
	if p.Variant != "" || p.Deterministic {
		p.Tiles = TileNames{}
	}
	var all []shape
	switch {
	case p.only != nil:
		all = []shape{p.only}
	case p.Deterministic:
		all = []shape{matvecWay{rows: 1}}
	case a.large && a.subgroup > 0:
		all = a.many(p)
	case a.large:
		all = append(matvecs([]int{1, 2, 4, 8}, a.subgroup, matvecMost), a.tiles()...)
	case p.Variant == "" && info.Type == "cpu" && info.Backend == "webgpu":
		// SwiftShader takes seconds to compile each large kernel, longer than they save.
		all = matvecs([]int{1, 2, 4}, a.subgroup, 0)
	default:
		all = append(matvecs([]int{1, 2, 4, 8}, a.subgroup, matvecMost), tileWay{tile: matmulTile})
	}
	if p.only == nil && p.Tiles != (TileNames{}) {
		all = a.tuned(p, all)
	}
	for _, s := range p.needed(all) {
		l.ways = append(l.ways, &way{shape: s})
	}
	if p.Late && Arithmetic(p.Variant) == p.Variant { // what is asked for by name is there at once
		l.wait()
	}
	return nil
}

// earlyRows are what a model is asked for first: a token, and a long prompt, with which the adapter is measured.
var earlyRows = []int{1, 512}

// wait settles which ways are late. What a layer's other products find stored must be so whichever of them is there: they come one by one.
func (l *Linear) wait() {
	p := &l.params
	for _, w := range l.ways {
		w.late = true
	}
	for _, m := range earlyRows {
		if m == 1 || p.MaxRows == 0 || m <= p.MaxRows {
			l.ways[l.way(max(m, p.MinRows))].late = false
		}
	}
	for i, w := range l.ways {
		if w.standIns = l.standIns(i); w.late && p.Heads != nil && p.apart {
			w.late = l.ways[w.standIns[slices.IndexFunc(w.standIns, func(j int) bool { return !l.ways[j].late })]].stores(p) == w.stores(p)
		}
	}
}

// standIns are the ways that could do a way's work, the best first: few rows go by others for few, or one by one, before they go by tiles.
// What sums in parts has no room for any number of rows.
func (l *Linear) standIns(i int) (list []int) {
	few := func(j int) bool { return l.ways[j].norms() && !l.ways[j].takes(&l.params, 9) }
	rest := i + 1
	if few(i) {
		for ; rest < len(l.ways) && few(rest); rest++ {
			list = append(list, rest)
		}
		for j := i - 1; j >= 0; j-- {
			list = append(list, j)
		}
	}
	for j := rest; j < len(l.ways); j++ {
		list = append(list, j)
	}
	for j := i - 1; j >= 0 && !few(i); j-- {
		list = append(list, j)
	}
	if !few(i) { // many rows a few at a time would read the weights again and again
		slices.SortStableFunc(list, func(a, b int) int { return order(few(a), few(b)) })
	}
	return slices.DeleteFunc(list, func(j int) bool { return l.ways[j].split() })
}

// order is by false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// needed leaves out ways that no number of rows would take that there may be.
func (p *LinearParams) needed(all []shape) (needed []shape) {
	taken := make([]bool, len(all))
	most := p.MaxRows
	if most == 0 {
		most = 1 << 16
	}
	for m := max(1, p.MinRows); m <= most; {
		for i, s := range all {
			if s.takes(p, m) || i == len(all)-1 {
				taken[i] = true
				break
			}
		}
		if m++; m > 512 && m < most { // from here on only how many tiles there are counts
			m = min(2*m, most)
		}
	}
	for i, s := range all {
		if taken[i] {
			needed = append(needed, s)
		}
	}
	return needed
}

// upTo says whether m is at most so many; 0: any number.
func upTo(most, m int) bool { return most == 0 || m <= most }
