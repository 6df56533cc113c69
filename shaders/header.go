package shaders

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Const is a constant that a kernel is given. Value is an int or uint32 for u32, a float32 for f32, a bool for bool.
type Const struct {
	Name  string
	Value any
}

// declare collects what the header must give: what files declare and none of them defines.
func (r *recipe) declare() error {
	defined := map[string]string{}
	for _, s := range r.sources {
		for _, name := range s.defined {
			if other, ok := defined[name]; ok {
				return fmt.Errorf("%s is defined by shaders/%s and shaders/%s", name, other, s.path)
			}
			defined[name] = s.path
		}
	}
	first := map[string]declaration{}
	for _, s := range r.sources {
		for _, d := range s.consts {
			if before, ok := first[d.name]; ok && before.kind != d.kind {
				return fmt.Errorf("shaders/%s declares %s as %s, another file as %s", s.path, d.name, d.kind, before.kind)
			} else if ok {
				continue
			}
			first[d.name] = d
			if defined[d.name] == "" {
				r.consts = append(r.consts, d)
			}
		}
		r.most = append(r.most, s.most...)
	}
	return nil
}

// header writes the constants, and checks that they are those that the files declare.
func (r *recipe) header(g Given) (string, error) {
	given := map[string]any{}
	for _, c := range g.Consts {
		if _, ok := given[c.Name]; ok {
			return "", fmt.Errorf("constant %s is given twice", c.Name)
		}
		given[c.Name] = c.Value
	}
	var text strings.Builder
	for _, d := range r.consts {
		v, ok := given[d.name]
		if !ok {
			return "", fmt.Errorf("constant %s (%s) is not given", d.name, d.meaning)
		}
		value, err := literal(d.kind, v)
		if err != nil {
			return "", fmt.Errorf("constant %s: %w", d.name, err)
		}
		fmt.Fprintf(&text, "const %s: %s = %s;\n", d.name, d.kind, value)
		delete(given, d.name)
	}
	for _, c := range g.Consts {
		if _, ok := given[c.Name]; ok {
			return "", fmt.Errorf("constant %s is given, but none of its files declares it", c.Name)
		}
	}
	return text.String(), r.bounds(g)
}

// bounds checks that what a launch is at most is what the files declare. A constant may stand for it.
func (r *recipe) bounds(g Given) error {
	named := func(list []Const, name string) bool {
		return slices.ContainsFunc(list, func(c Const) bool { return c.Name == name })
	}
	for _, d := range r.most {
		if !named(g.Most, d.name) && !named(g.Consts, d.name) {
			return fmt.Errorf("no most of %s (%s) is given", d.name, d.meaning)
		}
	}
	for _, c := range g.Most {
		if !slices.ContainsFunc(r.most, func(d declaration) bool { return d.name == c.Name }) {
			return fmt.Errorf("a most of %s is given, but none of its files declares it", c.Name)
		}
	}
	return nil
}

// literal gives a constant's value as WGSL.
func literal(kind string, v any) (string, error) {
	switch v := v.(type) {
	case int:
		if v < 0 || int64(v) > 0xFFFFFFFF {
			return "", fmt.Errorf("%d does not fit u32", v)
		}
		return strconv.Itoa(v) + "u", wanted(kind, "u32")
	case uint32:
		return strconv.FormatUint(uint64(v), 10) + "u", wanted(kind, "u32")
	case bool:
		return strconv.FormatBool(v), wanted(kind, "bool")
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32) + "f", wanted(kind, "f32")
	}
	return "", fmt.Errorf("%T is no constant", v)
}

func wanted(kind, got string) error {
	if kind != got {
		return fmt.Errorf("it is declared as %s and given as %s", kind, got)
	}
	return nil
}
