//go:build js

package main

import (
	"errors"

	"quire/engine"
	"quire/engine/chat"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/hub"
	"quire/engine/quant"
	"quire/engine/tokenizer"
	"quire/engine/words"
)

// failure is an error in JavaScript's form.
type failure struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

var named = []struct {
	name string
	err  error
}{
	{"ErrNoAdapter", gpu.ErrNoAdapter},
	{"ErrDeviceLost", gpu.ErrDeviceLost},
	{"ErrOutOfMemory", gpu.ErrOutOfMemory},
	{"ErrUnsupportedModel", engine.ErrUnsupportedModel},
	{"ErrUnsupportedModel", quant.ErrUnsupportedType},
	{"ErrUnsupportedTokenizer", tokenizer.ErrUnsupportedTokenizer},
	{"ErrContextTooLong", engine.ErrContextTooLong},
	{"ErrQueueFull", engine.ErrQueueFull},
	{"ErrNotNumbers", engine.ErrNotNumbers},
	{"ErrTemplate", chat.ErrTemplate},
	{"ErrBadRequest", engine.ErrBadRequest},
	{"ErrClosed", engine.ErrClosed},
}

// fieldNames are the engine's fields as quire.js calls them.
var fieldNames = map[string]string{
	"N": "n", "BestOf": "bestOf", "MaxTokens": "maxTokens", "Stop": "stop", "Sample.Temperature": "temperature", "MaxSeqs": "maxSeqs",
	"Beams": "beams", "Beams.Width": "beams.width", "Beams.LengthPenalty": "beams.lengthPenalty", "Beams.EarlyStopping": "beams.earlyStopping",
	"Beams.MinTokens": "beams.minTokens", "top_k": "topK", "top_p": "topP", "min_p": "minP",
}

// failureOf names an error: by the type that Go knows it by, or plainly Error.
func failureOf(err error) *failure {
	f := &failure{Name: "Error", Message: words.Error(err)}
	var network *hub.Error
	var format *gguf.FormatError
	var kind *gguf.KindError
	var metadata *gguf.MetadataError
	var shader *gpu.ShaderError
	switch {
	case errors.As(err, &network):
		f.Name, f.Message = string(network.Kind), network.Error()+". "+network.Advice()
	case errors.As(err, &format):
		f.Name = "FormatError"
	case errors.As(err, &kind):
		f.Name = "KindError"
	case errors.As(err, &shader):
		f.Name = "ShaderError"
	default:
		if errors.Is(err, engine.ErrBadRequest) {
			f.Message = words.Fields(f.Message, fieldNames)
		}
		for _, n := range named {
			if errors.Is(err, n.err) {
				f.Name = n.name
				return f
			}
		}
		if errors.As(err, &metadata) {
			f.Name = "MetadataError"
		}
	}
	return f
}
