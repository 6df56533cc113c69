package generation

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"

	"quire/engine/grammar"
	"quire/engine/sha256"
	"quire/engine/tokenizer"
)

// Grammars compiles requests' grammars for a model's vocabulary, and keeps those that were used last.
type Grammars struct {
	tokenizer  *tokenizer.Tokenizer
	vocabulary int // tokens that the model has logits of
	limits     grammar.Limits

	plain, special func() *grammar.Vocabulary

	turns chan struct{} // holds one for each that is being compiled

	mu    sync.Mutex
	known map[[sha256.Size]byte]*list.Element
	used  list.List // of *compiled, the last used first
	size  int       // of all of these
	most  int       // that they may have
}

// compiled is a grammar, or what is wrong with it.
type compiled struct {
	key   [sha256.Size]byte
	done  chan struct{} // closed when what follows is there
	start *grammar.Matcher
	size  int
	err   error
}

// compiledAtOnce is how many are compiled at once: each takes a core, and memory.
const compiledAtOnce = 2

// knownGrammars is how many are kept, knownStates how many states all of them may have, and knownMemory what each may find out about
// masks where memory never comes back.
const (
	knownGrammars = 32
	knownStates   = 1_000_000
	knownMemory   = 16 << 20
)

// NewGrammars makes one. Zero limits are the defaults.
func NewGrammars(t *tokenizer.Tokenizer, vocabulary int, l grammar.Limits) *Grammars {
	if l.Memory == 0 && runtime.GOOS == "js" {
		l.Memory = knownMemory
	}
	g := &Grammars{turns: make(chan struct{}, compiledAtOnce), tokenizer: t, vocabulary: vocabulary, limits: l, most: knownStates, known: map[[sha256.Size]byte]*list.Element{}}
	g.plain = sync.OnceValue(func() *grammar.Vocabulary { return g.tokens(false) })
	g.special = sync.OnceValue(func() *grammar.Vocabulary { return g.tokens(true) })
	return g
}

// tokens gives what the model's tokens stand for; control tokens for their names where those are shown.
func (g *Grammars) tokens(special bool) *grammar.Vocabulary {
	tokens := make([][]byte, g.vocabulary)
	var hidden []int32
	for id := range int32(min(g.vocabulary, g.tokenizer.Size())) {
		if p := g.tokenizer.Token(id); p.Type == tokenizer.Unknown || !special && g.tokenizer.Hidden(id) != "" {
			hidden = append(hidden, id)
		} else {
			tokens[id] = []byte(p.Bytes)
		}
	}
	return grammar.NewVocabulary(tokens, g.tokenizer.Ends(), hidden)
}

// Compile gives a valid request what its grammar compiles to, if it has one. It returns early when ctx ends. An error is an
// ErrBadRequest that says what in the grammar is wrong.
func (g *Grammars) Compile(ctx context.Context, r *Request) error {
	if r.Grammar == nil {
		return nil
	}
	c := g.find(*r.Grammar, r.Special)
	select {
	case <-c.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.err != nil {
		return fmt.Errorf("%w: %w", ErrBadRequest, c.err)
	}
	r.matcher = c.start
	r.encode = g.encoder(r.Special)
	return nil
}

// find gives a grammar that is compiled, or is being so.
func (g *Grammars) find(asked Grammar, special bool) *compiled {
	key := sha256.Sum256([]byte(strconv.Itoa(int(asked.Kind)) + strconv.FormatBool(special) + asked.Source))
	g.mu.Lock()
	defer g.mu.Unlock()
	if known := g.known[key]; known != nil {
		g.used.MoveToFront(known)
		return known.Value.(*compiled)
	}
	c := &compiled{key: key, done: make(chan struct{})}
	g.known[key] = g.used.PushFront(c)
	g.bound()
	go func() {
		defer close(c.done)
		g.turns <- struct{}{}
		defer func() { <-g.turns }()
		size := 0
		c.start, size, c.err = g.compile(asked, special)
		g.weigh(c, size)
	}()
	return c
}

// weigh counts what a grammar takes, if it is still kept, and drops others that there is no room for beside it.
func (g *Grammars) weigh(c *compiled, size int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := g.known[c.key]; at != nil && at.Value == c {
		g.used.MoveToFront(at)
		c.size = size
		g.size += size
		g.bound()
	}
}

// bound drops what was used longest ago, but for the last.
func (g *Grammars) bound() {
	for g.used.Len() > knownGrammars || g.size > g.most && g.used.Len() > 1 {
		oldest := g.used.Remove(g.used.Back()).(*compiled)
		delete(g.known, oldest.key)
		g.size -= oldest.size
	}
}

// compile compiles a grammar.
func (g *Grammars) compile(asked Grammar, special bool) (start *grammar.Matcher, size int, err error) {
	compiled, err := asked.compile(g.limits)
	if err != nil {
		return nil, 0, err
	}
	v := g.plain
	if special {
		v = g.special
	}
	start = compiled.Matcher(v())
	return start, compiled.Size(), start.Err()
}

// encoder spells text that goes on from other text.
func (g *Grammars) encoder(special bool) func(text []byte) []int32 {
	return func(text []byte) []int32 {
		return g.tokenizer.Encode(string(text), tokenizer.EncodeOptions{Inside: true, Special: special})
	}
}

// ErrGrammar finishes a request whose text cannot go on as its grammar wants.
var ErrGrammar = errors.New("the text cannot go on as its grammar wants")
