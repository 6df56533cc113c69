package runner

import (
	"io"
	"strconv"
	"strings"

	"quire/engine/model"
)

// ranks are where an adapter lies among those that there is room for.
type ranks struct{ first, count int }

// adapters are those on the GPU.
type adapters struct {
	rank    int // there is room for
	placed  map[string]ranks
	factors map[string][]float32 // of the combinations that steps had
}

// Place moves an adapter to the GPU, to ranks from first on, before the steps submitted from now on. Rows name it by its number.
func (r *Runner) Place(number uint64, ad *model.Adapter, src io.ReaderAt, first int) error {
	a := &r.translator.adapters
	a.placed[strconv.FormatUint(number, 10)] = ranks{first, ad.Rank}
	clear(a.factors)
	return r.graph.Place(ad, src, first)
}

// mostFactors is how many combinations are kept: scales may be any number.
const mostFactors = 256

// of gives the factors of all ranks for a row with these adapters; nil where it has none.
func (a *adapters) of(name string) []float32 {
	if name == "" {
		return nil
	}
	factors, ok := a.factors[name]
	if !ok {
		factors = make([]float32, a.rank)
		for one := range strings.SplitSeq(name, ",") {
			number, scale, _ := strings.Cut(one, ":")
			factor, _ := strconv.ParseFloat(scale, 32)
			at := a.placed[number]
			for i := range at.count {
				factors[at.first+i] = float32(factor)
			}
		}
		if len(a.factors) >= mostFactors {
			clear(a.factors)
		}
		a.factors[name] = factors
	}
	return factors
}
