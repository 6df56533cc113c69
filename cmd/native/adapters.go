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
			if err := writeJSON(h.out, a); err != nil {
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
