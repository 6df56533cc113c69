package model

import "quire/engine/gguf"

// Plan is what a file's tensors become on the GPU, and what is computed with them.
type Plan struct {
	Config *Config
	Tied   bool    // the head is the embedding
	Ropes  []*Rope // the tables that layers rotate by
	// ShortContext is the length of a prompt up to which a sequence takes the short tables of Ropes that have two; 0: none has.
	ShortContext int
	Warnings     []string // sentences about keys of the file that are not used

	Pooling Pooling // how the file says that an embedding is made
	Whole   bool    // tokens see those after them: a prompt is computed in one step
	NoText  bool    // there are no logits
	Shares  bool    // scores are shares of 1, by softmax

	PlanOptions

	drafters  int // blocks of the file that only draft
	adaptable []*adaptable
	ignored   []string // tensors without a meaning
	matrices  []*Matrix
	vectors   []*Vector
	embedding *Matrix
	stream    float32    // what embeddings are multiplied by, as all that layers add to them is large in proportion; 0: nothing
	head      *Matrix    // what gives logits
	asked     *asked     // nil: all rows go through all layers
	kv        []*kvLayer // of each attention, in order
	shared    []*kvLayer // of attention with an earlier layer's K and V
	groups    []kvForm   // of each KV group
	lists     []itemForm // of each of attention's item lists
	mixed     bool       // layers with windows have lists with others
	pooled    rows       // what Pools give
	scores    rows       // of a model that ranks
	rankLast  bool       // scores are of the last token
	states    []*stateLayer
	work      []func(*Graph)
	drafting  []func(*Graph) // likewise, when tokens are drawn

	guessMatrices int     // before those that only guesses need
	guessHead     *Matrix // what gives them
}

// PlanOptions are what a plan has beside what the file says.
type PlanOptions struct {
	Rank   int  // of all LoRA adapters that there is room for
	Drafts bool // a block that only drafts is computed, where the file has one
}

// Guesses says whether the plan's graph guesses at the token after the one that is drawn.
func (p *Plan) Guesses() bool { return len(p.drafting) > 0 }

// NewPlan checks a file's configuration and tensors. Its error names the first key, tensor or type that does not fit.
func NewPlan(f *gguf.File) (*Plan, error) { return NewPlanWith(f, PlanOptions{}) }

// NewPlanWith is NewPlan with more.
func NewPlanWith(f *gguf.File, o PlanOptions) (*Plan, error) {
	p, problems := check(f, o)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	return p, nil
}

// Check is NewPlan with all that does not fit, as far as it can be told.
func Check(f *gguf.File) (*Plan, []error) { return check(f, PlanOptions{}) }

func check(f *gguf.File, o PlanOptions) (*Plan, []error) {
	if err := checkWhole(f); err != nil {
		return nil, []error{err}
	}
	r, err := newReader(f)
	if err != nil {
		return nil, []error{err}
	}
	c := r.config()
	if r.err != nil {
		return nil, []error{r.err}
	}
	b := &builder{reader: r, config: c, plan: &Plan{Config: c, PlanOptions: o, Pooling: r.pooling()}, at: -1}
	architectures[r.arch](b)
	if len(b.plan.kv) == 0 && b.err == nil {
		r.fail("no layer has attention, and a model without any does not run")
	}
	if b.plan.Whole && len(b.plan.states) > 0 {
		r.fail("%s is false, and layers that keep a state see only the tokens before one", r.key("attention.causal"))
	}
	if r.err != nil {
		return nil, []error{r.err}
	}
	b.group()
	warnings, problems := r.checkKeys(b.plan)
	if b.err != nil {
		problems = append(problems, b.err)
	}
	if c.Vocabulary == 0 {
		return nil, problems
	}
	b.plan.Warnings = append(r.warnings, warnings...)
	return b.plan, append(problems, b.checkTensors(c)...)
}

// GuessBytes returns the bytes of the tensors that guesses take: those of the block's matrices, and of the head.
func (p *Plan) GuessBytes() int64 {
	if !p.Guesses() {
		return 0
	}
	return bytesOf(append(p.matrices[p.guessMatrices:len(p.matrices):len(p.matrices)], p.guessHead), nil)
}

// WeightBytes returns the bytes of the plan's tensors in the file, about what they need on the GPU.
func (p *Plan) WeightBytes() int64 { return bytesOf(p.matrices, p.vectors) }

func bytesOf(matrices []*Matrix, vectors []*Vector) int64 {
	var n int64
	for _, m := range matrices {
		for _, part := range m.Parts {
			_, bytes := part.span()
			n += bytes
		}
		if m.Scale != nil {
			n += m.Scale.Bytes
		}
	}
	for _, v := range vectors {
		for _, part := range v.Parts {
			n += part.Tensor.Bytes
		}
	}
	return n
}

// Parameters counts the weights.
func (p *Plan) Parameters() int64 {
	var n int64
	for _, m := range p.matrices {
		n += int64(m.Rows) * int64(m.Cols)
	}
	for _, v := range p.vectors {
		for _, part := range v.Parts {
			n += int64(part.Tensor.Elements())
		}
	}
	return n
}
