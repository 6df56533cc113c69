// Package kernel is the Go side of each shader: its parameters, its variants, its workgroup counts.
package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"quire/engine/gpu"
	"quire/shaders"
)

// Const is a constant of a shader's header. Value is a uint32, int, float32 or bool.
type Const struct {
	Name  string
	Value any
}

// Spec says how a shader is specialised.
type Spec struct {
	File     string // in shaders/, without .wgsl
	Shape    string // what the label adds to the file, such as a matrix's rows × columns
	Variant  string // "baseline" or the names of what it uses, such as "subgroup"
	Consts   []Const
	Use      map[string]string // library choices, as shaders.Compose takes them
	Bindings []gpu.Binding     // group 0; binding 0 is the step buffer wherever the shader includes step
	Needs    gpu.Feature
	Unrolled bool // loops that the shader marks for it are written out
}

// Module composes the shader's final text for a device. The same Spec gives the same text on every host, but for the
// enable lines that Tint wants and naga does not take, which only variants that need a feature have.
func Module(d *gpu.Device, s Spec) (*gpu.Module, error) {
	var header strings.Builder
	if s.Needs.Has(gpu.FeatureF16) {
		header.WriteString("enable f16;\n")
	}
	if d.Info().Backend == "webgpu" {
		if s.Needs.Has(gpu.FeatureSubgroups) {
			header.WriteString("enable subgroups;\n")
		}
		if s.Needs.Has(gpu.FeatureSubgroupMatrix) {
			header.WriteString("enable chromium_experimental_subgroup_matrix;\n")
		}
	}
	for _, c := range s.Consts {
		text, err := literal(c.Value)
		if err != nil {
			return nil, fmt.Errorf("kernel %s: constant %s: %w", s.File, c.Name, err)
		}
		fmt.Fprintf(&header, "const %s: %s;\n", c.Name, text)
	}
	text, segments, err := shaders.Compose(s.File, header.String(), s.Use, s.Unrolled)
	if err != nil {
		return nil, err
	}
	label := s.File
	if s.Shape != "" {
		label += " " + s.Shape
	}
	m := &gpu.Module{Label: label + "/" + s.Variant, Text: text, Bindings: s.Bindings, Needs: s.Needs}
	for _, seg := range segments {
		m.Segments = append(m.Segments, gpu.Segment{File: seg.File, First: seg.First, Line: 1})
	}
	return m, nil
}

// literal gives a constant's type and value as WGSL.
func literal(v any) (string, error) {
	switch v := v.(type) {
	case int:
		if v < 0 || int64(v) > 0xFFFFFFFF {
			return "", fmt.Errorf("%d does not fit u32", v)
		}
		return fmt.Sprintf("u32 = %du", v), nil
	case uint32:
		return fmt.Sprintf("u32 = %du", v), nil
	case bool:
		return fmt.Sprintf("bool = %t", v), nil
	case float32:
		text := strconv.FormatFloat(float64(v), 'g', -1, 32)
		return "f32 = " + text + "f", nil
	}
	return "", fmt.Errorf("%T is no constant", v)
}
