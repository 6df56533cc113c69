package engine

import (
	"errors"
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/schedule"
	"quire/paging"
)

// wholeSeqs is how many sequences of the whole context the KV cache holds at most, unless Options say its size or MaxSeqs:
// few sequences grow so long, and more memory would lie idle beside a small model.
const wholeSeqs = 8

// defaultKVMemory is the most that the KV cache may take unless Options say: generous on a card of its own, modest elsewhere.
func defaultKVMemory(info gpu.AdapterInfo) uint64 {
	if info.Type == "discrete" {
		return 2 << 30
	}
	return 512 << 20
}

// kvNeeds is what the size of the KV cache depends on.
type kvNeeds struct {
	layout  func(kernel.KVType) kernel.KVLayout
	kvType  kernel.KVType
	layers  int // of a KV group
	groups  []paging.Group
	budget  int    // tokens of a step
	trained int    // the context that the model was trained for
	context int    // the one that is asked for; 0: none
	seqs    int    // of the whole context that it should hold
	memory  uint64 // bytes that it may take
	binding uint64 // bytes that one layer's K, or V, may take
}

func (n *kvNeeds) perBlock(t kernel.KVType) uint64 {
	return 2 * uint64(n.layers) * n.layout(t).Bytes(1)
}

// fit returns how many blocks the KV cache has, the null block included, and the context that fits in them.
func (n *kvNeeds) fit() (blocks, context int, err error) {
	perBlock, bound := n.perBlock(n.kvType), n.binding/n.layout(n.kvType).Bytes(1)
	context = n.trained
	if n.context > 0 {
		context = n.context
	}
	room := schedule.Room{Groups: n.groups, BlockSize: n.layout(n.kvType).BlockSize, TokenBudget: n.budget}
	inContext := room.Blocks(context)
	count := min(n.memory/perBlock, bound)
	// More blocks than the sequences can fill are of no use.
	if count/uint64(n.seqs) >= inContext {
		count = min(count, uint64(n.seqs)*inContext+1)
	}
	raise := " or raise the KV memory"
	if bound < n.memory/perBlock { // the adapter's limit
		raise = ""
	}
	least := 1 + uint64(max(1, len(n.groups)))
	may := amount(float64(min(n.memory, bound*perBlock)))
	switch {
	case count < least:
		return 0, 0, fmt.Errorf("%w: a KV cache of %d blocks needs %s as %s and may have %s: lower the block size%s%s",
			gpu.ErrOutOfMemory, least, amount(float64(least)*float64(perBlock)), n.kvType, may, raise, n.smaller(least))
	case n.context > 0 && count < inContext+1:
		return 0, 0, fmt.Errorf("%w: the KV cache for a context of %d needs %s as %s and may have %s: lower the context to %d%s%s",
			gpu.ErrOutOfMemory, n.context, amount(float64(inContext+1)*float64(perBlock)), n.kvType, may, room.Slots(int(count)-1), raise, n.smaller(inContext+1))
	}
	return int(count), min(context, room.Slots(int(count)-1)), nil
}

// largest returns the longest context that fits for one sequence, by KV type; at most what the model was trained for.
func (n *kvNeeds) largest() map[string]int {
	all := map[string]int{}
	one := *n
	one.context, one.seqs = 0, 1
	for _, name := range kernel.KVTypes() {
		one.kvType, _ = kernel.ParseKVType(name)
		_, all[name], _ = one.fit()
	}
	return all
}

// beyond warns of a context that the model was not trained for.
func beyond(asked, trained int) []string {
	if asked <= trained {
		return nil
	}
	return []string{fmt.Sprintf("the context of %d tokens is more than the %d that the model was trained for: what it writes beyond them is hardly of use", asked, trained)}
}

// smaller says what so many blocks would need in the KV type whose rows are the smallest.
func (n *kvNeeds) smaller(blocks uint64) string {
	smallest := smallestKV(n.layout(n.kvType))
	if smallest == n.kvType {
		return fmt.Sprintf("; %s is the smallest KV type", smallest)
	}
	fits := ""
	if blocks <= min(n.memory/n.perBlock(smallest), n.binding/n.layout(smallest).Bytes(1)) {
		fits = ", which fits"
	} else {
		one := *n
		one.kvType, one.trained, one.context, one.seqs = smallest, max(n.trained, n.context), 0, 1
		if _, context, err := one.fit(); err == nil {
			fits = fmt.Sprintf(", and has room for a context of %d", context)
		}
	}
	return fmt.Sprintf("; %s, the smallest KV type, needs %s%s", smallest, amount(float64(blocks)*float64(n.perBlock(smallest))), fits)
}

// smallestKV returns the type in which a row takes the fewest words: the layout's own, where none takes fewer.
func smallestKV(l kernel.KVLayout) kernel.KVType {
	best := l
	for _, t := range []kernel.KVType{kernel.KVF32, kernel.KVF16, kernel.KVBF16, kernel.KVQ8} {
		l.Type = t
		if l.RowWords() < best.RowWords() {
			best = l
		}
	}
	return best.Type
}

// memoryNeeds is what a model needs on the GPU.
type memoryNeeds struct {
	weights, kv, states uint64 // bytes
	state               uint64 // that one sequence needs
	context             int
	cache               kvNeeds
}

// explain adds to an error of too little memory what all needs, and what would fit in what the GPU gave.
func (n *memoryNeeds) explain(err error) error {
	if !errors.Is(err, gpu.ErrOutOfMemory) {
		return err
	}
	states := ""
	if n.states > 0 {
		states = fmt.Sprintf(", %s for states", amount(float64(n.states)))
	}
	return fmt.Errorf("%w; the model needs %s in all: %s for weights, %s for a KV cache in %s with a context of %d%s; %s", err,
		amount(float64(n.weights+n.kv+n.states)), amount(float64(n.weights)), amount(float64(n.kv)), n.cache.kvType, n.context, states, n.fitting(err))
}

// leastContext is what a KV cache must have room for that gets smaller by itself.
const leastContext = 1024

// less gives how much the KV cache may take after the GPU had no room for what was to be made: half. It gives 0 where that would not
// help, or leave too little.
func (n *memoryNeeds) less(err error) uint64 {
	var told *gpu.MemoryError
	if !errors.As(err, &told) || told.Held < n.weights {
		return 0
	}
	cache := n.cache
	cache.memory = n.kv / 2
	if _, context, err := cache.fit(); err != nil || context < min(leastContext, n.context) {
		return 0
	}
	return cache.memory
}

// fitting says what to lower: to which context, where the GPU's memory is known by what it gave.
func (n *memoryNeeds) fitting(err error) string {
	cache := n.cache
	cache.kvType, cache.context, cache.seqs = smallestKV(n.cache.layout(n.cache.kvType)), 0, 1
	advice := fmt.Sprintf("lower the KV memory or the context, take the smallest KV type, %s, or choose a smaller model", cache.kvType)
	if cache.kvType == n.cache.kvType {
		advice = fmt.Sprintf("lower the KV memory or the context (%s is the smallest KV type) or choose a smaller model", cache.kvType)
	}
	var told *gpu.MemoryError
	if !errors.As(err, &told) || told.Asked > told.Limit {
		return advice
	}
	fixed := n.weights + n.state
	cache.memory = max(told.Held, fixed) - fixed
	_, context, none := cache.fit()
	if none != nil {
		return fmt.Sprintf("what the GPU gave, %s, is too little for the weights with any context, even in %s, the smallest KV type: choose a smaller model", amount(float64(told.Held)), cache.kvType)
	}
	return fmt.Sprintf("in what the GPU gave, %s, a context of about %d fits in %s, the smallest KV type: %s", amount(float64(told.Held)), context, cache.kvType, advice)
}

// amount writes a size in the units that settings of memory take.
func amount(n float64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", n/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", n/(1<<20))
	}
	return fmt.Sprintf("%.0f bytes", n)
}
