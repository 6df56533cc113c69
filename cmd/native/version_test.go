package main

import (
	"encoding/json"
	"os"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVersions(t *testing.T) {
	info := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	changed := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for _, tt := range []struct {
		linked build
		info   *debug.BuildInfo
		want   string
	}{
		{build{}, nil, "quire 0.1.0-devel, unknown revision, "},
		{build{}, info("(devel)"), "quire 0.1.0-devel, unknown revision, "},
		{build{}, info("v0.0.0-20260102030405-0123456789ab+dirty", revision, changed), "quire 0.1.0-devel, revision 0123456789ab with changes, "},
		{build{}, info("v1.2.3", revision), "quire 1.2.3, revision 0123456789ab, "},
		{build{Version: "1.2.4"}, info("v1.2.3", revision), "quire 1.2.4, revision 0123456789ab, "},
		{build{Revision: "fedcba9876543210"}, info("(devel)"), "quire 0.1.0-devel, revision fedcba987654, "},
		{build{Revision: "fedcba9876543210", Modified: true}, info("(devel)", revision), "quire 0.1.0-devel, revision fedcba987654 with changes, "},
	} {
		assert.Contains(t, builtFrom(tt.linked, tt.info).String(), tt.want)
	}
}

// The package and the binary are released together.
func TestReleaseIsThePackages(t *testing.T) {
	data, err := os.ReadFile("../../web/package.json")
	require.NoError(t, err)
	var p struct{ Version string }
	require.NoError(t, json.Unmarshal(data, &p))
	assert.Equal(t, release, p.Version)
}
