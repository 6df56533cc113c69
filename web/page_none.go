//go:build !page

package web

import "io/fs"

// Page is nil: "make build" makes the page first, and then a binary that holds it.
func Page() fs.FS { return nil }
