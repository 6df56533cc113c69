package main

import (
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
)

// release is the version that is worked towards; web/package.json has it too. A build of a release says so with
// -ldflags "-X main.version=0.1.0".
const release = "0.1.0"

var version string

// What "make dist" tells of the source, as Go itself does not in a work tree beside its repository.
var revision, revisionTime, modified string

type versionCommand struct {
	JSON bool `name:"json" help:"Print one JSON object."`
}

// Help is what --help shows beyond the flags.
func (*versionCommand) Help() string {
	return `Prints the version, the revision that the binary was built from, the Go version and the platform. A build between releases is
called after the next one, with "-devel".

Examples:

  quire version
  quire version --json`
}

// Run runs the command.
func (c *versionCommand) Run(h *host) error {
	info, _ := debug.ReadBuildInfo()
	b := builtFrom(build{Version: version, Revision: revision, Time: revisionTime, Modified: modified == "true"}, info)
	if c.JSON {
		return writeJSON(h.out, b)
	}
	_, err := fmt.Fprintln(h.out, b)
	return err
}

// build is what is known of the binary.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // of the source; empty: not known
	Modified bool   `json:"modified"` // the source had changes beside it
	Time     string `json:"time"`     // of the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (b build) String() string {
	source := "unknown revision"
	if b.Revision != "" {
		source = "revision " + b.Revision[:min(12, len(b.Revision))]
	}
	if b.Modified {
		source += " with changes"
	}
	return fmt.Sprintf("quire %s, %s, %s, %s", b.Version, source, b.Go, b.Platform)
}

var tag = regexp.MustCompile(`^v(\d+\.\d+\.\d+)$`)

// builtFrom takes what the linker was given, else the tag and the revision that were built, else a development version.
func builtFrom(b build, info *debug.BuildInfo) build {
	b.Go, b.Platform = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	if info != nil {
		known := b.Revision != ""
		for _, s := range info.Settings {
			switch {
			case known:
			case s.Key == "vcs.revision":
				b.Revision = s.Value
			case s.Key == "vcs.modified":
				b.Modified = s.Value == "true"
			case s.Key == "vcs.time":
				b.Time = s.Value
			}
		}
		if tagged := tag.FindStringSubmatch(info.Main.Version); b.Version == "" && tagged != nil {
			b.Version = tagged[1]
		}
	}
	if b.Version == "" {
		b.Version = release + "-devel"
	}
	return b
}
