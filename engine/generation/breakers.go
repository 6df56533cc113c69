package generation

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"quire/engine/sample"
	"quire/engine/tokenizer"
)

// Breakers makes DRY's breakers of a vocabulary's tokens, and remembers some: it takes a look at every token.
type Breakers struct {
	tokenizer *tokenizer.Tokenizer

	mu    sync.Mutex
	known map[string]*sample.Breakers
}

// knownBreakers is how many lists are remembered.
const knownBreakers = 16

// NewBreakers makes one.
func NewBreakers(t *tokenizer.Tokenizer) *Breakers {
	return &Breakers{tokenizer: t, known: map[string]*sample.Breakers{}}
}

// Of gives the breakers of DRY; nil where it has none.
func (b *Breakers) Of(d sample.DRY) (*sample.Breakers, error) {
	if !d.On() || len(d.Breakers) == 0 {
		return nil, nil
	}
	var key strings.Builder
	for _, text := range d.Breakers {
		key.WriteString(strconv.Itoa(len(text)) + ":" + text)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	found, ok := b.known[key.String()]
	if !ok {
		found = b.find(d.Breakers)
		if len(b.known) >= knownBreakers {
			clear(b.known)
		}
		b.known[key.String()] = found
	}
	if n := len(found.Sequences); n > sample.MaxBreakerSequences {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, &sample.ParamError{
			Field: "dry_sequence_breakers", Value: fmt.Sprintf("%d sequences of the vocabulary's tokens", n),
			Want: fmt.Sprintf("at most %d: fewer or shorter texts have less", sample.MaxBreakerSequences),
		})
	}
	return found, nil
}

// find looks for tokens that hold a breaker, and for those that end with the beginning of one, which others may go on with.
func (b *Breakers) find(texts []string) *sample.Breakers {
	found := &sample.Breakers{Alone: map[int32]bool{}}
	after := map[string][]int32{}
	said := map[string]bool{}
	for id := range int32(b.tokenizer.Size()) {
		word := b.tokenizer.Decode([]int32{id}, tokenizer.DecodeOptions{Special: true})
		for _, text := range texts {
			if bytes.Contains(word, []byte(text)) {
				found.Add(id, nil)
				continue
			}
			for n := min(len(text)-1, len(word)); n > 0; n-- {
				if !bytes.HasSuffix(word, []byte(text[:n])) {
					continue
				}
				rest, ok := after[text[n:]]
				if !ok {
					rest = b.tokenizer.Encode(text[n:], tokenizer.EncodeOptions{})
					after[text[n:]] = rest
				}
				name := strconv.Itoa(int(id)) + " " + text[n:]
				if !said[name] {
					said[name] = true
					found.Add(id, rest)
				}
			}
		}
	}
	return found
}
