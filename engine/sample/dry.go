package sample

import (
	"fmt"
	"math"
	"slices"
)

// DRY ("don't repeat yourself", by p-e-w) penalises tokens that would go on with a sequence that has come before. Where the
// last n tokens came before, n at least AllowedLength, Multiplier·Base^(n-AllowedLength) is taken off the logit of the token
// that followed them there; of several such places the longest counts. As llama.cpp has it, tokens that hold a breaker end
// what is compared, and are not penalised. The zero value is off; NewDRY gives the usual numbers.
type DRY struct {
	Multiplier    float64  // 0 to 100; 0: off
	Base          float64  // 1 to 100
	AllowedLength int      // tokens that may be repeated
	Range         int      // tokens from the end that are looked at; 0: all
	Breakers      []string // texts, at most MaxBreakers of MaxBreaker bytes; kept, not changed
}

// The most breakers, the most bytes of one, the most tokens of one behind its first, and the most sequences of tokens that all are.
const (
	MaxBreakers         = 64
	MaxBreaker          = 40
	maxBreakerAfter     = 20
	MaxBreakerSequences = 1 << 14
)

// NewDRY gives DRY with a multiplier, and otherwise the numbers that its author and llama.cpp suggest.
func NewDRY(multiplier float64) DRY {
	return DRY{Multiplier: multiplier, Base: 1.75, AllowedLength: 2, Breakers: []string{"\n", ":", "\"", "*"}}
}

// On reports whether it does anything.
func (d DRY) On() bool { return d.Multiplier != 0 }

func (d DRY) validate() error {
	switch {
	case !(d.Multiplier >= 0 && d.Multiplier <= 100):
		return &ParamError{"dry_multiplier", d.Multiplier, "between 0 (off) and 100"}
	case !d.On():
		return nil
	case !(d.Base >= 1 && d.Base <= 100):
		return &ParamError{"dry_base", d.Base, "between 1 and 100"}
	case d.AllowedLength < 0 || d.AllowedLength > math.MaxInt32:
		return &ParamError{"dry_allowed_length", d.AllowedLength, "0 or a positive number of tokens"}
	case d.Range < 0 || d.Range > math.MaxInt32:
		return &ParamError{"dry_range", d.Range, "0 (all) or a positive number of tokens"}
	case len(d.Breakers) > MaxBreakers:
		return &ParamError{"dry_sequence_breakers", len(d.Breakers), fmt.Sprintf("at most %d", MaxBreakers)}
	}
	for _, b := range d.Breakers {
		if b == "" || len(b) > MaxBreaker {
			return &ParamError{"dry_sequence_breakers", fmt.Sprintf("%q", b), fmt.Sprintf("texts of 1 to %d bytes", MaxBreaker)}
		}
	}
	return nil
}

// Breakers are DRY's in tokens.
type Breakers struct {
	Alone     map[int32]bool // tokens that hold one
	Sequences [][]int32      // of two tokens and more: the first ends with the beginning of one, the others go on with it
}

// Add puts a token in front of those that go on with a breaker; none: it holds the breaker.
func (b *Breakers) Add(token int32, after []int32) {
	if len(after) == 0 {
		b.Alone[token] = true
		return
	}
	after = after[:min(len(after), maxBreakerAfter)]
	b.Sequences = append(b.Sequences, append([]int32{token}, after...))
}

// Holds reports whether a token holds a breaker.
func (b *Breakers) Holds(token int32) bool { return b != nil && b.Alone[token] }

// Break says where the last breaker in a text begins and where it ends: the latest to begin counts, and of those the longest.
// begin is -1 where there is none.
func (b *Breakers) Break(tokens []int32) (begin, end int) {
	begin = -1
	if b == nil {
		return begin, 0
	}
	for i, token := range tokens {
		if b.Alone[token] {
			begin, end = i, i+1
		}
	}
	for _, s := range b.Sequences {
		for i := len(tokens) - len(s); i >= max(begin, 0); i-- {
			if slices.Equal(tokens[i:i+len(s)], s) {
				if i > begin || i+len(s) > end {
					begin, end = i, i+len(s)
				}
				break
			}
		}
	}
	return begin, end
}
