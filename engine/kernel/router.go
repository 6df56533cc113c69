package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// RouterParams describe how a token's experts are chosen by their scores, and what each of them counts for.
type RouterParams struct {
	Experts, Used int
	Stride        int // floats from one token's scores to the next
	Sigmoid       bool
	// Whole has weights be shares of all experts' softmax, or sigmoids as they are; otherwise those of the chosen ones add up
	// to 1.
	Whole bool
	Bias  bool // a vector of Experts is added for the choice, not for the weight
	// Scaled has an expert's weight multiplied by one of a vector of Experts.
	Scaled bool
	Scale  float32 // what all weights are multiplied by
	Least  float32 // is added to the sum that sigmoids are divided by
	// MaxTokens is the most tokens that Record will be given.
	MaxTokens int
}

// Router chooses experts, and sorts a step's choices by them. A choice is two words: an expert, and what it counts for.
type Router struct {
	dev         *gpu.Device
	params      RouterParams
	route, sort *gpu.Kernel
}

// MaxExperts is how many experts a layer may have: their counts lie in workgroup memory.
const MaxExperts = 1024

const sortWorkgroup = 256

// NewRouter composes the kernels and starts to compile them.
func NewRouter(dev *gpu.Device, p RouterParams) (*Router, error) {
	if p.Experts < 1 || p.Experts > MaxExperts || p.Used < 1 || p.Used > p.Experts || p.Stride < p.Experts || p.MaxTokens < 1 {
		return nil, fmt.Errorf("router: %w: %d of %d experts, at most %d, with stride %d", ErrMatrixShape, p.Used, p.Experts, MaxExperts, p.Stride)
	}
	workgroup := 32
	for workgroup < 256 && workgroup < p.Experts {
		workgroup *= 2
	}
	shared := []Const{{"EXPERTS", p.Experts}, {"USED", p.Used}, {"M_WORD", WordTokens}}
	shape := fmt.Sprintf("%d of %d", p.Used, p.Experts)
	route, err := Module(dev, Spec{
		File: "route", Shape: shape, Variant: "baseline",
		Consts: append([]Const{
			{"WORKGROUP", workgroup}, {"STRIDE", p.Stride}, {"SIGMOID", p.Sigmoid}, {"WHOLE", p.Whole}, {"BIAS", p.Bias}, {"SCALED", p.Scaled},
			{"LEAST", p.Least}, {"SCALE", p.Scale}}, shared...),
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	})
	if err != nil {
		return nil, err
	}
	sort, err := Module(dev, Spec{
		File: "sort_choices", Shape: shape, Variant: "baseline",
		Consts: append([]Const{
			{"TILE", matmulTile}, {"ORDER", p.orderWord()}, {"WORKGROUP", sortWorkgroup}}, shared...),
		Most:     []Const{{"CHOICES", p.MaxTokens * p.Used}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	})
	if err != nil {
		return nil, err
	}
	return &Router{dev: dev, params: p, route: dev.Kernel(route), sort: dev.Kernel(sort)}, nil
}

// tiles is the most tiles that the choices of so many tokens make.
func (p *RouterParams) tiles(tokens int) int {
	choices := tokens * p.Used
	return min(choices/matmulTile+p.Experts, choices)
}

// orderWord is where the sorted choices begin behind their tiles.
func (p *RouterParams) orderWord() int { return 4 + 4*p.tiles(p.MaxTokens) }

// RoutingWords is the size of the buffer of choices, in words: for each token and choice an expert and its weight.
func (r *Router) RoutingWords() int { return 2 * r.params.MaxTokens * r.params.Used }

// SortedWords is the size of the buffer of the sorted choices, in words.
func (r *Router) SortedWords() int { return r.params.orderWord() + r.params.MaxTokens*r.params.Used }

// Wait blocks until the kernels have compiled.
func (r *Router) Wait(ctx context.Context) error {
	if err := r.route.Wait(ctx); err != nil {
		return err
	}
	return r.sort.Wait(ctx)
}

// RouterBind is a Router's buffers, bound.
type RouterBind struct{ route, sort *gpu.BindGroup }

// Bind binds scores [token][Stride], bias and scales ([Experts], where there are such), and the buffers of choices and of
// sorted ones.
func (r *Router) Bind(step, scores, bias, scales, routing, sorted gpu.View) (b RouterBind, err error) {
	// What a router does without is bound to its scores, which it only reads too.
	if !r.params.Bias {
		bias = scores
	}
	if !r.params.Scaled {
		scales = scores
	}
	if b.route, err = r.dev.Bind(r.route, step, scores, bias, scales, routing); err != nil {
		return b, err
	}
	b.sort, err = r.dev.Bind(r.sort, step, routing, sorted)
	return b, err
}

// Record records the choices of the step's tokens.
func (r *Router) Record(rec *gpu.Recorder, b RouterBind, tokens int) {
	x, y := Fold(tokens)
	rec.Dispatch(r.route, b.route, x, y, 1)
}

// Sort records the sorting of the choices, which products of many tokens need.
func (r *Router) Sort(rec *gpu.Recorder, b RouterBind) { rec.Dispatch(r.sort, b.sort, 1, 1, 1) }

// Many tells whether products of so many tokens go by sorted choices: from where tiles are filled well enough to beat
// matrix × vector kernels, which read an expert's weights for each choice.
func (r *Router) Many(tokens int) bool { return tokens*r.params.Used >= 8*r.params.Experts }
