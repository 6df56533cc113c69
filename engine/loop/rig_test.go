package loop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/draft"
	"quire/engine/generation"
	"quire/engine/grammar"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
	"quire/engine/tokenizer"
	"quire/paging"
)

var errLost = errors.New("lost")

// fake runs steps without a GPU: say draws the tokens, and errors are those it is told to give.
type fake struct {
	say    func(row *step.Row, counter uint32) sample.Token
	broken func(row *step.Row) bool

	submits, lands, builds []error // of the next calls; the rest succeed
	sends                  []error // of what was kept back, likewise
	steps                  []step.Step
	flights                []*step.Result
	lanes                  map[int32]sample.Params
	opened                 []sample.History
	refuse                 func(p sample.Params) error // of Open; nil: never
	live                   bool
	rebuilt                int
	drafted                int                // tokens of drafts
	waits                  *step.Step         // submitted, and not drawn
	drawn, before          map[int32]int32    // tokens of lanes, by this step and before it
	sets                   map[int32][]uint32 // in the slots of masks
	draws                  []error            // of the next calls; the rest succeed
	masked                 int                // tokens drawn under masks
	expected               int                // sequences, at most
	holds                  bool
	held                   int           // steps that Hold keeps back
	together               []int         // of each submission, the steps; those that are not plain are always one
	slow                   time.Duration // of each step
}

func next(errs *[]error) (err error) {
	if len(*errs) > 0 {
		err, *errs = (*errs)[0], (*errs)[1:]
	}
	return err
}

func (f *fake) Expect(sequences int) { f.expected = max(f.expected, sequences) }

func (f *fake) InFlight() int { return len(f.flights) }

func (f *fake) Open(lane int32, p sample.Params, h sample.History) error {
	if f.refuse != nil {
		if err := f.refuse(p); err != nil {
			return err
		}
	}
	f.lanes[lane] = p
	h.Tokens = append([]int32(nil), h.Tokens...)
	f.opened = append(f.opened, h)
	return nil
}

func (f *fake) Submit(s *step.Step) error {
	if err := next(&f.submits); err != nil {
		return err
	}
	if f.waits != nil {
		return errors.New("the step before waits for its masks")
	}
	if !s.Decodes() {
		if err := f.send(); err != nil {
			return err
		}
	}
	if f.held++; !f.holds || !s.Decodes() {
		if err := f.send(); err != nil {
			return err
		}
	}
	f.steps = append(f.steps, step.Step{Number: s.Number, Tokens: append([]int32(nil), s.Tokens...), Rows: append([]step.Row(nil), s.Rows...)})
	f.flights = append(f.flights, &step.Result{Number: s.Number})
	if slices.ContainsFunc(s.Outputs, func(o step.Output) bool { return o.Masked }) {
		f.waits = &step.Step{Tokens: slices.Clone(s.Tokens), Positions: slices.Clone(s.Positions), Rows: slices.Clone(s.Rows), Outputs: slices.Clone(s.Outputs)}
	} else {
		f.draw(s, nil)
	}
	return nil
}

func (f *fake) Hold(on bool) error {
	f.holds = on
	return f.send()
}

// send submits what is kept back.
func (f *fake) send() error {
	if f.held == 0 {
		return nil
	}
	f.together, f.held = append(f.together, f.held), 0
	return next(&f.sends)
}

func (f *fake) Draw(m *step.Masks) error {
	if err := next(&f.draws); err != nil {
		return err
	}
	if f.waits == nil || len(f.flights) > 2 {
		return fmt.Errorf("masks for no step, or with %d in flight", len(f.flights))
	}
	f.draw(f.waits, m)
	f.waits = nil
	return nil
}

// draw says the tokens of the step submitted last: the first allowed from the one that is said, where a mask forbids that.
func (f *fake) draw(s *step.Step, m *step.Masks) {
	r := f.flights[len(f.flights)-1]
	maps.Copy(f.before, f.drawn)
	drawn, wrong := int32(-1), false // the row that the last draw was of
	masks := 0
	for _, o := range s.Outputs {
		row := &s.Rows[o.Row]
		if o.Sample && o.Row != drawn {
			drawn, wrong = o.Row, false
		} else if o.Sample { // a token of a draft: what follows a wrong one is anything
			wrong = wrong || s.Tokens[o.Token] != r.Tokens[len(r.Tokens)-1]
			f.drafted++
		}
		if o.Logits {
			r.Logits = append(r.Logits, step.Logits{Sequence: row.Sequence, Position: int(s.Positions[o.Token])})
		}
		if !o.Sample {
			continue
		}
		token := f.say(row, o.Counter)
		if wrong {
			token = letter('!')
		}
		if f.broken != nil && f.broken(row) {
			r.Broken, token = append(r.Broken, row.Sequence), sample.Token{}
		}
		if n := f.lanes[row.Lane].Logprobs; len(token.Top) > n {
			token.Top = token.Top[:n]
		}
		if o.Masked {
			token = f.under(f.picked(m, masks, row.Lane), token)
			masks++
		}
		f.drawn[row.Lane] = token.ID
		r.Tokens, r.Drawn = append(r.Tokens, token.ID), append(r.Drawn, token)
	}
}

// picked is the mask that an output is drawn under, as the GPU would choose it.
func (f *fake) picked(m *step.Masks, output int, lane int32) []uint32 {
	for i, slot := range m.Slots {
		f.sets[slot] = slices.Clone(m.Bits[i*m.Words : (i+1)*m.Words])
	}
	from, end := m.Span(output)
	for _, c := range m.Choices[from:end] {
		token := f.before[lane]
		if c.Kind == step.Always || c.Kind == step.OfToken && token == c.Token || c.Kind == step.OfSet && f.sets[c.Set][token>>5]>>(token&31)&1 != 0 {
			if c.Mask != step.EmptySlot {
				return f.sets[c.Mask]
			}
			break
		}
	}
	return make([]uint32, m.Words)
}

// under is a token as a mask lets it be.
func (f *fake) under(mask []uint32, token sample.Token) sample.Token {
	f.masked++
	allowed := func(id int32) bool { return mask[id>>5]>>(id&31)&1 != 0 }
	if !slices.ContainsFunc(mask, func(w uint32) bool { return w != 0 }) {
		return sample.Token{} // nothing of it is to land
	}
	for !allowed(token.ID) {
		token.ID = (token.ID + 1) % int32(32*len(mask))
	}
	n := len(token.Top)
	token.Top = slices.DeleteFunc(slices.Clone(token.Top), func(c sample.Candidate) bool { return !allowed(c.ID) })
	for id := range int32(32 * len(mask)) { // the rest is less likely
		if len(token.Top) < n && allowed(id) && !slices.ContainsFunc(token.Top, func(c sample.Candidate) bool { return c.ID == id }) {
			token.Top = append(token.Top, sample.Candidate{ID: id, Logprob: -20 - float32(id)})
		}
	}
	return token
}

func (f *fake) Land(context.Context) (*step.Result, error) {
	if err := next(&f.lands); err != nil {
		return nil, err
	}
	if len(f.flights) <= f.held {
		return nil, errors.New("the step is kept back")
	}
	if f.slow > 0 {
		time.Sleep(f.slow)
	}
	runtime.Gosched() // as waiting for a GPU would: in the tab nothing else runs otherwise
	r := f.flights[0]
	f.flights = f.flights[1:]
	return r, nil
}

func (f *fake) Build(context.Context) error {
	if err := next(&f.builds); err != nil {
		return err
	}
	f.live, f.rebuilt, f.lanes = true, f.rebuilt+1, map[int32]sample.Params{}
	f.drawn, f.before, f.sets = map[int32]int32{}, map[int32]int32{}, map[int32][]uint32{}
	return nil
}

func (f *fake) Release() { f.live, f.flights, f.waits, f.held = false, nil, nil, 0 }

// The vocabulary: a token a byte, and an end.
const endToken = 256

func bytesTokenizer(t testing.TB) *tokenizer.Tokenizer {
	v := &tokenizer.Vocabulary{Model: "gpt2", Pre: "gpt-2", Merges: []string{"@ @"}, IDs: map[string]int32{"tokenizer.ggml.eos_token_id": endToken}}
	for b := range 256 {
		v.Tokens, v.Types = append(v.Tokens, tokenizer.ByteToken(byte(b))), append(v.Types, tokenizer.Normal)
	}
	v.Tokens, v.Types = append(v.Tokens, "<end>", "@@"), append(v.Types, tokenizer.Control, tokenizer.Normal)
	tok, err := tokenizer.FromVocabulary(v)
	require.NoError(t, err)
	return tok
}

// alphabet says a, b, c, …, and is the same after whatever was lost.
func alphabet(_ *step.Row, counter uint32) sample.Token { return letter('a' + int32(counter)%26) }

func letter(id int32) sample.Token { return sample.Token{Candidate: sample.Candidate{ID: id}} }

// guesser drafts the alphabet, mostly.
type guesser struct {
	*rand.Rand
	accepted int
}

func (g *guesser) Draft(tokens []int32, inFlight, most int) []int32 {
	said := len(tokens) - slices.Index(tokens, 'a')
	var draft []int32
	for i := range g.IntN(inFlight + most + 1) {
		draft = append(draft, 'a'+int32(said+i)%26)
		if g.IntN(8) == 0 {
			draft[i] = 'a' + int32(g.IntN(26))
		}
	}
	return draft
}

func (g *guesser) Verified(_, accepted int) { g.accepted += accepted }
func (g *guesser) Close()                   {}

// rig is a loop that runs, over a scheduler and a fake.
type rig struct {
	*Loop
	t         testing.TB
	runner    *fake
	scheduler *schedule.Scheduler
	tokenizer *tokenizer.Tokenizer
	grammars  *generation.Grammars
}

func start(t testing.TB, c schedule.Config, say func(*step.Row, uint32) sample.Token) *rig {
	s, err := schedule.New(c)
	require.NoError(t, err)
	f := &fake{say: say, live: true, lanes: map[int32]sample.Params{}, drawn: map[int32]int32{}, before: map[int32]int32{}, sets: map[int32][]uint32{}}
	r := &rig{t: t, runner: f, scheduler: s, tokenizer: bytesTokenizer(t)}
	r.grammars = generation.NewGrammars(r.tokenizer, r.tokenizer.Size(), grammar.Limits{})
	config := Config{
		Runner: f, Scheduler: s, Depth: max(c.Depth, 1), Short: Short{Most: time.Hour, Depth: max(c.Depth, 1), Together: 2}, RunsAhead: true, Vocabulary: r.tokenizer.Size(), Lost: func(err error) bool { return errors.Is(err, errLost) },
		Step: func(_ schedule.Decision, s *step.Step) { r.checkTallies(s) },
	}
	if c.DraftRows > 0 {
		config.Drafter = func(int, string) draft.Drafter { return &guesser{Rand: rand.New(rand.NewPCG(uint64(c.DraftRows), 1))} }
	}
	r.Loop = New(config)
	for range r.pace.landed {
		r.pace.land(time.Now(), time.Hour)
	}
	go r.Run()
	return r
}

// checkTallies counts the blocks of a step's requests in their tables.
func (r *rig) checkTallies(s *step.Step) {
	for _, row := range s.Rows {
		q := r.sequences[row.Sequence]
		if q == nil || r.tallies[q.Generation.ID] == nil {
			continue
		}
		g := q.Generation
		blocks := map[int32]bool{}
		for _, q := range g.Live {
			for group := range s.Groups {
				for _, id := range r.scheduler.Table(q.ID, group) {
					blocks[id] = true
				}
			}
		}
		delete(blocks, paging.NullBlock)
		assert.Len(r.t, blocks, len(r.tallies[g.ID].uses), "blocks of request %d", g.ID)
	}
}

// close ends the loop and checks that nothing is left.
func (r *rig) close() {
	r.Close()
	assert.NoError(r.t, r.scheduler.Check())
	assert.Zero(r.t, r.scheduler.Stats().Cache.Active, "blocks in use")
	assert.False(r.t, r.runner.live, "the runner is released")
}

// stream takes what a request gives.
type stream struct {
	id     uint64
	chunks chan generation.Chunk
	done   chan generation.Result
}

func (s *stream) Push(c generation.Chunk)    { s.chunks <- c }
func (s *stream) Finish(r generation.Result) { s.done <- r }

func (r *rig) submit(q generation.Request) *stream {
	if q.Prompt == nil {
		q.Prompt = []int32{'x', 'y'}
	}
	s := &stream{chunks: make(chan generation.Chunk, 10_000), done: make(chan generation.Result, 1)}
	require.NoError(r.t, r.grammars.Compile(context.Background(), &q))
	g := generation.New(q, r.tokenizer, s)
	require.NoError(r.t, r.Submit(g))
	s.id = g.ID
	return s
}

func (s *stream) result() generation.Result { return <-s.done }
