//go:build js

package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"syscall/js"

	"quire/engine"
)

// loraUse is engine.LoRA as quire.js writes it.
type loraUse struct {
	Adapter uint64  `json:"adapter"`
	Scale   float64 `json:"scale"`
}

// adapters are those that a request names.
func (r *asked) adapters() (all []engine.LoRA) {
	for _, use := range r.LoRA {
		all = append(all, engine.LoRA{Adapter: use.Adapter, Scale: use.Scale})
	}
	return all
}

// loraFile is where an adapter comes from, and what requests of the API are to call it.
type loraFile struct {
	URL  string `json:"url"`
	Name string `json:"name"`
}

// adapter is one that is loaded.
type adapter struct {
	ID   uint64 `json:"id"`
	Name string `json:"name"`
}

// addLoRA answers with the number and the name of an adapter that it loads.
func (b *bridge) addLoRA(id int, e *engine.Engine, file loraFile, blob js.Value) {
	a, err := b.loadLoRA(e, file, blob)
	if err != nil {
		b.Fail(id, err)
		return
	}
	b.Answer("done", id, a, js.Null())
}

func (b *bridge) loadLoRA(e *engine.Engine, file loraFile, blob js.Value) (a adapter, err error) {
	taken := fmt.Errorf("%w: an adapter called %q is loaded already: give this one another name", engine.ErrBadRequest, file.Name)
	if b.named(file.Name) {
		return a, taken
	}
	source, err := openSource(context.Background(), file.URL, blob)
	if err != nil {
		return a, err
	}
	if a.ID, err = e.AddLoRA(source); err != nil {
		return a, err
	}
	a.Name = file.Name
	switch {
	case a.Name == "":
		a.Name = b.freeName(fileName(file.URL, blob))
	case b.named(a.Name): // meanwhile
		return a, errors.Join(taken, e.DropLoRA(a.ID))
	}
	b.local.NameLoRA(a.ID, a.Name)
	return a, nil
}

// named reports whether an adapter has a name.
func (b *bridge) named(name string) bool {
	_, err := b.local.LoRA(name)
	return err == nil
}

// fileName is a file's, without its folder and its ending.
func fileName(url string, blob js.Value) string {
	name, _, _ := strings.Cut(url, "?")
	name = path.Base(name)
	if blob.Truthy() {
		name = ""
		if given := blob.Get("name"); given.Type() == js.TypeString {
			name = given.String()
		}
	}
	name = strings.TrimSuffix(name, ".gguf")
	if name == "" {
		name = "adapter"
	}
	return name
}

// freeName gives a name that no adapter has.
func (b *bridge) freeName(name string) string {
	free := name
	for i := 2; b.named(free); i++ {
		free = fmt.Sprintf("%s-%d", name, i)
	}
	return free
}
