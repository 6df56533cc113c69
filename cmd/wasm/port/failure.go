//go:build js

package port

import (
	"errors"

	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/hub"
	"quire/engine/words"
)

// Failure is an error in JavaScript's form.
type Failure struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// Name is what JavaScript calls the errors that Is knows.
type Name struct {
	Name string
	Is   func(error) bool
}

// Is knows the errors that wrap one.
func Is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// As knows the errors that wrap one of a type.
func As[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

var names = []Name{
	{"ShaderError", As[*gpu.ShaderError]},
	{"ErrNoAdapter", Is(gpu.ErrNoAdapter)},
	{"ErrDeviceLost", Is(gpu.ErrDeviceLost)},
	{"ErrOutOfMemory", Is(gpu.ErrOutOfMemory)},
}

// FailureOf names an error: by the type that Go knows it by, one of the GPU's and the network's or of more, or plainly Error.
func FailureOf(err error, more ...Name) *Failure {
	var network *hub.Error
	if errors.As(err, &network) {
		return &Failure{string(network.Kind), network.Error() + ". " + network.Advice()}
	}
	name := "Error"
	for _, list := range [][]Name{names, more, {{"ErrBadRequest", Is(engine.ErrBadRequest)}}} {
		for _, n := range list {
			if name == "Error" && n.Is(err) {
				name = n.Name
			}
		}
	}
	return &Failure{name, words.Error(err)}
}
