package attention

import "quire/engine/gpu"

// tiles are the named tiles. A multiply-add of the scores reads (RQ+RK)/(RQ·RK) floats of workgroup memory, RQ × RK being
// what an invocation owns; of the output likewise, with its columns for RK.
var tiles = []shape{
	{name: "tile16x16", rows: 16, keys: 16, threadsX: 4, threadsY: 4},
	{name: "tile32x32", rows: 32, keys: 32, threadsX: 8, threadsY: 8},
	{name: "tile32x64", rows: 32, keys: 64, threadsX: 16, threadsY: 8},
	{name: "tile64x32", rows: 64, keys: 32, threadsX: 8, threadsY: 8},
	{name: "tile64x64", rows: 64, keys: 64, threadsX: 16, threadsY: 8},
	{name: "tile64x64x256", rows: 64, keys: 64, threadsX: 16, threadsY: 16},
	{name: "tile128x32", rows: 128, keys: 32, threadsX: 8, threadsY: 16},
	{name: "wide64x64", rows: 64, keys: 64, threadsX: 16, threadsY: 8, wide: true},
	{name: "wide64x64x256", rows: 64, keys: 64, threadsX: 16, threadsY: 16, wide: true},
	{name: "wide128x64", rows: 128, keys: 64, threadsX: 16, threadsY: 16, wide: true},
	{name: "square64x64", rows: 64, keys: 64, threadsX: 8, threadsY: 8, square: true},
	{name: "square128x128", rows: 128, keys: 128, threadsX: 16, threadsY: 16, square: true},
	{name: "split32", keys: 32, threadsX: 32, decode: true},
	{name: "split64", keys: 64, threadsX: 64, decode: true},
	{name: "split128", keys: 128, threadsX: 64, decode: true},
	{name: "direct128x2", keys: 2, threadsX: 128, decode: true, direct: true},
	{name: "direct128x4", keys: 4, threadsX: 128, decode: true, direct: true},
	{name: "direct256x4", keys: 4, threadsX: 256, decode: true, direct: true},
}

func tileNames() []string {
	var names []string
	for _, s := range tiles {
		names = append(names, s.name)
	}
	return names
}

// Tiles lists the variants of tiles that an adapter runs for the parameters: of prefill, and of decode. "baseline" is
// among both.
func Tiles(info gpu.AdapterInfo, p Params) (prefill, decode []string) {
	prefill, decode = []string{"baseline"}, []string{"baseline"}
	for _, s := range tiles {
		p.Variant = s.name
		if _, err := p.choose(info); err != nil {
			continue
		}
		if s.decode {
			decode = append(decode, s.name)
		} else {
			prefill = append(prefill, s.name)
		}
	}
	for _, t := range matrixTiles {
		if t.check(p, info) == nil {
			prefill = append(prefill, t.name)
		}
	}
	return prefill, decode
}

// defaults are the tiles of adapters that are no software, from the largest head dim that each serves well; of several the
// first that the adapter runs.
var defaults = []struct {
	headDim  int
	prefill  []string
	discrete []string // prefill on a discrete GPU
	many     []string // there, where it is wide, of many rows
	decode   []string
}{
	{32, []string{"tile32x32"}, []string{"tile64x64x256", "tile64x32"}, nil, []string{"direct128x4", "split64"}},
	{64, []string{"tile32x32"}, []string{"wide64x64x256", "tile64x32"}, []string{"square128x128"}, []string{"direct128x4", "split64"}},
	{128, []string{"tile32x32"}, []string{"square128x128", "wide128x64", "wide64x64x256", "tile64x64"}, nil, []string{"direct128x4", "split32"}},
	{256, []string{"tile32x32"}, []string{"wide64x64x256", "tile32x64"}, nil, []string{"direct128x4", "split32"}},
	{MaxHeadDim, []string{"tile32x64"}, []string{"wide64x64x256", "tile32x64"}, nil, []string{"direct128x4", "split32"}},
}

// adapt replaces the baseline by what suits an adapter's kind, and that by what was measured on it.
func (p Params) adapt(c *choice, info gpu.AdapterInfo) {
	c.subgroup = p.Tuning.prefersSubgroups(info)
	p.adaptToKind(c, info)
	if b := p.Tuning.best(p.HeadDim); b != nil {
		p.adopt(c, b, info)
	}
	if info.Type == "discrete" {
		c.few = p.fewFor(c.decode, info)
	}
}

// adaptToKind takes the default tiles. Software adapters keep the baseline: they take long to compile large kernels and gain
// nothing from them.
func (p Params) adaptToKind(c *choice, info gpu.AdapterInfo) {
	if info.Type == "cpu" {
		return
	}
	for _, d := range defaults {
		if p.HeadDim > d.headDim {
			continue
		}
		prefill := d.prefill
		if info.Type == "discrete" {
			prefill = d.discrete
		}
		if found := p.firstThatRuns(prefill, info); found != nil {
			c.prefill = found.prefill
		}
		if found := p.firstThatRuns(d.many, info); found != nil && info.Type == "discrete" {
			c.many = found.prefill
		}
		if found := p.firstThatRuns(d.decode, info); found != nil {
			c.decode = found.decode
		}
		return
	}
}

// firstThatRuns returns the choice of the first of the names that the adapter runs, or nil. Where the tuning found subgroups
// wrong, what goes through them does not count.
func (p Params) firstThatRuns(names []string, info gpu.AdapterInfo) *choice {
	for _, name := range names {
		p.Variant = name
		found, err := p.choose(info)
		if err == nil && !(found.decode.direct && !p.Tuning.prefersSubgroups(info)) {
			return &found
		}
	}
	return nil
}

// memoryLimit returns the bytes of workgroup memory that named tiles may take.
func memoryLimit(info gpu.AdapterInfo) int {
	return min(namedMemory, max(baselineMemory, int(info.Limits.MaxComputeWorkgroupStorageSize)))
}
