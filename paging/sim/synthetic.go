package sim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// ErrSynthetic says that there is no synthetic workload of this name.
var ErrSynthetic = errors.New("sim: no such synthetic workload")

// synthetic workloads have the mean lengths of the paper's data sets (arXiv 2309.06180, figure 11), drawn from exponential
// distributions, which are about as uneven as theirs.
var synthetic = []struct {
	name           string
	prompt, output float64 // mean tokens
}{
	{"short", 161.31, 337.99},  // ShareGPT
	{"instruct", 19.31, 58.45}, // Alpaca
}

// SyntheticNames lists the synthetic workloads.
func SyntheticNames() []string {
	var names []string
	for _, w := range synthetic {
		names = append(names, w.name)
	}
	return names
}

// SyntheticRequests is the number of requests of a synthetic workload.
const SyntheticRequests = 2000

// Synthetic makes a workload, the same one every time: "short" are short conversations under a long maximum, as in the
// paper's figure 2; "instruct" are single instructions. All arrive at once.
func Synthetic(name string) ([]Request, error) {
	i := slices.Index(SyntheticNames(), name)
	if i < 0 {
		return nil, fmt.Errorf("%w: %q is none of %s", ErrSynthetic, name, strings.Join(SyntheticNames(), ", "))
	}
	draw := rand.New(rand.NewPCG(1, uint64(i)))
	length := func(mean float64) int { return 1 + int(math.Round((mean-1)*draw.ExpFloat64())) }
	requests := make([]Request, SyntheticRequests)
	for k := range requests {
		requests[k] = Request{Prompt: length(synthetic[i].prompt), Output: length(synthetic[i].output)}
	}
	return requests, nil
}
