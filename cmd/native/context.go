package main

import (
	"fmt"

	"quire/engine/gguf"
	"quire/engine/model"
)

// withinModel gives the context that --ctx asks for, at most what the model was trained for, and says so where that is less.
// Whether the model runs at all is not asked here.
func withinModel(h *host, command string, tokens int, header *gguf.File) int {
	plan, err := model.NewPlan(header)
	if err != nil || tokens <= plan.Config.Context {
		return tokens
	}
	fmt.Fprintf(h.err, "quire %s: --ctx %d is more than the %s that the model was trained for; it gets %d\n", command, tokens,
		plural(plan.Config.Context, "token"), plan.Config.Context)
	return plan.Config.Context
}
