package kernel

import (
	"fmt"
	"math"
	mathbits "math/bits"
	"runtime"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// stripsShape is how a kernel that sums strips in f16 shares its work.
type stripsShape struct {
	rows, tile int // of x that a workgroup multiplies, and of W that an invocation does
	lanes      int // invocations that share them, each a part of K; at most a subgroup
	workgroup  int
	parts      int // of K, that as many of its groups share: 0: one
	chunk      int // strips of x that are staged at once: a multiple of lanes·parts
}

// columns is the rows of W that a workgroup multiplies.
func (s stripsShape) columns() int { return s.workgroup / max(1, s.parts) / s.lanes * s.tile }

// room is the workgroup memory that a kernel takes, in bytes: for x, and for its squares.
func (s stripsShape) room(p *LinearParams, subgroup int) int {
	squares := 1
	if p.Norm {
		squares = s.rows * s.workgroup / subgroup
	}
	return s.rows*8*(s.chunk+1)*8 + 4*squares + 16*s.workgroup*max(0, s.parts-1)
}

// stripsWay multiplies a few rows of x by strips, of at least so many and at most so many in all; 0: any number.
type stripsWay struct {
	stripsShape
	fewest, most int
	subgroup     uint32
}

func (w stripsWay) takes(_ *LinearParams, m int) bool { return m >= w.fewest && upTo(w.most, m) }
func (w stripsWay) norms() bool                       { return true }

func (w stripsWay) groups(_ *LinearParams, piece Piece, m int) (x, y, z uint32) {
	x, y = Fold(ceilDiv(piece.Rows, w.columns()))
	return x, y, uint32(ceilDiv(m, w.rows))
}

// specs specialises shaders/strips.wgsl.
func (w stripsWay) specs(p *LinearParams, piece Piece) ([]Spec, error) {
	s := p.spec("strips", piece, true)
	s.Shape += fmt.Sprintf(" ×%d", w.rows)
	grain := 2
	if p.storesHeads(w.rows) {
		grain = 4
	}
	grains := max(1, w.tile*w.rows/w.lanes/grain)
	s.Consts = append(s.Consts, Const{"ROWS", w.rows}, Const{"QUADS", w.rows / 4}, Const{"K", p.Matrix.Cols},
		Const{"LANES", w.lanes}, Const{"TILE", w.tile}, Const{"WORKGROUP", w.workgroup}, Const{"SUMS", w.tile * w.rows}, Const{"CHUNK", w.chunk},
		Const{"HELD", ceilDiv(w.chunk*8*w.rows/4, w.workgroup)}, Const{"PARTS", max(1, w.parts)}, Const{"SPANS", mathbits.TrailingZeros(uint(w.lanes))},
		Const{"GRAINS", grains}, Const{"ENDS", grains * grain}, Const{"FOLDS", mathbits.TrailingZeros(uint(w.subgroup))},
		Const{"NORM", p.Norm}, Const{"EPS", p.Eps}, Const{"GATHER", p.Gather}, Const{"SHRINK", p.stripsShrink()})
	s.Slots["ends"], s.Slots["share"], s.Slots["factors"], s.Slots["pair"] = "ends_pairs", "share_strip", "factors_strips", "pair_unpacked"
	if runtime.GOOS == "js" {
		s.Slots["pair"] = "pair_bitcast"
	}
	s.Bindings = append(s.Bindings, gpu.ReadOnly)
	if p.storesHeads(w.rows) {
		p.storeHeads(&s, "ends", "ends_heads")
	} else {
		s.Consts = append(s.Consts, Const{"EVEN", piece.Rows%w.columns() == 0})
	}
	s.Slots["added"] = "added_none"
	if p.Adapters != nil {
		s.Slots["added"] = "added_lora"
		p.Adapters.adapt(&s, p.AdaptersAt)
	}
	s.Unrolled, s.MaxTurns = true, -1
	s.Variant, s.Needs = "strips", gpu.FeatureSubgroups|gpu.FeatureF16
	return []Spec{s}, nil
}

// stripsShrink is the factor of x that keeps it to f16's range, up to 32,752 where a stream is as large as most models'.
func (p *LinearParams) stripsShrink() float32 {
	larger := 0
	if p.Norm && p.Stream > 1 {
		larger = int(math.Round(math.Log2(float64(p.Stream))))
	}
	return float32(math.Ldexp(1, -7-larger))
}

// strips is the way of five to eight rows of Q4_0's codes, with their products summed in f16. But by name, matrices so small that all wait for
// memory are left to others.
func (a arithmetic) strips(p *LinearParams) (w stripsWay, ok bool) {
	if !a.halves || a.matrix && a.named || p.Deterministic || p.Matrix.Type != quant.Q4_0 || p.Matrix.Rows < 4096 && !a.named {
		return w, false
	}
	s := stripsShape{rows: 8, tile: 4, lanes: 8, workgroup: 128, chunk: 32}
	switch {
	case p.Matrix.Rows < 8192: // as many groups as fill a large GPU, of as many invocations as may be
		s.lanes, s.workgroup = 32, 256
		wide := s
		if wide.workgroup = 384; p.Matrix.Rows < 6144 {
			wide.workgroup, wide.parts, wide.chunk = 512, 2, 64
		}
		if p.Matrix.Cols >= 4096 && a.invocations >= wide.workgroup && a.subgroup == 32 && wide.room(p, 32) <= a.memory {
			s = wide
		}
	case p.Matrix.Cols >= 4096 && p.Matrix.Rows < 65536: // x is staged for more rows of W at once, which slows a head's
		s.workgroup = 256
		if a.invocations >= 448 { // 128 groups of the 28,672 rows of an 8B's gate and up, for 132 units
			s.workgroup = 448
		}
	}
	s.lanes = min(s.lanes, int(a.subgroup))
	return stripsWay{s, 5, 8, a.subgroup}, s.room(p, int(a.subgroup)) <= a.memory
}
