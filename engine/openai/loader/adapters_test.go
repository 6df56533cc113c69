package loader

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/openai"
)

// base is a model with two adapters, of which it has the numbers 7 and 8.
type base struct {
	openai.Engine
	asked generation.Request
	uses  int
}

func (b *base) About() openai.About { return openai.About{Name: "base", Context: 512} }
func (b *base) LoRA(name string) (uint64, error) {
	if number := map[string]uint64{"x": 7, "y": 8}[name]; number > 0 {
		return number, nil
	}
	return 0, errors.New("none")
}
func (b *base) Submit(_ context.Context, r generation.Request) (openai.Stream, error) {
	b.asked = r
	return nil, nil
}
func (b *base) List(context.Context) []openai.ModelInfo {
	return []openai.ModelInfo{{ID: "base", Context: 512, Loaded: true}, {ID: "other"}}
}
func (b *base) Take(_ context.Context, name string) (openai.Engine, func(), error) {
	if name != "base" && name != "" {
		return nil, nil, openai.UnknownModel(name)
	}
	b.uses++
	return b, func() { b.uses-- }, nil
}

func TestAdapters(t *testing.T) {
	b := &base{}
	m := WithAdapters(b, "base", []string{"x", "y", "z"})
	var ids []string
	for _, info := range m.List(t.Context()) {
		ids = append(ids, info.ID+"<"+info.Parent)
	}
	assert.Equal(t, []string{"base<", "x<base", "y<base", "z<base", "other<"}, ids)
	for _, c := range []struct {
		model, name string
		lora, want  []generation.LoRA
	}{
		{"", "base", nil, nil},
		{"base", "base", []generation.LoRA{{Adapter: 8, Scale: 2}}, []generation.LoRA{{Adapter: 8, Scale: 2}}},
		{"x", "x", nil, []generation.LoRA{{Adapter: 7, Scale: 1}}},
		{"y", "y", nil, []generation.LoRA{{Adapter: 8, Scale: 1}}},
		{"x", "x", []generation.LoRA{{Adapter: 8, Scale: 2}}, []generation.LoRA{{Adapter: 7, Scale: 1}, {Adapter: 8, Scale: 2}}},
		{"x", "x", []generation.LoRA{{Adapter: 7, Scale: .5}}, []generation.LoRA{{Adapter: 7, Scale: .5}}},
	} {
		e, release, err := m.Take(t.Context(), c.model)
		require.NoError(t, err)
		assert.Equal(t, c.name, e.About().Name)
		_, err = e.Submit(t.Context(), generation.Request{LoRA: c.lora})
		require.NoError(t, err)
		assert.Equal(t, c.want, b.asked.LoRA, c.model)
		release()
	}
	_, _, err := m.Take(t.Context(), "w")
	assert.ErrorContains(t, err, "does not exist")
	_, _, err = m.Take(t.Context(), "z")
	assert.Error(t, err)
	assert.Zero(t, b.uses, "a model that cannot be given is not in use")
}
