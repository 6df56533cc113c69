package attend

import (
	"context"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// memory measures what one head takes, standard attention's where it ran at that length.
func (b *bencher) memory(ctx context.Context, length, dim int, ran bool) error {
	c := oneHead(length, dim)
	b.next("memory of " + c.String())
	m, err := measureMemory(ctx, b.device, c, ran)
	if tooLarge(err) {
		return nil
	}
	if err != nil {
		return err
	}
	b.report.Memory = append(b.report.Memory, m)
	b.tell(Progress{Stage: "memory", Done: b.done, Total: b.total, Report: b.report})
	return nil
}

// oneHead is a head's forward pass.
func oneHead(length, dim int) Case {
	return Case{Kind: Forward, Method: Flash, Length: length, queries: length, HeadDim: dim, Heads: 1, KVHeads: 1, Batch: 1, Causal: true,
		KVType: kernel.KVF32.String()}
}

// measureMemory makes the launches of flash and of standard attention and counts the device's bytes, without running
// them. Without allocate, or where they do not fit, standard attention's bytes are added up instead.
func measureMemory(ctx context.Context, d *gpu.Device, c Case, allocate bool) (Memory, error) {
	m := Memory{Length: c.Length, HeadDim: c.HeadDim}
	f, err := held(ctx, d, c, func(l launch) {})
	if err != nil {
		return m, err
	}
	m.Flash, m.Computed = f, true
	if allocate {
		c.Method = standardNamed
		var copies uint64
		all, err := held(ctx, d, c, func(l launch) { _, copies = l.(*standard).attention.Bytes() })
		if err != nil && !tooLarge(err) {
			return m, err
		}
		if err == nil {
			m.Standard, m.Copies, m.Computed = all-copies, copies, false
		}
	}
	if m.Computed {
		m.Standard = uint64(c.inputBytes()) + 8*uint64(kernel.RowStride(c.queries))*uint64(kernel.RowStride(c.Length))
	}
	m.Ratio = float64(m.Standard) / float64(m.Flash)
	return m, nil
}

// held counts the bytes of a launch's buffers. What it has begun ends before it is given up, so that nothing disturbs what
// is timed next.
func held(ctx context.Context, d *gpu.Device, c Case, look func(launch)) (uint64, error) {
	before := d.Stats().Bytes
	l, err := newLaunch(d, c)
	if err != nil {
		return 0, err
	}
	defer l.release()
	look(l)
	bytes := d.Stats().Bytes - before
	if err := l.wait(ctx); err != nil {
		return 0, err
	}
	return bytes, d.Idle(ctx)
}
