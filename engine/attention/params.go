package attention

import (
	"fmt"
	"math"

	"quire/engine/kernel"
)

// Params specialise attention for the layers of one KV group. The zero values of what is optional leave it out.
type Params struct {
	HeadDim    int // up to MaxHeadDim
	Heads      int // query heads, a multiple of KVHeads
	KVHeads    int
	BlockSize  int           // slots of a KV block
	BlockPad   int           // words between two blocks: see kernel.KVLayout
	KVType     kernel.KVType // of K and V
	QType      kernel.KVType // of the queries: f32, f16 or bf16, a head's row padded to whole words
	Contiguous bool          // K and V lie [token][KV head][row], one sequence after another, without blocks
	Group      int           // KV group whose block tables are walked
	List       int           // of the step's item lists
	QStride    int           // words from one token's queries to the next
	QOffset    int           // words before the first query head in a token's row
	OutStride  int           // words from one token's output to the next
	Scale      float32       // of q·k, usually 1/√HeadDim

	Bidirectional bool     // a query sees keys after its own position too; without, the last query sits at the last key
	Window        int      // a query sees keys less than Window from its own position; 0 sees all
	Sinks         int      // the first Sinks keys stay visible under a window
	ALiBi         bool     // scores fall with distance, by the step's slope of each head (arXiv 2108.12409, section 3)
	Softcap       float32  // scores are bounded to ±Softcap by tanh; 0 leaves them
	Mask          MaskKind // what the sequences' masks may do
	Dropout       Dropout
	LSE           bool // write each row's log-sum-exp too, [token][Heads], EmptyLSE where a row sees nothing

	// MaxKeys is the most keys of a sequence, and queries where there is a backward pass; 0: as many as one launch walks
	// (Attention.MaxKeys). With more, prefill and the backward pass take as many launches as they need.
	MaxKeys  int
	MaxTurns int // of an invocation's loops; 0: kernel.MaxTurns

	// Variant is "" to let the adapter decide, "baseline", or names joined by +: "subgroup", "f16", "matrix", and those of
	// tiles (see Tiles).
	Variant       string
	Tuning        *Tuning // what was measured on the adapter, for Variant ""; nil: nothing
	Shared        bool    // rows may share keys (Share); what then depends on more than the causal order forbids it
	SharedLate    bool    // the kernel of shared keys does not compile before there are some
	ManyLate      bool    // the kernel of many rows waits for Complete
	Deterministic bool    // every row through the prefill kernel, unsplit: one order of summation for each element
}

// MaxHeadDim is the largest head dim that the tiles serve, maxBackwardDim that of the backward pass.
const (
	MaxHeadDim     = 512
	maxBackwardDim = 256
)

// farthest is a distance that no two keys have, and that kernels may add to a position.
const farthest = 1 << 30

// EmptyLSE is the log-sum-exp of a row that sees nothing.
const EmptyLSE = -3e38

func (p Params) check() error {
	layout := kernel.KVLayout{HeadDim: p.HeadDim, KVHeads: p.KVHeads, BlockSize: p.BlockSize, Type: p.KVType, Pad: p.BlockPad}
	if p.Contiguous {
		layout.BlockSize = 1
	}
	if err := layout.Check(); err != nil {
		return fmt.Errorf("attention: %w", err)
	}
	switch {
	case p.HeadDim > MaxHeadDim:
		return fmt.Errorf("attention: head dim %d, at most %d is supported", p.HeadDim, MaxHeadDim)
	case p.Heads < 1 || p.Heads%p.KVHeads != 0:
		return fmt.Errorf("attention: %d heads do not share %d KV heads evenly", p.Heads, p.KVHeads)
	case p.QType > kernel.KVBF16:
		return fmt.Errorf("attention: queries of type %v: must be f32, f16 or bf16", p.QType)
	case p.Group < 0 || p.Group >= kernel.MaxGroups:
		return fmt.Errorf("attention: KV group %d, there are at most %d", p.Group, kernel.MaxGroups)
	case p.List < 0 || p.List >= kernel.MaxLists:
		return fmt.Errorf("attention: item list %d, there are at most %d", p.List, kernel.MaxLists)
	case p.QOffset < 0 || p.QStride < p.QOffset+p.Heads*p.queryWords():
		return fmt.Errorf("attention: q stride %d is less than offset %d and the query heads", p.QStride, p.QOffset)
	case p.OutStride < p.Heads*p.HeadDim:
		return fmt.Errorf("attention: output stride %d is less than the query heads", p.OutStride)
	}
	return p.checkSight()
}

// checkSight checks what changes or hides scores.
func (p Params) checkSight() error {
	switch {
	case p.MaxKeys < 0 || p.MaxKeys > farthest:
		return fmt.Errorf("attention: MaxKeys is %d, it must be from 0 to %d", p.MaxKeys, farthest)
	case p.Window < 0:
		return fmt.Errorf("attention: window %d is negative", p.Window)
	case p.Sinks < 0:
		return fmt.Errorf("attention: %d sinks: must not be negative", p.Sinks)
	case !(p.Softcap >= 0 && p.Softcap <= math.MaxFloat32):
		return fmt.Errorf("attention: softcap %v: must be finite and not negative", p.Softcap)
	case !(p.Scale != 0 && p.Scale >= -math.MaxFloat32 && p.Scale <= math.MaxFloat32):
		return fmt.Errorf("attention: scale %v: must be finite and not 0, usually 1/√HeadDim", p.Scale)
	case p.Mask > AdditiveMask:
		return fmt.Errorf("attention: unknown mask kind %d", p.Mask)
	case !(p.Dropout.P >= 0 && p.Dropout.P < 1):
		return fmt.Errorf("attention: dropout %v: must be in [0, 1)", p.Dropout.P)
	}
	return nil
}

// queryWords returns the words of one head's query.
func (p Params) queryWords() int {
	return kernel.KVLayout{HeadDim: p.HeadDim, Type: p.QType}.RowWords()
}
