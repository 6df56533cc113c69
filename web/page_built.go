//go:build page

package web

import (
	"embed"
	"io/fs"
)

//go:embed dist/*.html dist/*.js dist/*.css dist/*.wasm dist/attention dist/gpu dist/page dist/quire dist/store
var dist embed.FS

// Page is the built page, without the built-in model.
func Page() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // its name is a valid one
	}
	return files
}
