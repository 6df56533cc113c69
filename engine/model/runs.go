package model

import "quire/engine/gguf"

// Runs reports whether weight matrices of a tensor type run.
func Runs(t gguf.Type) bool {
	_, ok := weightTypes[t]
	return ok
}
