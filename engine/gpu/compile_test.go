package gpu

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestShaderErrorIsLocated(t *testing.T) {
	d := open(t)
	lines := []string{
		"const one = 1u;", // header
		"",                // step.wgsl:10
		"@group(0) @binding(0) var<storage, read_write> counter: array<u32>;",
		"@compute @workgroup_size(1)",
		"fn main() {",
		"	counter[0] = missing;", // step.wgsl:14
		"}",
	}
	tests := []struct {
		name string
		line int // which line is broken
		text string
		file string
		at   int
	}{
		{"unknown name", 5, lines[5], "step.wgsl", 14},
		{"wrong type", 5, "	counter[0] = 1.5f;", "step.wgsl", 14},
		{"syntax", 0, "const one = ;", "header", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broken := append([]string(nil), lines...)
			broken[5] = "	counter[0] = one;"
			broken[tt.line] = tt.text
			k := d.Kernel(&Module{
				Label: "step", Text: strings.Join(broken, "\n"), Bindings: []Binding{ReadWrite},
				Segments: []Segment{{File: "header", First: 1, Line: 1}, {File: "step.wgsl", First: 2, Line: 10}},
			})
			var located *ShaderError
			require.ErrorAs(t, k.Wait(context.Background()), &located)
			require.Equal(t, tt.file, located.File, located.Message)
			require.Equal(t, tt.at, located.Line, located.Message)
			require.Equal(t, "step", located.Kernel)
			require.NotEmpty(t, located.Message)
			_, err := d.Bind(k)
			require.ErrorIs(t, err, located)
		})
	}
	_, b, _ := counter(t, d)
	require.Equal(t, words(0), read(t, b, 4), "the device lives on")
	require.NoError(t, d.Err())
}

func TestKernelsCompileSideBySide(t *testing.T) {
	d := open(t)
	kernels := make([]*Kernel, 16)
	for i := range kernels {
		text := strings.Replace(stepText, "1u;", fmt.Sprintf("%du;", i), 1)
		if i%4 == 3 {
			text = "broken " + text
		}
		kernels[i] = d.Kernel(&Module{Label: fmt.Sprint(i), Text: text, Bindings: []Binding{ReadWrite}})
	}
	for i, k := range kernels {
		err := k.Wait(context.Background())
		if i%4 == 3 {
			var located *ShaderError
			require.ErrorAs(t, err, &located)
			require.Equal(t, 1, located.Line)
			continue
		}
		require.NoError(t, err)
		b := buffer(t, d, "b", 16, Storage)
		g, err := d.Bind(k, b.All())
		require.NoError(t, err)
		var r Recorder
		r.Dispatch(k, g, 1, 1, 1)
		require.NoError(t, d.Submit(&r))
		require.Equal(t, words(uint32(i)), read(t, b, 4))
	}
	require.Len(t, d.Kernels(), len(kernels))
}

// A device counts what it compiled, those that do not compile too; what it holds goes with it.
func TestCompiled(t *testing.T) {
	ctx := context.Background()
	d, err := Open(ctx, Options{})
	require.NoError(t, err)
	module := func(word string) *Module {
		return &Module{Label: "test/baseline", Bindings: []Binding{ReadWrite}, Text: "@group(0) @binding(0) var<storage, read_write> words: array<u32>;\n@compute @workgroup_size(1) fn main() { words[0] = " + word + "; }"}
	}
	b, err := d.NewBuffer("words", 16, Storage)
	require.NoError(t, err)
	right := d.Kernel(module("7u"))
	require.NoError(t, right.Wait(ctx))
	require.Error(t, d.Kernel(module("wrong")).Wait(ctx))
	assert.Same(t, right, d.Kernel(module("7u")))
	c := d.Compiled()
	assert.Equal(t, 2, c.Kernels+c.Reused)
	assert.Positive(t, c.Time)
	d.Release()
	assert.Error(t, b.Upload(0, make([]byte, 4)), "buffers are gone")
}
