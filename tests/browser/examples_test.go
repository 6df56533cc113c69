//go:build !js

package browser

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// copied makes a project of one of web/examples, with the packed package installed.
func copied(t *testing.T, name string) string {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(folder, os.DirFS(filepath.Join("../../web/examples", name))))
	unpack(t, folder)
	return folder
}

// withFrameworks links React into a project.
func withFrameworks(t *testing.T, folder string) {
	t.Helper()
	tool(t, "") // Node must be there
	modules, err := frameworks()
	if err != nil {
		lacking(t, fmt.Sprintf("needs React, which npm could not install: %v", err))
	}
	names, err := os.ReadDir(modules)
	require.NoError(t, err)
	for _, name := range names {
		require.NoError(t, os.Symlink(filepath.Join(modules, name.Name()), filepath.Join(folder, "node_modules", name.Name())))
	}
}

// The lines that the package's README begins with, on a page without a bundler.
func TestPlainExample(t *testing.T) {
	page, err := os.ReadFile("../../web/examples/plain/index.html")
	require.NoError(t, err)
	lines := strings.NewReplacer("'quire-llm/tales'", "'./node_modules/quire-llm/tales.js'", "'quire-llm'", "'./node_modules/quire-llm/quire.js'").Replace(example(t))
	assert.Contains(t, strings.ReplaceAll(string(page), "\n  ", "\n"), lines)
	tells(t, site(t, copied(t, "plain")), "example-plain")
}

func TestViteExample(t *testing.T) {
	vite, tsc := tool(t, "vite/bin/vite.js"), tool(t, "typescript/bin/tsc")
	folder := copied(t, "vite")
	_, err := command(folder, "node", tsc)
	assert.NoError(t, err)
	_, err = command(folder, "node", vite, "build")
	require.NoError(t, err)
	tells(t, site(t, filepath.Join(folder, "dist")), "example-vite")
}

func TestReactExample(t *testing.T) {
	onlyAll(t)
	vite, folder := tool(t, "vite/bin/vite.js"), copied(t, "react")
	withFrameworks(t, folder)
	_, err := command(folder, "node", vite, "build")
	require.NoError(t, err)
	p := newTab(t, site(t, filepath.Join(folder, "dist")), "")
	p.wait(`document.querySelector('form')`)
	p.do(chromedp.Click("button"))
	p.wait(`document.querySelector('.assistant')?.innerText.trim().split(/\s+/).length > 12`)
	p.picture("example-react")
	p.quiet()
}

// Next.js writes the page on its server, and takes worker, program and model in by its own bundler.
func TestNextExample(t *testing.T) {
	onlyAll(t)
	tool(t, "") // Node must be there
	modules, err := frameworks()
	if err != nil {
		lacking(t, fmt.Sprintf("needs Next.js, which npm could not install: %v", err))
	}
	// Its bundler follows no links out of the project, so the project lies beside the modules, as in a workspace.
	folder, err := os.MkdirTemp(filepath.Dir(modules), "project-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	require.NoError(t, os.CopyFS(folder, os.DirFS("../../web/examples/next")))
	unpack(t, folder)
	t.Setenv("NEXT_TELEMETRY_DISABLED", "1")
	next := filepath.Join(modules, "next/dist/bin/next")

	for name, c := range map[string]struct{ build, start []string }{
		"build": {[]string{"build"}, []string{"start"}},
		"dev":   {nil, []string{"dev"}},
		// The bundler of Next.js 15 and before.
		"webpack": {[]string{"build", "--webpack"}, []string{"start"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.build != nil {
				_, err := command(folder, "node", append([]string{next}, c.build...)...)
				require.NoError(t, err)
			}
			tells(t, serves(t, folder, append([]string{next}, append(c.start, "--hostname", "127.0.0.1", "--port", "0")...)...), "example-next-"+name)
		})
	}
}

// An extension's pages have an origin and a content security policy of their own.
func TestExtensionExample(t *testing.T) {
	onlyAll(t)
	folder := copied(t, "extension")
	flags := append(chromedp.DefaultExecAllocatorOptions[:0:0], chromedp.Flag("load-extension", folder), chromedp.Flag("disable-extensions-except", folder),
		chromedp.Flag("user-data-dir", t.TempDir()))
	for _, f := range strings.Fields(browserFlags + " " + softwareFlags) {
		name, value, _ := strings.Cut(strings.TrimLeft(f, "-"), "=")
		if name == "enable-features" {
			flags = append(flags, chromedp.Flag("disable-features", "DisableLoadExtensionCommandLineSwitch"))
		}
		if value == "" {
			flags = append(flags, chromedp.Flag(name, true))
			continue
		}
		flags = append(flags, chromedp.Flag(name, value))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), flags...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	require.NoError(t, chromedp.Do(ctx))
	p := &tab{TB: t, ctx: ctx}
	p.do(chromedp.Navigate("chrome-extension://" + extensionID(folder) + "/page.html"))
	p.wait(`document.body?.innerText.trim().split(/\s+/).length > 12`)
}

// extensionID is what Chromium calls an extension that is loaded from a folder.
func extensionID(folder string) string {
	sum := sha256.Sum256([]byte(folder))
	id := []byte(hex.EncodeToString(sum[:16]))
	for i, c := range id {
		if c <= '9' {
			id[i] = 'a' + c - '0'
		} else {
			id[i] = 'a' + c - 'a' + 10
		}
	}
	return string(id)
}
