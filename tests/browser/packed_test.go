//go:build !js

package browser

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// caches are git's to ignore and Go's not to look into: what "npm ci" of a folder's package-lock.json installed.
const caches = "../../.cache"

// lacking skips a test that needs what the machine lacks; it must not be lacking where everything is to run.
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// command runs a program in a folder and returns what it says.
func command(folder, name string, arguments ...string) (string, error) {
	c := exec.Command(name, arguments...)
	c.Dir = folder
	out, err := c.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(arguments, " "), err, out)
	}
	return string(out), err
}

// pack makes the package's tarball.
var pack = sync.OnceValues(func() ([]byte, error) {
	if _, err := os.Stat(filepath.Join(dist, "quire.wasm")); err != nil {
		return nil, fmt.Errorf(`run "make build" first: %w`, err)
	}
	folder, err := os.MkdirTemp("", "quire-pack-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	if out, err := command(dist, "npm", "pack", "--pack-destination", folder); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	names, err := filepath.Glob(filepath.Join(folder, "quire-llm-*.tgz"))
	if err != nil || len(names) != 1 {
		return nil, fmt.Errorf("npm pack made %v (%v)", names, err)
	}
	return os.ReadFile(names[0])
})

// unpack packs the package, as for the registry, and installs it in a project's folder. It returns the package's folder.
func unpack(t *testing.T, project string) string {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		lacking(t, "needs npm, which packs the package")
	}
	packed, err := pack()
	require.NoError(t, err)
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	to := filepath.Join(project, "node_modules", "quire-llm")
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return to
		}
		require.NoError(t, err)
		name, inside := strings.CutPrefix(header.Name, "package/")
		require.True(t, inside && filepath.IsLocal(name), header.Name)
		content, err := io.ReadAll(files)
		require.NoError(t, err)
		write(t, filepath.Join(to, name), string(content))
	}
}

// write writes a file and makes its folders.
func write(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
}

// tools installs the bundlers once and returns the folder that holds them; frameworks are what only all tests need.
var (
	tools      = sync.OnceValues(func() (string, error) { return installed("tools", caches+"/bundlers") })
	frameworks = sync.OnceValues(func() (string, error) { return installed("tools/frameworks", caches+"/frameworks") })
)

// installed installs what a folder's package.json names in another, and returns the folder of the modules.
func installed(from, cache string) (string, error) {
	for _, name := range []string{"package.json", "package-lock.json"} {
		wanted, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return "", err
		}
		there, err := os.ReadFile(filepath.Join(cache, name))
		if err == nil && bytes.Equal(there, wanted) {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err := os.RemoveAll(cache); err != nil {
			return "", err
		}
		if err := os.MkdirAll(cache, 0o755); err != nil {
			return "", err
		}
		if err := os.CopyFS(cache, os.DirFS(from)); err != nil {
			return "", err
		}
	}
	modules := filepath.Join(cache, "node_modules")
	// npm writes this file when it has ended well.
	if _, err := os.Stat(filepath.Join(modules, ".package-lock.json")); err != nil {
		if out, err := command(cache, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
			_, why, _ := strings.Cut(out, "npm error ")
			why, _, _ = strings.Cut(why, "\n")
			return "", fmt.Errorf("npm ci: %s", why)
		}
	}
	return filepath.Abs(modules)
}

// tool returns the path of a bundler's program.
func tool(t *testing.T, path string) string {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		lacking(t, "needs npm, for "+path)
	}
	if version, err := command(".", "node", "--version"); err != nil || tooOld(version) {
		lacking(t, "needs Node 20.19 or later, for "+path+": "+strings.TrimSpace(version))
	}
	modules, err := tools()
	if err != nil {
		lacking(t, fmt.Sprintf("needs %s, which npm could not install; is its registry out of reach? %v", path, err))
	}
	return filepath.Join(modules, path)
}

// tooOld reports whether bundlers do not run on a version of Node, such as "v18.19.0".
func tooOld(version string) bool {
	var major, minor int
	_, err := fmt.Sscanf(version, "v%d.%d", &major, &minor)
	return err != nil || major < 20 || major == 20 && minor < 19
}
