package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

var versionCommand = &command{
	name:     "version",
	summary:  "print the version",
	about:    "Prints the revision that the binary was built from, the Go version and the platform.",
	examples: []string{"quire version"},
	prepare: func(*flags) func(*host, []string) error {
		return func(h *host, _ []string) error {
			revision, modified := "unknown revision", ""
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					switch {
					case s.Key == "vcs.revision":
						revision = s.Value
					case s.Key == "vcs.modified" && s.Value == "true":
						modified = ", with changes"
					}
				}
			}
			_, err := fmt.Fprintf(h.out, "quire %s%s, %s, %s/%s\n", revision, modified, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		}
	},
}
