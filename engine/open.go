package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"quire/engine/chat"
	"quire/engine/generation"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/grammar"
	"quire/engine/kernel"
	"quire/engine/loop"
	"quire/engine/model"
	"quire/engine/runner"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
	"quire/engine/tokenizer"
	"quire/paging"
)

// defaultDepth is Options.Depth unless it is set; the scheduler has the other defaults.
const defaultDepth = 4

// Open reads a model's header from src, moves its weights to the GPU and compiles what it needs. The engine owns src,
// also when Open fails.
func Open(ctx context.Context, src gpu.Source, o Options) (e *Engine, err error) {
	start := time.Now()
	e = &Engine{source: src, options: withDefaults(o), usualDepth: o.Depth == 0, done: make(chan struct{}), sightings: map[uint64]*sighting{}}
	e.machine = &machine{gpu: o.GPU, source: src, built: e.recovered, adapters: &e.adapters}
	opening := e // returning nil sets e, while the vocabulary may still be read
	defer func() {
		if err != nil {
			opening.machine.Release()
			err = doubt(ctx, src, err)
			src.Close()
			if o.DraftModel != nil {
				o.DraftModel.Close()
			}
		}
	}()
	e.machine.openAhead(ctx)
	f, err := gguf.Read(src, src.Size())
	if err != nil {
		return nil, err
	}
	e.header = min(f.DataOffset, src.Size())
	if e.plan, err = model.NewPlanWith(f, model.PlanOptions{Rank: e.options.LoRARank, Drafts: e.options.Speculation == "mtp"}); err != nil {
		return nil, err
	}
	limits := e.options.GrammarLimits
	e.readVocabulary = sync.OnceValue(func() error {
		defer func() { f = nil }() // most of a header is a vocabulary
		opening.headerSum = headerSum(f)
		return opening.useVocabulary(f, limits)
	})
	go func() {
		defer func() { _ = recover() }() // whoever asks panics, too
		_ = opening.readVocabulary()
	}() // while the device and its buffers are awaited: later the weights want the tab's thread
	e.machine.plan, e.adapters.rank = e.plan, e.plan.Rank
	if err = e.machine.open(ctx); err != nil {
		return nil, err
	}
	if err = e.load(ctx, o); err != nil {
		return nil, err
	}
	if err = e.readVocabulary(); err != nil {
		return nil, err
	}
	if err = e.fitBudget(ctx, o.TokenBudget != 0); err != nil {
		return nil, err
	}
	if err = e.newScheduler(); err != nil {
		return nil, err
	}
	for _, k := range e.machine.device.Kernels() {
		e.kernels = append(e.kernels, k.Module())
	}
	e.info.Variant, e.info.WeightBytes = variants(e.kernels), e.machine.WeightBytes()
	if c := e.machine.draft; c != nil {
		e.info.DraftModel, e.info.DraftBytes = c.plan.Config.Name, c.runner.WeightBytes()+c.bytes
	}
	compiled := e.machine.device.Compiled()
	e.info.Kernels = Kernels{Compiled: compiled.Kernels, Reused: compiled.Reused, Time: Duration{Duration: compiled.Time}}
	e.info.SelfTest = selfTest(e.machine.SelfTest())
	for _, name := range e.info.SelfTest.Replaced {
		e.info.Warnings = append(e.info.Warnings, fmt.Sprintf("adapter %s computes wrongly with kernel %s; its baseline runs in its place, slower: a newer driver may help", e.info.Adapter.Name, name))
	}
	e.info.WeightTime = Duration{Duration: e.machine.WeightTime()}
	e.info.Chat, e.info.Template = e.HasTemplate(), e.templateText
	e.info.LoadTime = Duration{Duration: time.Since(start)}
	e.limits = generation.Limits{
		Vocabulary: e.info.Vocabulary, Ends: e.tokenizer.Ends(), MaxSeqs: e.options.MaxSeqs, Context: e.scheduler.Limit,
		NoText: e.info.NoText, Whole: e.plan.Whole, Pooling: e.info.Pooling, Rank: e.rank(),
	}
	rows, drafter := e.speculation()
	if !e.plan.Guesses() {
		rows = 0
	}
	e.loop = loop.New(loop.Config{
		Runner: e.machine, Scheduler: e.scheduler, Depth: e.options.Depth, Short: e.shortSteps(e.info.Adapter), RunsAhead: e.runsAhead(), Drafter: drafter, Guesses: rows,
		Vocabulary: e.info.Vocabulary, Outputs: e.machine.options.MaxOutputs, Lost: isLost, Step: e.scheduled, Change: e.observe,
	})
	e.observe()
	go e.run()
	return e, nil
}

// runsAhead says whether tokens under grammars are drawn before those before them have landed. Natively tokens land in time as it is.
// States cannot be gone back to, should one be drawn again.
func (e *Engine) runsAhead() bool { return runtime.GOOS == "js" && e.plan.StateBytes() == 0 }

// shortSteps says what is done where steps are short: as measured on a large GPU, so that no more than 10 ms of work is in flight. A browser
// tells late that steps are done, so more of them are.
func (e *Engine) shortSteps(info gpu.AdapterInfo) loop.Short {
	o := &e.options
	switch {
	case o.pairs:
		return loop.Short{Most: time.Hour, Depth: o.Depth, Together: 2}
	case info.Type != "discrete" || !e.usualDepth || o.Deterministic:
		return loop.Short{}
	case runtime.GOOS == "js":
		return loop.Short{Most: time.Millisecond, Depth: 8, Together: 2}
	}
	return loop.Short{Most: 1500 * time.Microsecond, Depth: 6, Together: 3}
}

// moreLogits is how many rows of logits a step can give beyond one a sequence: about 16 MiB of them.
func moreLogits(vocabulary int) int { return min(64, max(1, 4<<20/vocabulary)) }

func withDefaults(o Options) Options {
	set := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	set(&o.BlockSize, schedule.DefaultBlockSize)
	set(&o.MaxSeqs, schedule.DefaultMaxSeqs)
	if o.Deterministic {
		set(&o.Depth, 1)
	}
	if o.Speculation == "" && o.DraftModel != nil {
		o.Speculation = "draft"
	}
	set(&o.Depth, defaultDepth)
	return o
}

// useVocabulary makes what turns text into tokens, and back.
func (e *Engine) useVocabulary(f *gguf.File, limits grammar.Limits) (err error) {
	if e.tokenizer, err = tokenizer.New(f); err != nil {
		return err
	}
	e.breakers = generation.NewBreakers(e.tokenizer)
	e.grammars = generation.NewGrammars(e.tokenizer, e.plan.Config.Vocabulary, limits)
	return e.readTemplate(f)
}

// stopTokens are the tokens that end a text.
func (e *Engine) stopTokens() ([]int32, error) {
	if err := e.readVocabulary(); err != nil {
		return nil, err
	}
	return e.tokenizer.Ends(), nil
}

func (e *Engine) readTemplate(f *gguf.File) error {
	var err error
	if e.pair, _, err = f.Metadata.String("tokenizer.chat_template.rerank"); err != nil {
		return err
	}
	text, ok, err := f.Metadata.String("tokenizer.chat_template")
	if err != nil || !ok {
		return err
	}
	e.templateText = text
	spell := func(id int32, ok bool) string {
		if !ok {
			return ""
		}
		return e.tokenizer.Token(id).Text
	}
	// A template that cannot be used leaves the model usable with plain text; ChatPrompt says why.
	e.template, e.templateErr = chat.New(text, spell(e.tokenizer.BOS()), spell(e.tokenizer.EOS()))
	return nil
}

// load builds the model on the device. Where it has no room for a KV cache whose size is Quire's to choose, that gets smaller.
func (e *Engine) load(ctx context.Context, o Options) error {
	memory, usual := o.KVMemory, uint64(0)
	for {
		e.options = withDefaults(o)
		if err := e.size(o.MaxSeqs != 0, memory); err != nil {
			return err
		}
		if err := e.openDraft(); err != nil {
			return err
		}
		err := e.machine.load(ctx)
		if err == nil && usual > 0 {
			e.info.Warnings = append(e.info.Warnings, fmt.Sprintf("the GPU has no room for a KV cache of %s: it got %s, for a context of %d tokens", amount(float64(usual)), amount(float64(e.info.KVBytes)), e.info.Context))
		}
		if errors.Is(err, gpu.ErrOutOfMemory) && o.TokenBudget == 0 && !e.plan.Whole && e.options.TokenBudget > schedule.DefaultTokenBudget {
			o.TokenBudget = schedule.DefaultTokenBudget // steps need a quarter of the memory
			continue
		}
		if err == nil || o.KVMemory != 0 || o.Context != 0 {
			return err
		}
		if memory = e.machine.needs.less(err); memory == 0 {
			return err
		}
		usual = max(usual, e.info.KVBytes)
	}
}

// size settles the context, the KV cache and a step's limits from the options, the model, the adapter and what the KV cache may take (0:
// what is usual); given tells that MaxSeqs is no default.
func (e *Engine) size(given bool, kvMemory uint64) error {
	o, c, info := &e.options, e.plan.Config, e.machine.device.Info()
	if o.KVType == "" {
		if o.KVType = "f16"; e.plan.Whole { // K and V live for a step only
			o.KVType = "f32"
		}
	}
	kvType, err := kernel.ParseKVType(o.KVType)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if o.TokenBudget == 0 {
		o.TokenBudget = defaultTokenBudget(info, o.Deterministic)
	}
	for _, field := range []struct {
		name       string
		value, low int
	}{
		{"block size", o.BlockSize, 1}, {"token budget", o.TokenBudget, 1}, {"sequences", o.MaxSeqs, 1}, {"depth", o.Depth, 1},
		{"context", o.Context, 0}, {"snapshot interval", o.SnapshotInterval, 0}, {"queue limit", o.QueueLimit, 0}, {"LoRA rank", o.LoRARank, 0},
	} {
		if field.value < field.low {
			return fmt.Errorf("%w: %s is %d", ErrBadRequest, field.name, field.value)
		}
	}
	if err := model.CheckVariant(o.Variant); err != nil {
		return fmt.Errorf("%w: variant: %w", ErrBadRequest, err)
	}
	if _, err := preemption(o.Preemption); err != nil {
		return err
	}
	if err := e.checkSpeculation(); err != nil {
		return err
	}
	if o.Profile && !info.Features.Has(gpu.FeatureTimestamps) {
		return fmt.Errorf("%w: a profile needs timestamp-query, which adapter %s lacks", ErrBadRequest, info.Name)
	}
	binding := min(info.Limits.MaxStorageBufferBindingSize, info.Limits.MaxBufferSize)
	if kvMemory == 0 {
		kvMemory = defaultKVMemory(info)
	}
	stateMemory := o.StateMemory
	if stateMemory == 0 {
		stateMemory = kvMemory / 2
	}
	states := stateNeeds{slot: uint64(e.plan.StateBytes()), layer: e.plan.LargestStateBytes(), memory: stateMemory, binding: binding, seqs: o.MaxSeqs, given: given}
	slots, seqs, err := states.fit()
	if err != nil {
		return err
	}
	o.MaxSeqs = seqs
	needs := kvNeeds{
		layout: func(t kernel.KVType) kernel.KVLayout { return e.plan.KVLayouts(o.BlockSize, t)[0] },
		kvType: kvType, layers: e.plan.GroupLayers(), groups: e.groups(), budget: o.TokenBudget,
		trained: c.Context, context: o.Context, seqs: o.MaxSeqs, memory: kvMemory, binding: binding,
	}
	if o.KVMemory == 0 && !given {
		needs.seqs = min(needs.seqs, wholeSeqs)
	}
	if e.plan.Whole {
		needs.trained = min(c.Context, wholeContext)
		if o.Context > 0 {
			needs.context = min(o.Context, c.Context)
			needs.trained = needs.context
		}
		o.TokenBudget = max(o.TokenBudget, needs.trained)
		needs.budget = o.TokenBudget
	}
	blocks, context, err := needs.fit()
	if err != nil {
		return err
	}
	o.TokenBudget = min(o.TokenBudget, max(context, 1))
	short := e.shortSteps(info)
	e.machine.options = runner.Options{
		KVType: kvType, Blocks: blocks, States: slots, BlockSize: o.BlockSize, MaxSeqs: o.MaxSeqs, TokenBudget: o.TokenBudget,
		MaxOutputs: o.MaxSeqs + moreLogits(c.Vocabulary), MaskSlots: step.MaskSlots(o.MaxSeqs+moreLogits(c.Vocabulary), kernel.MaskWords(c.Vocabulary)),
		StopTokens: e.stopTokens, Context: context, Depth: max(o.Depth, short.Depth), Together: short.Together, Variant: o.Variant, Tuning: o.Tunings.For(info), Deterministic: o.Deterministic,
		SelfTest: !o.NoSelfTest && (o.SelfTest || info.Type != "cpu"), Late: !o.Eager && !o.Profile, Profile: o.Profile,
	}
	rows, _ := e.speculation()
	e.machine.options.Keeps = rows > 0 && slots > 0
	if o.Progress != nil {
		e.machine.options.Progress = func(stage string, done, total int64) { o.Progress(Progress{Stage: stage, Done: done, Total: total}) }
	}
	e.machine.needs = memoryNeeds{
		weights: uint64(e.plan.WeightBytes()), kv: uint64(blocks) * needs.perBlock(kvType), states: uint64(slots) * states.slot,
		state: min(uint64(slots), 2+slotsSequence) * states.slot, context: context, cache: needs,
	}
	token, _ := e.plan.KVTokenBytes(o.KVType)
	e.info = Info{
		Name: c.Name, Architecture: c.Architecture, Parameters: e.plan.Parameters(),
		KVBytes: e.machine.needs.kv, KVTokenBytes: token, LargestContext: needs.largest(), StateBytes: e.machine.needs.states, StateSlots: max(0, slots-1),
		Vocabulary: c.Vocabulary, Context: context, TokenBudget: o.TokenBudget, Blocks: blocks - 1, BlockSize: o.BlockSize, KVType: o.KVType,
		Deterministic: o.Deterministic, Pooling: poolings[e.plan.Pooling], NoText: e.plan.NoText || e.plan.Whole, Dimensions: e.plan.PooledWidth(),
		Labels: e.plan.Labels(), Adapter: info, Defaults: sample.Suited(c.Name),
		Warnings: append([]string{}, slices.Concat(e.plan.Warnings, beyond(o.Context, c.Context))...),
	}
	return nil
}

// groups are the model's KV groups.
func (e *Engine) groups() (groups []paging.Group) {
	for _, window := range e.plan.Windows() {
		groups = append(groups, paging.Group{Window: window})
	}
	return groups
}

// variants names the variants among the kernels, such as "baseline" or "baseline, subgroup".
func variants(kernels []*gpu.Module) string {
	var names []string
	for _, m := range kernels {
		if _, name, _ := strings.Cut(m.Label, "/"); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// stepRows are the numbers of rows beyond which products go other ways. On an H200 a step of a llama-1b in Q4_0 takes 2.1 times as long of
// 9 to 16 rows as of 8, 3.4 times of 17 to 32, and 5 times of 64.
var stepRows = []schedule.StepRows{{Rows: 8, Worth: 27}, {Rows: 16, Worth: 26}, {Rows: 32, Worth: 46}, {Rows: 64, Worth: 81}}

func (e *Engine) newScheduler() (err error) {
	o := e.machine.options
	c := schedule.Config{
		BlockSize: o.BlockSize, Blocks: o.Blocks, Groups: e.groups(), States: o.States, SnapshotInterval: e.options.SnapshotInterval,
		PrefixCache: !e.options.NoPrefixCache, PartialHits: e.options.PartialHits, TokenBudget: e.info.TokenBudget, SharedBudget: e.sharedBudget,
		LongPrompt: e.options.LongPrompt, MoreLogits: o.MaxOutputs - o.MaxSeqs, MaxSeqs: o.MaxSeqs, MaxModelLen: o.Context, Depth: o.Depth,
		QueueLimit: e.options.QueueLimit, ShortContext: e.plan.ShortContext, Events: e.events.block,
	}
	c.DraftRows, _ = e.speculation()
	c.StepRows = stepRows
	if e.plan.Whole { // later tokens change the K and V of earlier ones: nothing is cut, and nothing shared
		c.NoChunking, c.PrefixCache = true, false
	}
	if err := e.setSwap(&c); err != nil {
		return err
	}
	e.scheduler, err = schedule.New(c)
	return err
}
