package generation

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"quire/engine/sample"
	"quire/engine/step"
)

var (
	// ErrBadRequest says that a request makes no sense; the text says why.
	ErrBadRequest = errors.New("bad request")
	// ErrContextTooLong says that a prompt leaves no room for a token.
	ErrContextTooLong = errors.New("the prompt is too long")
	// ErrDeadline finishes a request whose deadline has passed.
	ErrDeadline = errors.New("the request's deadline has passed")
)

// Limits are what an engine can do for a request.
type Limits struct {
	Vocabulary int
	Ends       []int32                 // tokens that end an answer
	MaxSeqs    int                     // sequences that run at once
	Context    func(sequences int) int // the most tokens, prompt and output, of each of so many sequences

	NoText  bool         // the model has no logits
	Whole   bool         // a prompt is computed in one step: the model's tokens see those after them
	Pooling Pooling      // that Embed leaves out
	Rank    step.Pooling // which token gives the model's scores; NoPooling: it has none
}

// Validate says what is wrong with a request: ErrBadRequest or ErrContextTooLong. Whoever runs it later relies on it.
func (r *Request) Validate(l Limits) error {
	if err := r.Check(); err != nil {
		return err
	}
	for _, validate := range []func(Limits) error{r.validatePrompt, r.validateEmbed, r.validateChoices, r.validateBeams, r.validateBias, r.validateLength, r.validateLanded} {
		if err := validate(l); err != nil {
			return err
		}
	}
	return nil
}

// Check says what makes no sense whatever the engine and the prompt: Validate's first part, for hosts that would know before a
// model is loaded.
func (r *Request) Check() error {
	if err := r.Sample.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if r.MaxTokens < 0 {
		return refuse("MaxTokens is %d, it must be 0 (no limit) or more", r.MaxTokens)
	}
	if r.MinTokens < 0 || r.MaxTokens > 0 && r.MinTokens > r.MaxTokens {
		return refuse("MinTokens is %d, it must be between 0 and MaxTokens (%d; 0: no limit)", r.MinTokens, r.MaxTokens)
	}
	if slices.Contains(r.Stop, "") {
		return refuse("a stop text is empty")
	}
	for _, check := range []func() error{r.checkPenalties, r.checkGrammar} {
		if err := check(); err != nil {
			return err
		}
	}
	return r.checkLoRA()
}

func refuse(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrBadRequest, fmt.Sprintf(format, a...))
}

func (r *Request) validatePrompt(l Limits) error {
	if len(r.Prompt) == 0 {
		return refuse("the prompt is empty")
	}
	for i, id := range r.Prompt {
		if id < 0 || int(id) >= l.Vocabulary {
			return refuse("prompt token %d is %d, the vocabulary has %d", i, id, l.Vocabulary)
		}
	}
	return nil
}

func (r *Request) validateChoices(l Limits) error {
	if r.N < 0 || r.BestOf < 0 {
		return refuse("N is %d and BestOf %d: neither may be negative", r.N, r.BestOf)
	}
	if r.BestOf > 0 && r.BestOf < r.choices() {
		return refuse("BestOf is %d, it must be at least N (%d)", r.BestOf, r.choices())
	}
	n := r.samples()
	if n > l.MaxSeqs {
		return refuse("%d samples are more than the %d sequences that run at once: lower N or BestOf, or raise MaxSeqs", n, l.MaxSeqs)
	}
	if n > 1 && r.Logits != nil {
		return refuse("Logits goes with one sample only, not %d", n)
	}
	return nil
}

func (r *Request) validateBeams(l Limits) error {
	b := r.Beams
	if b == nil {
		return nil
	}
	ends := len(r.ends(l.Ends))
	switch {
	case b.Width < 1 || b.candidates(ends) > sample.MaxTop:
		return refuse("Beams.Width is %d, it must be between 1 and %d: a step knows the %d likeliest tokens, %d of them may be end tokens",
			b.Width, sample.MaxTop-ends, sample.MaxTop, ends)
	case b.candidates(ends) > l.Vocabulary:
		return refuse("Beams.Width is %d: more than the vocabulary of %d tokens can serve", b.Width, l.Vocabulary)
	case math.IsNaN(b.LengthPenalty) || math.IsInf(b.LengthPenalty, 0):
		return refuse("Beams.LengthPenalty is %g, it must be finite", b.LengthPenalty)
	case b.EarlyStopping > StopNever:
		return refuse("Beams.EarlyStopping is %d, which means nothing", b.EarlyStopping)
	case !r.Sample.Greedy():
		return refuse("Beams go without drawing: Sample.Temperature is %g, it must be 0", r.Sample.Temperature)
	case r.BestOf > 0 || len(r.Stop) > 0 || r.Logits != nil:
		return refuse("Beams do not go with BestOf, Stop or Logits")
	case r.choices() > b.Width:
		return refuse("N is %d, Beams.Width %d: no more choices than beams", r.N, b.Width)
	case b.Width > l.MaxSeqs:
		return refuse("Beams.Width is %d: more than the %d sequences that run at once", b.Width, l.MaxSeqs)
	}
	return nil
}

func (r *Request) validateLength(l Limits) error {
	n := r.Sequences()
	limit := l.Context(n)
	switch {
	case r.Embed != nil && len(r.Prompt) <= limit:
		return nil // nothing comes after it
	case l.Whole:
		return fmt.Errorf("%w: it has %d tokens, and this model, which sees a prompt as a whole, takes at most %d: shorten or cut it, or raise the context (as far as the model was trained)",
			ErrContextTooLong, len(r.Prompt), limit)
	case len(r.Prompt) < limit:
		return nil
	case n > 1 && len(r.Prompt) < l.Context(1):
		return fmt.Errorf("%w: it has %d tokens, and %d sequences beside each other may have %d each; ask for fewer, or raise the KV memory",
			ErrContextTooLong, len(r.Prompt), n, limit)
	}
	return fmt.Errorf("%w: it has %d tokens, the context %d; raise the context or the KV memory", ErrContextTooLong, len(r.Prompt), l.Context(1))
}

// ends gives the tokens that end an answer, of those that the model has.
func (r *Request) ends(all []int32) []int32 {
	if r.IgnoreEnd {
		return nil
	}
	return all
}
