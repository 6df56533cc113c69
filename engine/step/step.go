// Package step is the plain data of one step: the scheduler writes it, the
// runner reads it, and gives back what came of it. It names sequences, lanes
// and blocks by number only; no GPU object and no request ever travels in it.
package step

import (
	"slices"

	"quire/engine/sample"
	"quire/paging"
)

// LaneToken marks an entry of Step.Tokens whose value is the last token that
// the row's lane sampled; it is still on the GPU.
const LaneToken int32 = -1

// NoSlot is a slot mapping entry that writes nothing.
const NoSlot int32 = -1

// Step is the work of one pass through the model. T is the number of tokens.
// Its order inside: swap-outs, swap-ins, copies, then each layer's writes
// before its reads.
type Step struct {
	Number    uint64        // counts from 1; a step of another number never reuses it
	Tokens    []int32       // [T] token ids or LaneToken
	Positions []int32       // [T]
	Rows      []Row         // one a sequence in this step; their tokens are consecutive in Tokens, in order
	Groups    []Group       // one a KV group
	SwapOuts  []paging.Swap // blocks that go to host memory
	SwapIns   []paging.Swap // blocks that come from it; the step that brought them there has landed
	StateOuts []paging.Swap // states that go to host memory, by their slots
	StateIns  []paging.Swap // states that come from it
	Keeps     []Keep        // states that stay after tokens before the last of their rows
	Copies    []paging.Copy // block copies, before any layer writes; no copy reads what another writes
	Outputs   []Output      // where logits are needed, in order of Token
	Guessing  Guessing      // at what comes behind the tokens that are drawn
	Pools     []Pool        // rows whose tokens are pooled into an embedding
}

// Decodes says whether sequences only decode, and nothing but their tokens comes back.
func (s *Step) Decodes() bool {
	return len(s.Tokens) == len(s.Rows) && len(s.Outputs) == len(s.Rows) && s.Guessing == NoGuess && !slices.ContainsFunc(s.Outputs, func(o Output) bool {
		return !o.Sample || o.Masked || o.Logits
	})
}

// Group is a KV group's part of a step.
type Group struct {
	Slots  []int32 // [T] slot mapping: block*blockSize+offset; NoSlot writes nothing
	Tables []int32 // of all rows' block tables, one after another, the entries that lanes do not hold; Row says which and where
}

// Row is one sequence's part of a step.
type Row struct {
	Sequence uint64
	Lane     int32 // owned by the sequence while it runs
	First    int32 // its tokens are [First, First+Count) of Step.Tokens
	Count    int32
	Start    int32  // position of the first token
	Blocks   int32  // length of its block table, equal in every group
	Held     int32  // leading entries of it that the lane holds from earlier steps, as they are still
	Table    int32  // offset of the others, [Held, Blocks), in every Group.Tables
	LoRA     string // the adapters that change the model for it, with their factors, such as "1:1,3:0.5"
	Long     bool   // it takes the long tables of RoPE, where there are two
	Next     int32  // the sequence's token behind its last one here; LaneToken: it is not known yet
	From, To int32  // slots of its state before its first token here and after its last; 0: none yet, and nothing to write
}

// Guessing says what a model does that has a block to guess with.
type Guessing uint8

// The kinds of guessing.
const (
	NoGuess Guessing = iota
	KeepUp           // only what later guesses need of this step
	Guess            // a token for each Output with Sample, too: what may follow the one that is drawn
)

// Keep asks for a row's state after one of its tokens.
type Keep struct {
	Token int32 // index into Step.Tokens
	Slot  int32 // no row's From or To
}

// Output asks for logits of one token of the step.
type Output struct {
	Token   int32  // index into Step.Tokens
	Row     int32  // index into Step.Rows
	Counter uint32 // sample counter: how many tokens the sequence sampled before this one
	Sample  bool   // draw a token into the row's lane
	Logits  bool   // read the whole row of logits back
	NoStop  bool   // no stop token is drawn, however likely it is
	Masked  bool   // the token is drawn under a mask, which comes behind the step
}

// Pool asks for what a row's tokens add to its sequence's embedding.
type Pool struct {
	Row   int32 // index into Step.Rows
	First int32 // the tokens that are added up are [First, First+Count) of Step.Tokens
	Count int32
}

// Pooling says which of a sequence's tokens make its embedding.
type Pooling uint8

// The kinds of pooling.
const (
	NoPooling Pooling = iota
	PoolMean          // the mean of all tokens
	PoolFirst         // the first token
	PoolLast          // the last token
)

// Reset empties s for reuse, keeping its memory, with the given number of KV
// groups.
func (s *Step) Reset(number uint64, groups int) {
	s.Number = number
	s.Tokens = s.Tokens[:0]
	s.Positions = s.Positions[:0]
	s.Rows = s.Rows[:0]
	s.SwapOuts = s.SwapOuts[:0]
	s.SwapIns = s.SwapIns[:0]
	s.StateOuts, s.StateIns = s.StateOuts[:0], s.StateIns[:0]
	s.Keeps = s.Keeps[:0]
	s.Guessing = NoGuess
	s.Copies = s.Copies[:0]
	s.Outputs = s.Outputs[:0]
	s.Pools = s.Pools[:0]
	for len(s.Groups) < groups {
		s.Groups = append(s.Groups, Group{})
	}
	s.Groups = s.Groups[:groups]
	for g := range s.Groups {
		s.Groups[g].Slots = s.Groups[g].Slots[:0]
		s.Groups[g].Tables = s.Groups[g].Tables[:0]
	}
}

// Result is what a step gave. It is the runner's memory, until the next step
// lands.
type Result struct {
	Number  uint64
	Tokens  []int32        // one an Output with Sample, in order
	Drawn   []sample.Token // the same, with their log-probabilities
	Guesses []int32        // likewise, of a step that guesses; none otherwise
	Logits  []Logits       // one an Output with Logits
	Pooled  []Pooled       // one a Pool
	Broken  []uint64       // sequences whose logits are not all numbers; a token drawn from those is 0

	Undrawable [DrawsKinds]error // why what a kind of draws takes is not there: tokens drawn so stand for nothing
}

// What not all draws take.
const (
	DrawsRandom = iota // others than the best token
	DrawsLogprobs
	DrawsKinds
)

// Logits is the whole row of one token.
type Logits struct {
	Sequence uint64
	Position int
	Values   []float32
}

// Pooled is what a Pool gave: the sum over the tokens [Position, Position+Count) of a sequence.
type Pooled struct {
	Sequence uint64
	Position int
	Count    int
	Values   []float32
	Scores   []float32 // of a model that ranks
}
