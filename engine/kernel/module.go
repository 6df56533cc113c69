// Package kernel is the Go side of each shader: its parameters, its variants, its workgroup counts.
package kernel

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"quire/engine/gpu"
	"quire/engine/sha256"
	"quire/shaders"
)

// Const is a constant of a shader's header. Value is an int or uint32 for u32, a float32 for f32, a bool for bool.
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
	Slots    map[string]string // a library for each slot that the files have
	Bindings []gpu.Binding     // group 0; binding 0 is the step buffer wherever the shader includes step
	Needs    gpu.Feature
	Unrolled bool // loops that the shader marks for it are written out

	Most     []Const // what launches are at most, in terms of the shader's "//! turns: …" (shaders.Turns)
	MaxTurns int     // more turns of an invocation's loops are refused; 0: MaxTurns, below 0: any number
}

// MaxTurns is how many turns the loops of an invocation may make in all: Mesa's lavapipe ends them after 65,535 without a word.
const MaxTurns = 60000

// ErrTurns says that a kernel's loops would turn too often: the launch is larger than the kernel is made for.
var ErrTurns = errors.New("too large for one kernel")

// Turns returns the most turns of the loops of a kernel's invocation.
func (s Spec) Turns() (int, error) {
	text, _, err := s.compose("")
	if err != nil {
		return 0, err
	}
	return s.turns(text)
}

// counted holds the turns of texts by their hash: a model's layers compose the same ones again and again.
var counted sync.Map

func (s Spec) turns(text string) (int, error) {
	most := map[string]int{}
	hash := sha256.New()
	io.WriteString(hash, text)
	for _, c := range s.Most {
		n, ok := c.Value.(int)
		if !ok {
			return 0, fmt.Errorf("kernel %s: %s is %T: what a launch is at most is an int", s.File, c.Name, c.Value)
		}
		most[c.Name] = n
		fmt.Fprintf(hash, "\n%s %d", c.Name, n)
	}
	key := [sha256.Size]byte(hash.Sum(nil))
	if n, ok := counted.Load(key); ok {
		return n.(int), nil
	}
	n, err := shaders.Turns(text, most)
	if err != nil {
		return 0, fmt.Errorf("kernel %s: %w", s.File, err)
	}
	counted.Store(key, n)
	return n, nil
}

// broken, where a test sets it, has its way with a kernel's text.
var broken func(label, text string) string

// Module composes the shader's final text for a device. The same Spec gives the same text on every host, but for the
// enable lines that Tint wants and naga does not take, which only variants that need a feature have.
func Module(d *gpu.Device, s Spec) (*gpu.Module, error) {
	text, segments, err := s.compose(d.Info().Backend)
	if err != nil {
		return nil, err
	}
	turns, err := s.turns(text)
	if err != nil {
		return nil, err
	}
	most := s.MaxTurns
	if most == 0 {
		most = MaxTurns
	}
	label := s.File
	if s.Shape != "" {
		label += " " + s.Shape
	}
	if most > 0 && turns > most {
		return nil, fmt.Errorf("kernel %s: %w: its loops would make %d turns, at most %d are safe on every adapter", label, ErrTurns, turns, most)
	}
	m := &gpu.Module{Label: label + "/" + s.Variant, Text: text, Bindings: s.Bindings, Needs: s.Needs}
	if broken != nil {
		m.Text = broken(m.Label, m.Text)
	}
	for _, seg := range segments {
		m.Segments = append(m.Segments, gpu.Segment{File: seg.File, First: seg.First, Line: 1})
	}
	return m, nil
}

// compose puts the text together for a backend.
func (s Spec) compose(backend string) (string, []shaders.Segment, error) {
	head := ""
	if s.Needs.Has(gpu.FeatureF16) {
		head += "enable f16;\n"
	}
	if backend == "webgpu" {
		if s.Needs.Has(gpu.FeatureSubgroups) {
			head += "enable subgroups;\n"
			if s.Slots["table"] == "table_lanes" { // in loops whose turns Tint doesn't see to be equal
				head += "diagnostic(off, subgroup_uniformity);\n"
			}
		}
		if s.Needs.Has(gpu.FeatureSubgroupMatrix) {
			head += "enable chromium_experimental_subgroup_matrix;\n"
		}
	}
	return shaders.Compose(s.File, shaders.Given{
		Head: head, Consts: given(s.Consts), Slots: s.Slots, Most: given(s.Most), Unrolled: s.Unrolled,
	})
}

func given(list []Const) []shaders.Const {
	out := make([]shaders.Const, len(list))
	for i, c := range list {
		out[i] = shaders.Const(c)
	}
	return out
}
