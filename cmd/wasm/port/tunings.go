//go:build js

package port

import (
	"fmt"
	"syscall/js"

	"quire/engine/attention"
)

// Tunings reads what the page remembers. What cannot be read is told and passed over.
func Tunings(text string) attention.Tunings {
	if text == "" {
		return nil
	}
	t, err := attention.ParseTunings([]byte(text))
	if err != nil {
		js.Global().Get("console").Call("warn", fmt.Sprintf("quire: remembered tiles are passed over: %v", err))
	}
	return t
}
