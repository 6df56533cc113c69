package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// CopyBlocks makes the step's block copies of one KV group in one layer's K and V buffers.
type CopyBlocks struct {
	device *gpu.Device
	kernel *gpu.Kernel
	layout KVLayout
	group  int
	groups uint32
}

// NewCopyBlocks starts compiling the kernel for a KV group's layout.
func NewCopyBlocks(d *gpu.Device, l KVLayout, group int) (*CopyBlocks, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	if group < 0 || group >= MaxGroups {
		return nil, fmt.Errorf("kernel: copy_blocks: KV group %d, there are at most %d", group, MaxGroups)
	}
	m, err := Module(d, Spec{
		File: "copy_blocks", Variant: "baseline",
		Consts: []Const{{"BLOCK_WORDS", l.BlockWords()}, {"BLOCK_PAD", l.Pad}, {"KV_ROW", l.RowWords()},
			{"BLOCK_SIZE", l.BlockSize}, {"GROUP", group}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite},
	})
	if err != nil {
		return nil, err
	}
	return &CopyBlocks{device: d, kernel: d.Kernel(m), layout: l, group: group, groups: uint32((l.BlockWords() + 63) / 64)}, nil
}

// Wait blocks until the kernel is compiled.
func (k *CopyBlocks) Wait(ctx context.Context) error { return k.kernel.Wait(ctx) }

// Bind binds the step buffer and one layer's caches.
func (k *CopyBlocks) Bind(step, kCache, vCache gpu.View) (*gpu.BindGroup, error) {
	return k.device.Bind(k.kernel, step, kCache, vCache)
}

// Record records the step's copies, of which there are copies over all groups; those of other groups are passed over.
func (k *CopyBlocks) Record(rec *gpu.Recorder, g *gpu.BindGroup, copies int) {
	y, z := Fold(copies)
	rec.Dispatch(k.kernel, g, k.groups, y, z)
}
