package main

import (
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"strings"
)

// timesFile writes times in the standard library.
func timesFile() string {
	return filepath.Join(build.Default.GOROOT, "src", "time", "format.go")
}

// timesGo is that file with other texts of a time that is printed as it is, which the tab does not do but every time can: they would
// link what writes a time in any layout. They are the seconds since 1970.
func timesGo(path string) (string, error) {
	data, err := os.ReadFile(path)
	text := string(data)
	for _, name := range []string{"String", "GoString"} {
		head := "\nfunc (t Time) " + name + "() string {\n"
		before, rest, ok := strings.Cut(text, head)
		_, after, ends := strings.Cut(rest, "\n}\n")
		if err == nil && !(ok && ends) {
			err = fmt.Errorf("%s has no Time.%s", path, name)
		}
		text = before + head + "\treturn string(appendInt(nil, int(t.Unix()), 0))\n}\n" + after
	}
	return text, err
}
