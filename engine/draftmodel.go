package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"quire/engine/draft"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/model"
	"quire/engine/runner"
	"quire/engine/tokenizer"
	"quire/paging"
)

// ErrDraftModel says that a model cannot draft for another; the text says why.
var ErrDraftModel = errors.New("the draft model does not fit")

// draftLanes is how many sequences a draft model drafts for at once.
const draftLanes = 8

// spareTokens is how many tokens two vocabularies may differ by: padding.
const spareTokens = 128

// companion is the draft model on the GPU, beside the model that it drafts for.
type companion struct {
	plan    *model.Plan
	source  gpu.Source
	options runner.Options
	bytes   uint64 // of its KV cache
	model   *draft.Model
	runner  *runner.Runner
}

// load builds everything of it on a device.
func (c *companion) load(ctx context.Context, d *gpu.Device) (err error) {
	if c.runner, err = runner.New(ctx, d, c.plan, c.source, c.options); err != nil {
		return fmt.Errorf("the draft model: %w", err)
	}
	return c.model.Reset(c.runner)
}

// release gives everything on the GPU back.
func (c *companion) release() {
	_ = c.model.Reset(nil)
	if c.runner != nil {
		c.runner.Release()
		c.runner = nil
	}
}

// openDraft reads the draft model's header and settles its sizes. The KV cache has room for as many tokens as draftLanes contexts,
// or a quarter of what the model's own may take.
func (e *Engine) openDraft() error {
	src := e.options.DraftModel
	if src == nil {
		return nil
	}
	f, err := gguf.Read(src, src.Size())
	if err != nil {
		return fmt.Errorf("the draft model: %w", err)
	}
	plan, err := model.NewPlan(f)
	if err != nil {
		return fmt.Errorf("the draft model: %w", err)
	}
	tokens, err := tokenizer.New(f)
	if err != nil {
		return fmt.Errorf("the draft model: %w", err)
	}
	if plan.NoText || plan.Whole {
		return fmt.Errorf("%w: %s gives no text", ErrDraftModel, plan.Config.Name)
	}
	if err := e.readVocabulary(); err != nil {
		return err
	}
	if err := sameVocabulary(e.tokenizer, tokens); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDraftModel, plan.Config.Name, err)
	}
	main := e.machine.options
	limits := e.info.Adapter.Limits
	memory := e.options.KVMemory
	if memory == 0 {
		memory = defaultKVMemory(e.info.Adapter)
	}
	var groups []paging.Group
	for _, window := range plan.Windows() {
		groups = append(groups, paging.Group{Window: window})
	}
	binding := min(limits.MaxStorageBufferBindingSize, limits.MaxBufferSize)
	slots, lanes, err := e.draftStates(plan, memory, binding)
	if err != nil {
		return fmt.Errorf("the draft model: %w", err)
	}
	budget := min(main.TokenBudget, 512)
	needs := kvNeeds{
		layout: func(t kernel.KVType) kernel.KVLayout { return plan.KVLayouts(main.BlockSize, t)[0] }, kvType: main.KVType, layers: plan.GroupLayers(),
		groups: groups, budget: budget, trained: min(plan.Config.Context, main.Context), seqs: lanes, memory: memory / 4,
		binding: binding,
	}
	blocks, context, err := needs.fit()
	if err != nil {
		return fmt.Errorf("the draft model: %w", err)
	}
	c := &companion{plan: plan, source: src, bytes: uint64(blocks)*needs.perBlock(main.KVType) + uint64(slots)*uint64(plan.StateBytes())}
	c.options = runner.Options{
		KVType: main.KVType, Blocks: blocks, States: slots, BlockSize: main.BlockSize, MaxSeqs: lanes, TokenBudget: budget, MaxOutputs: lanes, Context: context,
		Depth: defaultDepth, Variant: main.Variant, Tuning: main.Tuning, Deterministic: main.Deterministic, SelfTest: main.SelfTest, Late: main.Late,
	}
	c.model = draft.NewModel(draft.ModelConfig{
		Cache: paging.Config{BlockSize: main.BlockSize, Blocks: blocks, Groups: groups, States: slots, PrefixCache: true},
		Lanes: lanes, Budget: budget, Context: context, Vocabulary: e.info.Vocabulary,
		Share: int(100 * plan.WeightBytes() / max(1, e.plan.WeightBytes())),
	})
	e.machine.draft = c
	return nil
}

// draftStates gives how many slots for states a draft model has, the null slot included, and how many sequences they are enough for: of
// each it keeps the states behind all tokens of a draft.
func (e *Engine) draftStates(p *model.Plan, memory, binding uint64) (slots, lanes int, err error) {
	lanes = min(draftLanes, e.machine.options.MaxSeqs)
	if p.StateBytes() == 0 {
		return 0, lanes, nil
	}
	if memory /= 2; e.options.StateMemory > 0 {
		memory = e.options.StateMemory
	}
	each := cmp.Or(e.options.DraftMax, draft.Most) + 3
	most := min(memory/4/uint64(p.StateBytes()), binding/p.LargestStateBytes())
	if lanes = min(lanes, (int(most)-1)/each); lanes < 1 {
		return 0, 0, fmt.Errorf("%w: its states need %s and may have %s: raise the state memory, or draft fewer tokens", gpu.ErrOutOfMemory,
			amount(float64(1+each)*float64(p.StateBytes())), amount(float64(memory/4)))
	}
	return 1 + lanes*each, lanes, nil
}

// sameVocabulary refuses a draft model whose tokens mean something else.
func sameVocabulary(t, of *tokenizer.Tokenizer) error {
	n := min(t.Size(), of.Size())
	for id := range int32(n) {
		if a, b := t.Token(id).Text, of.Token(id).Text; a != b {
			return fmt.Errorf("its vocabulary is another: token %d is %q, not %q", id, b, a)
		}
	}
	if more := max(t.Size(), of.Size()) - n; more > spareTokens {
		return fmt.Errorf("its vocabulary has %d tokens, not %d", of.Size(), t.Size())
	}
	return nil
}
