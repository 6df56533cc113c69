package runner

import (
	"io"
	"strconv"
	"strings"

	"quire/engine/kernel"
	"quire/engine/model"
)

// ranks are where an adapter lies among those that there is room for.
type ranks struct{ first, count int }

// adapters are those on the GPU.
type adapters struct {
	placed map[string]ranks
	lists  map[string][]kernel.AdapterFour // of the combinations that steps had
}

// Place moves an adapter to the GPU, to ranks from first on, before the steps submitted from now on. Rows name it by its number.
func (r *Runner) Place(number uint64, ad *model.Adapter, src io.ReaderAt, first int) error {
	a := &r.translator.adapters
	a.placed[strconv.FormatUint(number, 10)] = ranks{first, ad.Rank}
	clear(a.lists)
	return r.graph.Place(ad, src, first)
}

// mostLists is how many combinations are kept: scales may be any number.
const mostLists = 256

// of gives the ranks of a row that has these adapters; nil where it has none.
func (a *adapters) of(name string) []kernel.AdapterFour {
	if name == "" {
		return nil
	}
	list, ok := a.lists[name]
	if !ok {
		var named []kernel.Adapter
		for one := range strings.SplitSeq(name, ",") {
			number, scale, _ := strings.Cut(one, ":")
			factor, _ := strconv.ParseFloat(scale, 32)
			if at := a.placed[number]; at.count > 0 {
				named = append(named, kernel.Adapter{First: at.first, Ranks: at.count, Factor: float32(factor)})
			}
		}
		list = kernel.AdapterFours(named)
		if len(a.lists) >= mostLists {
			clear(a.lists)
		}
		a.lists[name] = list
	}
	return list
}
