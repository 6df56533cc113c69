package shaders

// scope is what names stand for in a place of a text: those of a function hide those outside of all functions.
type scope struct {
	outer  map[string]value
	names  map[string]value
	before []change
}

// change is what a name of a scope stood for before.
type change struct {
	name string
	value
}

func newScope(outer map[string]value) *scope { return &scope{outer: outer, names: map[string]value{}} }

// of returns what a name stands for, which may be unknown.
func (s *scope) of(name string) value {
	if v, ok := s.names[name]; ok {
		return v
	}
	return s.outer[name]
}

// set notes what a name stands for from here on, until leave.
func (s *scope) set(name string, v value) {
	s.before = append(s.before, change{name, s.of(name)})
	s.names[name] = v
}

// enter begins a block; leave ends the block that enter gave.
func (s *scope) enter() int { return len(s.before) }

func (s *scope) leave(block int) {
	for i := len(s.before) - 1; i >= block; i-- {
		s.names[s.before[i].name] = s.before[i].value
	}
	s.before = s.before[:block]
}
