package schedule

import (
	"slices"

	"quire/paging"
)

// Pin keeps the blocks of a token sequence referenced, so that they stay cached though no request runs with them. It
// gives way, the oldest first, when a request could not run at all otherwise.
type Pin struct {
	table *paging.BlockTable
	fresh int
}

// Tokens is how many leading tokens have their blocks held; 0 once the pin has given way.
func (p *Pin) Tokens() int { return p.table.Tokens() }

// Fresh is how many leading tokens were found cached: blocks after them hold nothing yet.
func (p *Pin) Fresh() int { return p.fresh }

// State is the slot of the state after the pin's tokens.
func (p *Pin) State() int32 {
	_, slot := p.table.States()
	return slot
}

// Blocks is the pin's block table in a KV group, until the next call of the scheduler.
func (p *Pin) Blocks(group int) []int32 { return p.table.IDs(group) }

// Pin holds the cached blocks of the longest prefix of tokens, for requests of this salt and LoRA.
func (s *Scheduler) Pin(tokens []int32, salt, lora string) (*Pin, error) {
	return s.pin(s.cache.Hold, tokens, s.extras(salt, lora, len(tokens)))
}

// Load is Pin, and, with a prefix cache, takes new blocks for as many whole blocks of tokens as there are free ones. They count as published:
// the caller fills those after Fresh before the next step is submitted. The tokens are the first of a conversation of so many.
func (s *Scheduler) Load(tokens []int32, conversation int, salt, lora string) (*Pin, error) {
	return s.pin(s.cache.Load, tokens, s.extras(salt, lora, conversation))
}

// extras are those of a request whose prompt has so many tokens. What a prompt is rotated by, all that follows is, too.
func (s *Scheduler) extras(salt, lora string, prompt int) paging.Extras {
	return paging.Extras{Salt: salt, LoRA: lora, Long: s.config.ShortContext > 0 && prompt > s.config.ShortContext}
}

func (s *Scheduler) pin(hold func(*paging.BlockTable, []int32) (int, error), tokens []int32, extras paging.Extras) (*Pin, error) {
	p := &Pin{table: s.cache.NewTable(extras)}
	var err error
	if p.fresh, err = hold(p.table, tokens); err != nil {
		return nil, err
	}
	s.pins = append(s.pins, p)
	return p, nil
}

// Unpin lets a pin's blocks go: they stay cached until somebody needs them.
func (s *Scheduler) Unpin(p *Pin) {
	s.cache.Free(p.table)
	s.pins = slices.DeleteFunc(s.pins, func(o *Pin) bool { return o == p })
}

// Forget is Unpin for blocks that could not be filled: no request finds them.
func (s *Scheduler) Forget(p *Pin) {
	s.cache.Forget(p.table)
	s.Unpin(p)
}

// yield makes the oldest pin give way; false when there is none.
func (s *Scheduler) yield() bool {
	if len(s.pins) == 0 {
		return false
	}
	s.Unpin(s.pins[0])
	s.stats.Yielded++
	return true
}

// alone says that all running sequences are r's.
func (s *Scheduler) alone(r *request) bool {
	return !slices.ContainsFunc(s.running, func(q *sequence) bool { return q.request != r })
}
