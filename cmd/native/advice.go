package main

import (
	"errors"

	"quire/cmd/native/pull"
	"quire/engine"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/hub"
	"quire/engine/model"
	"quire/engine/tokenizer"
	"quire/engine/words"
)

// fieldNames are the engine's fields as the flags and the lines of --prompts call them.
var fieldNames = map[string]string{
	"N": "n", "BestOf": "best_of", "MaxTokens": "max_tokens", "MinTokens": "min_tokens", "Stop": "stop", "Sample.Temperature": "temperature", "MaxSeqs": "--max-seqs",
	"Speculation": "--spec-type", "DraftMax": "--draft-max", "DraftModel": "--draft-model",
	"Beams": "beams", "Beams.Width": "beams", "Beams.LengthPenalty": "length_penalty", "Beams.EarlyStopping": "early_stopping",
}

// say gives an error in a user's words.
func say(err error) string {
	text := words.Error(err)
	if errors.Is(err, engine.ErrBadRequest) {
		text = words.Fields(text, fieldNames)
	}
	return text
}

// advise says what to do about an error; empty where the error says all.
func advise(err error) string {
	var format *gguf.FormatError
	var network *hub.Error
	var pulled *pull.Error
	var wrong *engine.SelfTestError
	switch {
	case errors.As(err, &pulled):
		return pulled.Advice()
	case errors.As(err, &network):
		return network.Advice()
	case errors.Is(err, gpu.ErrNoAdapter):
		return "\"quire adapters\" lists what is there. If there is none, install a Vulkan driver: the GPU maker's, or Mesa's,\n" +
			"which also runs without a GPU (Debian and Ubuntu: apt-get install mesa-vulkan-drivers)."
	case errors.Is(err, gpu.ErrOutOfMemory):
		return "--kv-memory and --ctx set the size of the KV cache, --kv-type q8, the smallest, nearly halves f16's;\n" +
			"\"quire inspect FILE\" tells what a model's weights and cache need."
	case errors.Is(err, gpu.ErrDeviceLost):
		return "The driver gave the GPU up. Another program may need its memory; --adapter chooses another GPU."
	case errors.As(err, &wrong):
		return "Update the GPU's driver. --adapter chooses another adapter, and --no-self-test runs this one in spite of it."
	case errors.Is(err, engine.ErrContextTooLong):
		return "Shorten the prompt or raise --ctx."
	case errors.Is(err, engine.ErrSessionFormat):
		return "A conversation is a file that \"quire run --save\" wrote, of this version."
	case errors.Is(err, engine.ErrSessionModel):
		return "A conversation goes on with the model file and the --kv-type it was saved with."
	case errors.Is(err, engine.ErrNotNumbers):
		return "The file may be damaged: download it again, or take another quantization of the model."
	case errors.Is(err, engine.ErrUnsupportedModel), errors.Is(err, model.ErrUnsupported), errors.Is(err, tokenizer.ErrUnsupportedTokenizer):
		return "\"quire inspect FILE\" lists what would not run and why."
	case errors.As(err, &format):
		return "The file is damaged or not complete, or no GGUF file; copy or download it again."
	}
	return ""
}
