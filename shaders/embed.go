package shaders

import (
	"embed"
	"path"
)

// The build of the tab's programs has another file in the place of this one (cmd/wasm/shrink): bare texts, without package embed.

//go:embed *.wgsl lib/*.wgsl
var files embed.FS

// read gives a file's text.
func read(path string) (string, bool) {
	text, err := files.ReadFile(path)
	return string(text), err == nil
}

// paths lists the kernels, then the libraries.
func paths() (all []string) {
	for _, folder := range []string{".", "lib"} {
		entries, _ := files.ReadDir(folder)
		for _, e := range entries {
			if !e.IsDir() {
				all = append(all, path.Join(folder, e.Name()))
			}
		}
	}
	return all
}
