package attention

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// pairwise picks one of counts[i] options of each kind i such that every two options of different kinds occur together:
// greedily, the best of a few random picks around two that are still missing.
func pairwise(seed uint64, counts ...int) [][]int {
	type two struct{ i, a, j, b int }
	var missing []two
	for i, n := range counts {
		for j := range i {
			for a := range n {
				for b := range counts[j] {
					missing = append(missing, two{i, a, j, b})
				}
			}
		}
	}
	rng := rand.New(rand.NewPCG(seed, 2))
	var picks [][]int
	for len(missing) > 0 {
		var best []int
		var left []two
		for range 50 {
			pick := make([]int, len(counts))
			for i, n := range counts {
				pick[i] = rng.IntN(n)
			}
			m := missing[rng.IntN(len(missing))]
			pick[m.i], pick[m.j] = m.a, m.b
			var rest []two
			for _, m := range missing {
				if pick[m.i] != m.a || pick[m.j] != m.b {
					rest = append(rest, m)
				}
			}
			if best == nil || len(rest) < len(left) {
				best, left = pick, rest
			}
		}
		picks, missing = append(picks, best), left
	}
	return picks
}

// singly picks such that every option occurs at least once, neighbours of a kind beside others of the next.
func singly(counts ...int) [][]int {
	picks := make([][]int, slices.Max(counts))
	for p := range picks {
		for i, n := range counts {
			picks[p] = append(picks[p], (p+i)%n)
		}
	}
	return picks
}

func TestPairwise(t *testing.T) {
	counts := []int{11, 3, 3, 2, 4}
	picks := pairwise(1, counts...)
	require.Less(t, len(picks), 60)
	for i, n := range counts {
		for j := range i {
			seen := map[[2]int]bool{}
			for _, p := range picks {
				seen[[2]int{p[i], p[j]}] = true
			}
			require.Len(t, seen, n*counts[j], "kinds %d and %d", i, j)
		}
	}
}
