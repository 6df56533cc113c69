// Package model carries the model that the binary runs when it is given none.
package model

import _ "embed"

// Name is the built-in model's file name.
const Name = "quire-tales.gguf"

// Bytes is the built-in model, a GGUF file: small stories, 7 million parameters, Apache-2.0.
//
//go:embed quire-tales.gguf
var Bytes []byte
