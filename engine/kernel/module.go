// Package kernel is the Go side of each shader: its parameters, its variants, its workgroup counts.
package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"quire/engine/gpu"
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
	c, err := s.composed("")
	if err != nil {
		return 0, err
	}
	return c.turns()
}

// composed is what a Spec comes to.
type composed struct {
	text     string
	segments []gpu.Segment
	turns    func() (int, error) // which takes longer than all else, and is not always asked
}

// known holds what Specs came to: a model's layers ask for the same ones again and again.
var known struct {
	sync.Mutex
	specs map[string]*composed
}

// mostKnown is how many of them are held; a model has fewer.
const mostKnown = 512

// composed composes the text for a backend.
func (s Spec) composed(backend string) (*composed, error) {
	key := s.key(backend)
	known.Lock()
	defer known.Unlock()
	if c, ok := known.specs[key]; ok {
		return c, nil
	}
	text, segments, err := s.compose(backend)
	if err != nil {
		return nil, err
	}
	most := map[string]int{}
	for _, m := range s.Most {
		n, ok := m.Value.(int)
		if !ok {
			return nil, fmt.Errorf("kernel %s: %s is %T: what a launch is at most is an int", s.File, m.Name, m.Value)
		}
		most[m.Name] = n
	}
	c := &composed{text: text, turns: sync.OnceValues(func() (int, error) {
		n, err := shaders.Turns(text, most)
		if err != nil {
			return 0, fmt.Errorf("kernel %s: %w", s.File, err)
		}
		return n, nil
	})}
	for _, seg := range segments {
		c.segments = append(c.segments, gpu.Segment{File: seg.File, First: seg.First, Line: 1})
	}
	if known.specs == nil || len(known.specs) >= mostKnown {
		known.specs = map[string]*composed{}
	}
	known.specs[key] = c
	return c, nil
}

// key tells Specs with different texts or turns apart.
func (s Spec) key(backend string) string {
	key := append(append(append(make([]byte, 0, 1024), backend...), '\n'), s.File...)
	add := func(name string, v any) {
		kind, n := byte('?'), uint64(0) // of what no text is made
		switch v := v.(type) {
		case int:
			kind, n = 'u', uint64(v)
		case uint32:
			kind, n = 'u', uint64(v)
		case float32:
			kind, n = 'f', uint64(math.Float32bits(v))
		case bool:
			if kind = 'b'; v {
				n = 1
			}
		}
		key = binary.LittleEndian.AppendUint64(append(append(key, name...), kind), n)
	}
	add("\n", int(s.Needs))
	add("", s.Unrolled)
	for _, list := range [][]Const{s.Consts, s.Most} {
		key = append(key, '\n')
		for _, c := range list {
			add(c.Name, c.Value)
		}
	}
	for _, slot := range slices.Sorted(maps.Keys(s.Slots)) {
		key = append(append(append(append(key, '\n'), slot...), ':'), s.Slots[slot]...)
	}
	return string(key)
}

// broken, where a test sets it, has its way with a kernel's text.
var broken func(label, text string) string

// Module composes the shader's final text for a device. The same Spec gives the same text on every host, but for the
// enable lines that Tint wants and naga does not take, which only variants that need a feature have.
func Module(d *gpu.Device, s Spec) (*gpu.Module, error) {
	c, err := s.composed(d.Info().Backend)
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
	// Counting takes a tab longer than composing; a GPU that a browser tells by its maker is not lavapipe.
	if t := d.Info().Type; most > 0 && (d.Info().Backend != "webgpu" || t != "discrete" && t != "integrated") {
		turns, err := c.turns()
		if err != nil {
			return nil, err
		}
		if turns > most {
			return nil, fmt.Errorf("kernel %s: %w: its loops would make %d turns, at most %d are safe on every adapter", label, ErrTurns, turns, most)
		}
	}
	m := &gpu.Module{Label: label + "/" + s.Variant, Text: c.text, Segments: c.segments, Bindings: s.Bindings, Needs: s.Needs}
	if broken != nil {
		m.Text = broken(m.Label, m.Text)
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
