package train

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// Batch is what one step learns: sequences of equal length, one after the other, and each token's successor.
type Batch struct {
	Tokens, Targets []int32
}

// Windows draws batches from a long text: so many windows of length tokens, each from a random place.
type Windows struct {
	Text   []int32 // at least length + 1 tokens
	Length int
	Random *rand.Rand
}

// Batch draws one of n sequences.
func (w *Windows) Batch(n int) Batch {
	var b Batch
	for range n {
		at := w.Random.IntN(len(w.Text) - w.Length)
		b.Tokens = append(b.Tokens, w.Text[at:at+w.Length]...)
		b.Targets = append(b.Targets, w.Text[at+1:at+1+w.Length]...)
	}
	return b
}

func (b Batch) check(tokens, vocabulary int) error {
	if len(b.Tokens) != tokens || len(b.Targets) != tokens {
		return fmt.Errorf("train: a batch of %d tokens and %d targets, not %d", len(b.Tokens), len(b.Targets), tokens)
	}
	for i := range b.Tokens {
		for _, id := range []int32{b.Tokens[i], b.Targets[i]} {
			if id < 0 || int(id) >= vocabulary {
				return fmt.Errorf("train: token %d at %d is outside the vocabulary of %d", id, i, vocabulary)
			}
		}
	}
	return nil
}

// batchLayout is where a batch lies in its buffer, in words: the tokens, the targets, and the places of each token of the
// vocabulary: those of id are order[starts[id]] to order[starts[id+1]-1], rising.
type batchLayout struct{ tokens, targets, starts, order, size int }

func newBatchLayout(tokens, vocabulary int) batchLayout {
	aligned := func(n int) int { return (n + tensorAlign - 1) / tensorAlign * tensorAlign }
	l := batchLayout{targets: aligned(tokens)}
	l.starts = l.targets + aligned(tokens)
	l.order = l.starts + aligned(vocabulary+1)
	l.size = l.order + aligned(tokens)
	return l
}

// encode writes a batch into words.
func (l batchLayout) encode(b Batch, words []uint32) {
	starts, order := words[l.starts:l.order], words[l.order:]
	clear(starts)
	for i, id := range b.Tokens {
		words[i], words[l.targets+i] = uint32(id), uint32(b.Targets[i])
		starts[id+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	// Filling moves each start to the next one's place, so they are moved back after.
	for i, id := range b.Tokens {
		order[starts[id]] = uint32(i)
		starts[id]++
	}
	copy(starts[1:], starts[:len(starts)-1])
	starts[0] = 0
}

func appendWords(out []byte, words []uint32) []byte {
	for _, w := range words {
		out = binary.LittleEndian.AppendUint32(out, w)
	}
	return out
}
