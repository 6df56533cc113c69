//go:build js

package main

import (
	"errors"

	"quire/cmd/wasm/port"
	"quire/engine"
	"quire/engine/chat"
	"quire/engine/gguf"
	"quire/engine/quant"
	"quire/engine/tokenizer"
	"quire/engine/words"
)

var names = []port.Name{
	{Name: "FormatError", Is: port.As[*gguf.FormatError]},
	{Name: "KindError", Is: port.As[*gguf.KindError]},
	{Name: "ErrUnsupportedModel", Is: port.Is(engine.ErrUnsupportedModel)},
	{Name: "ErrUnsupportedModel", Is: port.Is(quant.ErrUnsupportedType)},
	{Name: "ErrUnsupportedAdapter", Is: port.Is(engine.ErrAdapter)},
	{Name: "ErrUnsupportedTokenizer", Is: port.Is(tokenizer.ErrUnsupportedTokenizer)},
	{Name: "ErrContextTooLong", Is: port.Is(engine.ErrContextTooLong)},
	{Name: "ErrQueueFull", Is: port.Is(engine.ErrQueueFull)},
	{Name: "ErrNotNumbers", Is: port.Is(engine.ErrNotNumbers)},
	{Name: "SelfTestError", Is: port.As[*engine.SelfTestError]},
	{Name: "ErrSessionFormat", Is: port.Is(engine.ErrSessionFormat)},
	{Name: "ErrSessionDamaged", Is: port.Is(engine.ErrSessionDamaged)},
	{Name: "ErrSessionModel", Is: port.Is(engine.ErrSessionModel)},
	{Name: "ErrTemplate", Is: port.Is(chat.ErrTemplate)},
	{Name: "ErrDraftModel", Is: port.Is(engine.ErrDraftModel)},
	{Name: "ErrBadRequest", Is: port.Is(engine.ErrBadRequest)},
	{Name: "ErrClosed", Is: port.Is(engine.ErrClosed)},
	{Name: "MetadataError", Is: port.As[*gguf.MetadataError]},
}

// fieldNames are the engine's fields as quire.js calls them.
var fieldNames = map[string]string{
	"N": "n", "BestOf": "bestOf", "MaxTokens": "maxTokens", "MinTokens": "minTokens", "Stop": "stop", "Sample.Temperature": "temperature", "MaxSeqs": "maxSeqs", "LoRARank": "loraRank",
	"Speculation": "speculation", "DraftMax": "draftMax", "DraftModel": "draftModel",
	"Beams": "beams", "Beams.Width": "beams.width", "Beams.LengthPenalty": "beams.lengthPenalty", "Beams.EarlyStopping": "beams.earlyStopping",
	"top_k": "topK", "top_p": "topP", "min_p": "minP",
	"logit_bias": "logitBias", "repetition_penalty": "repetitionPenalty", "frequency_penalty": "frequencyPenalty", "presence_penalty": "presencePenalty",
	"dry_multiplier": "dry.multiplier", "dry_base": "dry.base", "dry_allowed_length": "dry.allowedLength", "dry_range": "dry.range",
	"dry_sequence_breakers": "dry.breakers",
}

// failureOf names an error, and the fields that it is about.
func failureOf(err error) *port.Failure {
	f := port.FailureOf(err, names...)
	if errors.Is(err, engine.ErrBadRequest) {
		f.Message = words.Fields(f.Message, fieldNames)
	}
	return f
}
