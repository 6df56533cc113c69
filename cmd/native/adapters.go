package main

import (
	"context"
	"fmt"
	"strings"

	"quire/engine/gpu"
)

type adaptersCommand struct {
	JSON bool `name:"json" help:"Print JSON Lines, one object an adapter."`
}

// Help is what --help shows beyond the flags.
func (*adaptersCommand) Help() string {
	return `Lists the adapters with their features and limits, the best first. --adapter of the other commands takes the number in front, or
a part of the name.

Examples:

  quire adapters
  quire run --adapter llvmpipe "Hello."`
}

// Run runs the command.
func (c *adaptersCommand) Run(h *host) error {
	list, err := gpu.Adapters(context.Background())
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return gpu.ErrNoAdapter
	}
	for _, a := range list {
		if c.JSON {
			if err := writeJSON(h.out, newAdapterJSON(a)); err != nil {
				return err
			}
			continue
		}
		_, err := fmt.Fprintf(h.out, "%d  %s\n   %s, %s; driver %s\n   features: %s\n"+
			"   one buffer %s, one binding %s, %d storage bindings, workgroup memory %s, %d invocations\n",
			a.Index, a.Name, a.Type, a.Backend, orDash(a.Driver), orDash(strings.Join(a.Features.Names(), ", ")),
			formatSize(a.Limits.MaxBufferSize), formatSize(a.Limits.MaxStorageBufferBindingSize),
			a.Limits.MaxStorageBuffersPerShaderStage, formatSize(uint64(a.Limits.MaxComputeWorkgroupStorageSize)),
			a.Limits.MaxComputeInvocationsPerWorkgroup)
		if err != nil {
			return err
		}
	}
	return nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// adapterJSON is an adapter as --json shows it.
type adapterJSON struct {
	Index    int      `json:"index"`
	Name     string   `json:"name"`
	Vendor   string   `json:"vendor"`
	Backend  string   `json:"backend"`
	Type     string   `json:"type"`
	Driver   string   `json:"driver"`
	Features []string `json:"features"`
	Limits   limits   `json:"limits"`
}

type limits struct {
	BufferSize         uint64 `json:"max_buffer_size"`
	StorageBindingSize uint64 `json:"max_storage_buffer_binding_size"`
	StorageBuffers     uint32 `json:"max_storage_buffers_per_shader_stage"`
	WorkgroupMemory    uint32 `json:"max_compute_workgroup_storage_size"`
	Invocations        uint32 `json:"max_compute_invocations_per_workgroup"`
}

func newAdapterJSON(a gpu.AdapterInfo) adapterJSON {
	return adapterJSON{Index: a.Index, Name: a.Name, Vendor: a.Vendor, Backend: a.Backend, Type: a.Type, Driver: a.Driver,
		Features: a.Features.Names(), Limits: limits{a.Limits.MaxBufferSize, a.Limits.MaxStorageBufferBindingSize,
			a.Limits.MaxStorageBuffersPerShaderStage, a.Limits.MaxComputeWorkgroupStorageSize, a.Limits.MaxComputeInvocationsPerWorkgroup}}
}
