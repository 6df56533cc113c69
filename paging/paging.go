// Package paging keeps the books of a paged KV cache: which blocks of slots hold which tokens of which sequence
// (PagedAttention, arXiv 2309.06180, section 4). It moves no data: what must be copied it says in Copies.
//
// A BlockPool owns the blocks: a free queue, reference counts, and the prefix cache. A BlockTable is one sequence's
// blocks, one table a KV group. The Manager is the only one that joins the two: every change of a table goes through it,
// so that Check can prove the books at any moment.
//
// Nothing here is safe for use by several goroutines at once, and nothing depends on time: equal calls give equal ids.
package paging

import (
	"errors"
	"fmt"
)

// NullBlock is the id that stands for no block: padding, and what a window has left behind.
const NullBlock int32 = 0

var (
	// ErrNoBlocks says that the pool has fewer free blocks than the call needs; nothing was changed.
	ErrNoBlocks = errors.New("paging: not enough free blocks: free a sequence, or give the cache more memory")
	// ErrNoHostBlocks says that host memory has fewer free blocks than a swap-out needs; nothing was changed.
	ErrNoHostBlocks = errors.New("paging: not enough host memory to swap to: recompute, or give it more")
	// ErrEmptyQueue says that nothing is left in a free queue.
	ErrEmptyQueue = errors.New("paging: the free queue is empty")
	// ErrInUse says that the cache cannot be cleared while sequences hold blocks.
	ErrInUse = errors.New("paging: blocks are in use: free every sequence first")
	// ErrWrittenNow says that a shared block would have to be copied in the step that writes it; ask in the next step.
	ErrWrittenNow = errors.New("paging: the shared block is written in this step: ask again in the next one")
	// ErrLeftWindow says that a truncated sequence would need blocks that its window has given back: recompute it.
	ErrLeftWindow = errors.New("paging: the window has given those blocks back: free the sequence and recompute it")
	// ErrTable says that a table was used in a way that its state does not allow.
	ErrTable = errors.New("paging: wrong use of a block table")
)

// Group is what layers of one attention span have in common.
type Group struct {
	Window int // tokens a query sees, itself included; 0: all
	Sinks  int // first tokens that stay visible beside a window
}

// Config says how large the cache is and how it behaves.
type Config struct {
	BlockSize   int     // slots a block
	Blocks      int     // blocks of the pool, the null block included
	Groups      []Group // KV groups; none: one of full attention
	HostBlocks  int     // blocks of host memory that tables can be swapped to
	States      int     // slots for the states of layers without K and V, the null slot included; 0: there are none
	HostStates  int     // of host memory, that states can be swapped to with their tables
	PrefixCache bool
	PartialHits bool        // copy the first rows of a cached block that shares only its first tokens
	Events      func(Event) // told of every change that a page may show; nil: nobody
}

func (c *Config) validate() error {
	if c.BlockSize < 1 {
		return fmt.Errorf("paging: BlockSize is %d: it must be at least 1", c.BlockSize)
	}
	if c.Blocks < 2 {
		return fmt.Errorf("paging: Blocks is %d: it must be at least 2, the null block included", c.Blocks)
	}
	if c.Blocks > 1<<31-2 {
		return fmt.Errorf("paging: Blocks is %d: ids are 32 bits wide", c.Blocks)
	}
	if c.States < 0 || c.States == 1 || c.States > 1<<31-2 {
		return fmt.Errorf("paging: States is %d: it must be 0, or at least 2 in 32 bits, the null slot included", c.States)
	}
	if c.HostStates < 0 || c.HostStates > 1<<31-2 {
		return fmt.Errorf("paging: HostStates is %d: it must be 0 or more, in 32 bits", c.HostStates)
	}
	if c.HostBlocks < 0 || c.HostBlocks > 1<<31-2 {
		return fmt.Errorf("paging: HostBlocks is %d: it must be 0 or more, in 32 bits", c.HostBlocks)
	}
	for i, g := range c.Groups {
		if g.Window < 0 || g.Sinks < 0 {
			return fmt.Errorf("paging: Groups[%d] has window %d and %d sinks: neither may be negative", i, g.Window, g.Sinks)
		}
	}
	return nil
}

// Copy moves the rows of slots [0, Slots) from one block to another, in every layer of the group, before any layer of
// the step writes.
type Copy struct {
	Group    int32
	From, To int32
	Slots    int32
}
