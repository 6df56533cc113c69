// Package web carries the JavaScript that Quire's WebAssembly needs beside it, for tools that serve it themselves.
package web

import "embed"

// Scripts holds gpu.js and, below gpu/, the modules that it imports.
//
//go:embed gpu.js gpu/*.js
var Scripts embed.FS
