package attention

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"quire/engine/kernel"
)

// everything reports whether the long tests are wanted; they need a real GPU, or much time.
func everything() bool { return os.Getenv("QUIRE_ALL") != "" }

// onTheFirstHost skips what other tests have on the other hosts, too, or what no adapter computes and whose kernels compile for
// nothing.
func onTheFirstHost(t *testing.T) {
	t.Helper()
	if caseShare() > 1 {
		t.Skip("the first host's turn")
	}
}

var (
	coverDims  = []int{32, 40, 59, 64, 80, 96, 111, 128, 160, 192, 256}
	shortDims  = []int{32, 59, 160, 256}
	coverHeads = [][2]int{{8, 8}, {8, 2}, {6, 1}}
	shortPairs = [][2]int{{1, 239}, {3, 250}, {127, 200}, {113, 203}, {108, 256}, {20, 7}}
	fullPairs  = [][2]int{{1, 239}, {3, 799}, {127, 513}, {113, 203}, {108, 256}}
	longPairs  = [][2]int{{1023, 1024}, {1024, 1023}, {2048, 2048}}
)

// covering gives picks in which every two options occur together or, on hosts that repeat the first one's kernels, every
// option occurs.
func covering(seed uint64, counts ...int) [][]int {
	if caseShare() > 1 {
		return singly(counts...)
	}
	return pairwise(seed, counts...)
}

// covered gives launches over the pairs with covering options.
func covered(seed uint64, dims []int, pairs [][2]int) []launchCase {
	var cases []launchCase
	for _, pick := range covering(seed, len(dims), len(coverHeads), 3, 2, 2, 2, 4, 4, 3, 2, 2) {
		heads := coverHeads[pick[1]]
		c := launchCase{pairs: pairs, maskHeads: 1, params: Params{
			HeadDim: dims[pick[0]], Heads: heads[0], KVHeads: heads[1], Bidirectional: pick[3] == 1, ALiBi: pick[4] == 1,
			Softcap: 50 * float32(pick[5]), KVType: kernel.KVType(pick[7]), QType: kernel.KVType(pick[8]), Contiguous: pick[9] == 1,
		}}
		if pick[2] > 0 {
			c.params.Window = 50
		}
		if pick[2] > 1 {
			c.params.Sinks = 5
		}
		switch pick[6] {
		case 1:
			c.params.Mask = BooleanMask
		case 2:
			c.params.Mask = AdditiveMask
		case 3:
			c.params.Mask, c.maskHeads = AdditiveMask, heads[0]
		}
		if pick[10] == 1 {
			c.params.Dropout.P = 0.2
		}
		cases = append(cases, c)
	}
	return cases
}

// Covering options, with head dims of each kind of padding, in one launch of several lengths each.
func TestCovering(t *testing.T) {
	dims := shortDims
	if everything() {
		dims = coverDims
	}
	for i, c := range covered(1, dims, shortPairs) {
		c.span = []int{0, 64}[i%2]
		t.Run(c.String(), func(t *testing.T) {
			l := newLaunch(t, c)
			l.run()
			l.check()
		})
	}
}

func TestLongSequence(t *testing.T) {
	l := newLaunch(t, launchCase{pairs: [][2]int{{1024, 1024}}, long: true, params: Params{HeadDim: 32, Heads: 2, KVHeads: 1}})
	l.run()
	l.check()
}

// Every combination of the head dims, head layouts and what hides or changes scores, over the pairs up to 799, and a
// covering set over the longer ones.
func TestEverything(t *testing.T) {
	if !everything() {
		return
	}
	var cases []launchCase
	for i := range len(coverDims) * len(coverHeads) * 12 {
		dim, rest := coverDims[i%len(coverDims)], i/len(coverDims)
		heads, rest := coverHeads[rest%len(coverHeads)], rest/len(coverHeads)
		p := Params{HeadDim: dim, Heads: heads[0], KVHeads: heads[1], ALiBi: rest%2 == 1, Softcap: 50 * float32(rest/2%2), Contiguous: i%2 == 0,
			Variant: os.Getenv("QUIRE_VARIANT")}
		// Sinks without a window change nothing.
		if rest/4 > 0 {
			p.Window = 100
		}
		if rest/4 > 1 {
			p.Sinks = 5
		}
		// In the tab one thread computes the reference.
		cases = append(cases, launchCase{params: p, pairs: fullPairs, long: runtime.GOOS == "js"})
	}
	for _, c := range covered(4, []int{64, 111, 128, 256}, longPairs) {
		c.long = true
		c.params.Variant = os.Getenv("QUIRE_VARIANT")
		cases = append(cases, c)
	}
	worst, failed := 0.0, 0
	for i, c := range cases {
		ok := t.Run(c.String(), func(t *testing.T) {
			l := newLaunch(t, c)
			l.run()
			worst = max(worst, l.check())
		})
		if !ok {
			failed++
		}
		if i%50 == 49 {
			fmt.Printf("attention: %d of %d launches\n", i+1, len(cases))
		}
	}
	fmt.Printf("attention forward: %d launches, %d failed; the worst error is %.2f of what is allowed\n", len(cases), failed, worst)
}
