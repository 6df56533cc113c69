package shaders

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Given is what a kernel is composed with.
type Given struct {
	Head     string            // what stands before all else, such as "enable f16;"
	Consts   []Const           // the header
	Slots    map[string]string // a library for each slot, which may be one of those that the slot lists
	Most     []Const           // what a launch is at most, in terms of the kernel's "//! turns: …"
	Unrolled bool              // loops behind "//! unroll", and calls of functions behind "//! inline", are written out
}

// Segment says that the composed text's lines from First (counted from 1) are those of File from its first line.
type Segment struct {
	File  string
	First int
}

// Compose puts a kernel together; file names it without ".wgsl". Each library comes once, before its first user. It is an error
// where Given and what the files declare differ: see the package's comment.
func Compose(file string, g Given) (string, []Segment, error) {
	text, segments, err := kernels.compose(file, g)
	if err != nil {
		return "", nil, fmt.Errorf("compose %s: %w", file, err)
	}
	return text, segments, nil
}

// kernels are the files that are built in.
var kernels = &shelf{read: read}

// shelf is a folder of kernels with lib/, whose files are read and put in order once.
type shelf struct {
	read    func(path string) (text string, ok bool)
	sources sync.Map // *source by path
	recipes sync.Map // *recipe by file and choices
}

func (s *shelf) compose(file string, g Given) (string, []Segment, error) {
	r, err := s.recipe(file, g.Slots)
	if err != nil {
		return "", nil, err
	}
	consts, err := r.header(g)
	if err != nil {
		return "", nil, err
	}
	length := len(g.Head) + len(consts)
	for _, part := range r.texts {
		length += len(part)
	}
	var text strings.Builder
	text.Grow(length)
	var segments []Segment
	lines := 0
	add := func(name, part string) {
		segments = append(segments, Segment{File: name, First: lines + 1})
		text.WriteString(part)
		lines += strings.Count(part, "\n")
	}
	add("header", g.Head+consts)
	for i, source := range r.sources {
		add(source.path, r.texts[i])
	}
	if !g.Unrolled {
		return text.String(), segments, nil
	}
	inlined, err := inline(text.String())
	if err != nil {
		return "", nil, err
	}
	unrolled, err := unroll(inlined)
	return unrolled, segments, err
}

// source reads a file.
func (s *shelf) source(path string) (*source, error) {
	if known, ok := s.sources.Load(path); ok {
		return known.(*source), nil
	}
	text, ok := s.read(path)
	if !ok {
		return nil, fmt.Errorf("there is no file shaders/%s", path)
	}
	read, err := parse(path, text)
	if err != nil {
		return nil, err
	}
	s.sources.Store(path, read)
	return read, nil
}

// recipe is a kernel with one choice of libraries.
type recipe struct {
	sources []*source           // a library before its first user
	texts   []string            // of them, without what is not used
	defined map[string][]string // of each file: the constants that its text and its libraries define
	slots   map[string]bool     // which of the choices were asked for
	consts  []declaration       // that the header gives
	most    []declaration
}

func (s *shelf) recipe(file string, slots map[string]string) (*recipe, error) {
	key := file
	for _, slot := range slices.Sorted(maps.Keys(slots)) {
		key += "\n" + slot + ":" + slots[slot]
	}
	if known, ok := s.recipes.Load(key); ok {
		return known.(*recipe), nil
	}
	r := &recipe{defined: map[string][]string{}, slots: map[string]bool{}}
	if err := r.gather(s, file+".wgsl", slots); err != nil {
		return nil, err
	}
	for _, slot := range slices.Sorted(maps.Keys(slots)) {
		if !r.slots[slot] {
			return nil, fmt.Errorf("%s is chosen for slot %s, which none of its files has", slots[slot], slot)
		}
	}
	if err := r.declare(); err != nil {
		return nil, err
	}
	r.leaveUnused()
	s.recipes.Store(key, r)
	return r, nil
}

// gather adds a file behind the libraries that it takes, and checks that it declares what it uses.
func (r *recipe) gather(s *shelf, path string, slots map[string]string) error {
	if _, ok := r.defined[path]; ok {
		return nil
	}
	source, err := s.source(path)
	if err != nil {
		return err
	}
	r.defined[path] = source.defined // what a circle of libraries sees of it
	defined := slices.Clone(source.defined)
	for _, p := range source.takes {
		library, err := r.choose(source, p, slots)
		if err != nil {
			return err
		}
		if err := r.gather(s, library, slots); err != nil {
			return err
		}
		defined = append(defined, r.defined[library]...)
	}
	r.defined[path] = defined
	for _, u := range source.used {
		if !source.declares(u.name) && !slices.Contains(defined, u.name) {
			return source.at(u.line, fmt.Sprintf("%s is neither declared in the first lines nor defined here or in a library that is included", u.name))
		}
	}
	r.sources = append(r.sources, source)
	return nil
}

// choose returns the file of the library that stands in a place.
func (r *recipe) choose(source *source, p place, slots map[string]string) (string, error) {
	if p.fixed() {
		return "lib/" + p.name + ".wgsl", nil
	}
	r.slots[p.name] = true
	library, ok := slots[p.name]
	if !ok {
		return "", fmt.Errorf("no library is chosen for slot %s of shaders/%s: %s", p.name, source.path, strings.Join(p.choices, ", "))
	}
	if !p.allows(library) {
		return "", fmt.Errorf("%s is no choice for slot %s of shaders/%s: %s", library, p.name, source.path, strings.Join(p.choices, ", "))
	}
	return "lib/" + library + ".wgsl", nil
}
