package main

import (
	"go/build"
	"path/filepath"
)

// settingsFile asks for $GODEBUG in the standard library.
func settingsFile() string {
	return filepath.Join(build.Default.GOROOT, "src", "internal", "godebug", "godebug.go")
}

// settingsGo stands in for it, as a tab has no environment: no setting has a value. So what reads and counts them, and the runtime's
// metrics, which only they ask for, are not linked.
const settingsGo = `package godebug

type Setting struct{ name string }

func New(name string) *Setting {
	if name[0] == '#' {
		name = name[1:]
	}
	return &Setting{name}
}

func (s *Setting) Name() string       { return s.name }
func (s *Setting) Undocumented() bool { return false }
func (s *Setting) String() string     { return s.name + "=" }
func (s *Setting) Value() string      { return "" }
func (s *Setting) IncNonDefault()     {}
`
