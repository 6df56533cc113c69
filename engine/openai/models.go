package openai

import (
	"context"
	"fmt"
	"strings"
)

// ModelList is what /v1/models answers.
type ModelList struct {
	Object string  `json:"object"` // "list"
	Data   []Model `json:"data"`
}

// Model is a model that can be asked for.
type Model struct {
	ID      string `json:"id"`
	Object  string `json:"object"` // "model"
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
	Parent  string `json:"parent,omitempty"`        // of a LoRA adapter: its model, as vLLM has it
	Context int    `json:"max_model_len,omitempty"` // as vLLM has it
	Loaded  bool   `json:"loaded"`
}

// ListModels lists the models.
func (a *API) ListModels(ctx context.Context) *ModelList {
	list := &ModelList{Object: "list", Data: []Model{}}
	for _, m := range a.Models.List(ctx) {
		owner := m.OwnedBy
		if owner == "" {
			owner = "quire"
		}
		list.Data = append(list.Data, Model{ID: m.ID, Object: "model", Created: m.Created, OwnedBy: owner, Parent: m.Parent, Context: m.Context, Loaded: m.Loaded})
	}
	return list
}

func (a *API) handleModels(ctx context.Context, c Call) (*Answer, *Error) {
	list := a.ListModels(ctx)
	_, id, one := strings.Cut(strings.TrimSuffix(c.Path, "/"), "/models/")
	if !one {
		return jsonAnswer(list)
	}
	for _, m := range list.Data {
		if m.ID == id {
			return jsonAnswer(m)
		}
	}
	return nil, UnknownModel(id)
}

// UnknownModel refuses a request by the name of its model.
func UnknownModel(name string) *Error {
	return &Error{Status: 404, Message: fmt.Sprintf("The model %s does not exist or is not served here: GET /v1/models lists those that are.", quoted(name)),
		Type: typeInvalid, Param: "model", Code: "model_not_found"}
}

func (a *API) handleHealth(context.Context, Call) (*Answer, *Error) {
	return jsonAnswer(struct {
		Status string `json:"status"`
	}{"ok"})
}
