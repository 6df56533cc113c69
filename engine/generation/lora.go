package generation

import (
	"math"
	"slices"
	"sort"
	"strconv"
)

// LoRA is an adapter in a request.
type LoRA struct {
	Adapter uint64  // the number of a loaded adapter
	Scale   float64 // of what it adds
}

// loraName names adapters and their factors, whatever their order: "1:1,3:0.5". No two loads have one number, so that what is cached
// under a name holds for it.
func loraName(all []LoRA) string {
	all = slices.Clone(all)
	sort.SliceStable(all, func(i, j int) bool { return all[i].Adapter < all[j].Adapter })
	var name []byte
	for i := 0; i < len(all); {
		id, scale := all[i].Adapter, 0.0
		for ; i < len(all) && all[i].Adapter == id; i++ {
			scale += all[i].Scale
		}
		if scale == 0 {
			continue
		}
		if len(name) > 0 {
			name = append(name, ',')
		}
		name = append(strconv.AppendUint(name, id, 10), ':')
		name = strconv.AppendFloat(name, scale, 'g', -1, 32)
	}
	return string(name)
}

// checkLoRA refuses factors that are no numbers.
func (r *Request) checkLoRA() error {
	for _, l := range r.LoRA {
		if !(math.Abs(l.Scale) <= math.MaxFloat32) { // or not a number
			return refuse("an adapter's scale is %g, it must be finite as a float of 32 bits", l.Scale)
		}
	}
	return nil
}
