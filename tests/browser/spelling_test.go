//go:build !js

package browser

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/attention"
	"quire/engine/bench/attend"
)

// spelt lists a type's fields as JSON has them. Every one that others see has a name, or says that it has none.
func spelt(t *testing.T, of reflect.Type) (names []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "":
			names = append(names, spelt(t, field.Type)...)
		case field.IsExported() && name != "-":
			assert.Regexp(t, `^[a-z][A-Za-z]*$`, name, "%s.%s", of, field.Name)
			names = append(names, name)
		}
	}
	return names
}

// declared lists the fields of an interface in quire.d.ts, and of what it extends.
func declared(t *testing.T, types, name string) (names []string) {
	body := regexp.MustCompile(`(?s)export interface ` + name + `(?: extends (\w+))? \{\n(.*?)\n\}`).FindStringSubmatch(types)
	require.NotNil(t, body, name)
	if body[1] != "" {
		names = declared(t, types, body[1])
	}
	for _, field := range regexp.MustCompile(`(?m)^  (\w+)\??: `).FindAllStringSubmatch(body[2], -1) {
		names = append(names, field[1])
	}
	return names
}

// What the engine tells, the page and the command line get as the engine's own types have it: in JavaScript's spelling, as quire.d.ts
// declares it.
func TestEngineTypesAreSpeltAsDeclared(t *testing.T) {
	var types []byte // quire.d.ts, and what it exports from files beside it
	for _, name := range []string{"quire", "quire/blocks", "quire/tuning"} {
		text, err := os.ReadFile("../../web/" + name + ".d.ts")
		require.NoError(t, err)
		types = append(types, text...)
	}
	without := func(names []string, drop ...string) []string {
		var kept []string
		for _, n := range names {
			if !strings.Contains(" "+strings.Join(drop, " ")+" ", " "+n+" ") {
				kept = append(kept, n)
			}
		}
		return kept
	}
	for name, of := range map[string]any{
		"Stats": engine.Stats{}, "Info": engine.Info{}, "Result": engine.Result{}, "Choice": engine.Choice{}, "RequestFigures": engine.Figures{},
		"Token": engine.Token{}, "Candidate": engine.Candidate{}, "CacheEvent": engine.Event{},
	} {
		has := spelt(t, reflect.TypeOf(of))
		promised := declared(t, string(types), name)
		// quire.js gives the first apart, and those of embed() in another type, and adds the others.
		assert.ElementsMatch(t, without(promised, "promptIds", "seed", "generation"), without(has, "defaults", "embedding", "scores"), name)
	}
	assert.Subset(t, spelt(t, reflect.TypeOf(engine.Result{})), without(declared(t, string(types), "Embedding"), "promptIds"))
	options := without(declared(t, string(types), "OpenOptions"), "model", "onProgress", "onRecovering", "signal", "adapter", "power", "keep", "connections", "hub", "hubToken", "shared", "draftModel")
	assert.ElementsMatch(t, options, spelt(t, reflect.TypeOf(engine.Options{})))
	for _, of := range []any{attend.Tuned{}, attention.Tuning{}, engine.Chunk{}, engine.Preemption{}, engine.BlockStats{}, engine.Progress{}, engine.Info{}.Adapter, engine.Info{}.Adapter.Limits} {
		assert.NotEmpty(t, spelt(t, reflect.TypeOf(of)))
	}
	tuned := regexp.MustCompile(`(?s)export interface Tuned \{\n.*?\n\}`).FindString(string(types))
	for _, of := range []any{attend.Tried{}, attention.Best{}} { // inside Tuned
		for _, name := range spelt(t, reflect.TypeOf(of)) {
			assert.Regexp(t, `\b`+name+`\??: `, tuned)
		}
	}
}
