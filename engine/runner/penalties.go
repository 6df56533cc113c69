package runner

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/sample"
)

// penalties are what lanes with a bias or penalties need on the GPU. Before the first such lane there is nothing.
//
// A lane's history lists the tokens that its sequence has and may still get: 8 bytes each, 20 with DRY, and no more than they ask for.
// A count for each token of a vocabulary would take 1 MiB a lane of 256k tokens whatever is asked, all of which a step would have to
// read, and says nothing of the tokens' order, which DRY needs.
type penalties struct {
	kernel  *kernel.Penalize
	bound   *kernel.Penalties
	words   *gpu.Buffer // [lane][kernel.PenaltyWords]
	history *gpu.Buffer
	lanes   map[int32]bool // that have any; true: raw logits are wanted
	regions []region       // of the history, in order
}

// region is a lane's part of the history, in words.
type region struct {
	lane     int32
	at, size int
}

// leastHistory is the smallest history, in words.
const leastHistory = 1 << 14

// openPenalties gives a lane what it needs from the steps on that are submitted next, or takes it away.
func (r *Runner) openPenalties(lane int32, p sample.Params, h sample.History) error {
	s := &r.penalties
	if _, ok := s.lanes[lane]; ok {
		s.drop(lane)
		if err := s.words.Upload(uint64(lane)*4*kernel.PenaltyWords, make([]byte, 4*kernel.PenaltyWords)); err != nil {
			return err
		}
	}
	if !p.Penalizes() {
		return nil
	}
	if err := r.preparePenalties(); err != nil {
		return err
	}
	l := kernel.NewPenalized(p, h, r.plan.Config.Vocabulary)
	at := s.place(lane, l.Size)
	err := r.growHistory(at + l.Size)
	if err == nil {
		err = l.Place(at, func(at int, words []uint32) error { return upload(s.history, at, words) })
	}
	if err == nil {
		err = upload(s.words, int(lane)*kernel.PenaltyWords, l.Words[:])
	}
	if err != nil {
		s.drop(lane)
		return err
	}
	s.lanes[lane] = p.Logprobs > 0 || h.Raw
	return nil
}

func upload(b *gpu.Buffer, at int, words []uint32) error {
	data := make([]byte, 0, 4*len(words))
	for _, w := range words {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	return b.Upload(4*uint64(at), data)
}

// preparePenalties makes the kernels and the lanes' words, once.
func (r *Runner) preparePenalties() (err error) {
	s := &r.penalties
	if s.words != nil {
		return nil
	}
	vocabulary := r.plan.Config.Vocabulary
	if s.kernel, err = kernel.NewPenalize(r.device, kernel.PenalizeParams{Vocab: vocabulary, Stride: kernel.RowStride(vocabulary), Context: r.options.Context}); err != nil {
		return err
	}
	if err = s.kernel.Wait(context.Background()); err != nil {
		return err
	}
	if r.options.SelfTest {
		if err = r.test(s.kernel); err != nil {
			return err
		}
	}
	s.lanes = map[int32]bool{}
	s.words, err = r.buffer(r.device, "penalties", uint64(4*kernel.PenaltyWords*r.options.MaxSeqs))
	return err
}

// drop takes a lane's region away.
func (s *penalties) drop(lane int32) {
	delete(s.lanes, lane)
	s.regions = slices.DeleteFunc(s.regions, func(x region) bool { return x.lane == lane })
}

// place finds a lane the first place that is large enough.
func (s *penalties) place(lane int32, size int) int {
	at, i := 0, 0
	for ; i < len(s.regions) && s.regions[i].at-at < size; i++ {
		at = s.regions[i].at + s.regions[i].size
	}
	s.regions = append(s.regions, region{})
	copy(s.regions[i+1:], s.regions[i:])
	s.regions[i] = region{lane, at, size}
	return at
}

// noRoom says what would help where the history cannot grow.
func noRoom(err error) error {
	return fmt.Errorf("no GPU memory for the tokens that penalties count: ask for fewer tokens (MaxTokens), or run fewer sequences at once: %w", err)
}

// growHistory makes the history hold so many words, in order with the steps that write it.
func (r *Runner) growHistory(words int) error {
	s := &r.penalties
	if s.history != nil && uint64(4*words) <= s.history.Size() {
		return nil
	}
	size := uint64(4 * max(words, leastHistory))
	if s.history != nil {
		size = max(size, 2*s.history.Size())
	}
	limits := r.device.Limits()
	largest := min(limits.MaxBufferSize, limits.MaxStorageBufferBindingSize)
	if uint64(4*words) > largest {
		return noRoom(&gpu.MemoryError{Label: "history", Asked: uint64(4 * words), Held: r.device.Stats().Bytes, Limit: largest})
	}
	grown, err := r.device.NewBuffer("history", min(size, largest), gpu.Storage)
	if errors.Is(err, gpu.ErrOutOfMemory) {
		return noRoom(err)
	}
	if err != nil {
		return err
	}
	bound, err := s.kernel.Bind(r.step.All(), r.graph.Logits().All(), r.lanes.All(), s.words.All(), grown.All())
	if err == nil && s.history != nil {
		var rec gpu.Recorder
		rec.Copy(s.history, 0, grown, 0, s.history.Size())
		err = r.device.Submit(&rec)
	}
	if err != nil {
		grown.Release()
		return err
	}
	s.history.Release()
	s.history, s.bound = grown, bound
	return nil
}
