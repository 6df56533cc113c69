//go:build !js

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// quireAt runs the binary with a cache folder of its own; the driver keeps its.
func quireAt(t *testing.T, cache string, args ...string) result {
	t.Helper()
	own, err := os.UserCacheDir()
	require.NoError(t, err)
	c := exec.Command(binary, args...)
	c.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache, "HOME="+cache, "LocalAppData="+cache, "MESA_SHADER_CACHE_DIR="+own)
	c.Stdin = bytes.NewReader(nil)
	return finish(t, c, c.Run)
}

// remembered is the file in a cache folder.
func remembered(t *testing.T, cache string) string {
	for _, path := range []string{"quire/tune.json", "Library/Caches/quire/tune.json"} {
		if _, err := os.Stat(filepath.Join(cache, path)); err == nil {
			return filepath.Join(cache, path)
		}
	}
	t.Fatal("nothing is remembered")
	return ""
}

func TestTune(t *testing.T) {
	cache := t.TempDir()
	r := quireAt(t, cache, "tune", "--quick", "--json").ok(t)
	var tuned struct {
		Adapter string
		Tried   []struct {
			Kind, Tile string
			Best       bool
		}
		Tuning struct {
			Tiles []struct{ Prefill, Decode string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &tuned))
	require.NotEmpty(t, tuned.Adapter)
	require.Len(t, tuned.Tuning.Tiles, 1)
	require.Contains(t, r.stderr, "1 of ")
	path := remembered(t, cache)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), `"prefill":"`+tuned.Tuning.Tiles[0].Prefill+`"`)

	// What is remembered is used: the tile is put in for a baseline, whichever was faster.
	best := `"prefill":"` + tuned.Tuning.Tiles[0].Prefill + `"`
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(text, []byte(best), []byte(`"prefill":"tile16x16"`)), 0o600))
	run := []string{"run", "--json", "--max-tokens", "2", "--temperature", "0", "Once"}
	was := quireAt(t, t.TempDir(), run...).ok(t)
	is := quireAt(t, cache, run...).ok(t)
	require.Equal(t, ids(t, was), ids(t, is))
	bench := []string{"bench", "--prompt", "8", "--gen", "0"}
	require.Contains(t, quireAt(t, cache, bench...).ok(t).stdout, "tile16x16")
	require.NotContains(t, quireAt(t, cache, append(bench, "--deterministic")...).ok(t).stdout, "tile16x16")

	// Another quick tuning leaves what it does not measure.
	require.NoError(t, os.WriteFile(path, bytes.Replace(text, []byte(`"tiles":[`), []byte(`"tiles":[{"headDim":32,"prefill":"tile32x32","decode":"split32","units":7},`), 1), 0o600))
	require.Contains(t, quireAt(t, cache, "tune", "--quick").ok(t).stdout, "remembered in "+path)
	merged, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(merged), `"units":7`)

	// A file that says nothing is told and passed over, and written anew.
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	r = quireAt(t, cache, run...).ok(t)
	require.Contains(t, r.stderr, path+" is passed over")
	require.Equal(t, ids(t, was), ids(t, r))
	require.Contains(t, quireAt(t, cache, "tune", "--forget").ok(t).stdout, "nothing is remembered")
	r = quireAt(t, cache, "tune", "--quick").ok(t)
	require.Contains(t, r.stderr, "what "+path+" held is replaced")
	require.NotContains(t, r.stderr, "writes it anew")
	require.Contains(t, quireAt(t, cache, "tune", "--forget").ok(t).stdout, "is forgotten")
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(text), "prefill")
}

// The products of a model are measured beside what is known of attention, remembered, and used.
func TestTuneModel(t *testing.T) {
	cache, model := t.TempDir(), filepath.Join("..", "testdata", "data", "models", "tiny-tales.gguf")
	quireAt(t, cache, "tune", "--quick").ok(t)
	r := quireAt(t, cache, "tune", "--quick", "-m", model).ok(t)
	require.Contains(t, r.stderr, "1 of ")
	require.Regexp(t, `F32 +320 +64 `, r.stdout)
	path := remembered(t, cache)
	require.Contains(t, r.stdout, "remembered in "+path)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var file struct {
		Adapters []struct {
			Tiles, Products []struct{ Rows, Columns int }
			ProductTiles    []struct {
				Tokens int
				Tile   string
			}
		}
	}
	require.NoError(t, json.Unmarshal(text, &file))
	require.Len(t, file.Adapters, 1)
	require.Len(t, file.Adapters[0].Tiles, 1)
	require.NotEmpty(t, file.Adapters[0].Products)
	require.NotEmpty(t, file.Adapters[0].ProductTiles)
	tile := file.Adapters[0].ProductTiles[0]
	require.Equal(t, 512, tile.Tokens)
	require.Regexp(t, ` 512 .* `+tile.Tile+"\n", r.stdout)
	run := []string{"run", "-m", model, "--json", "--max-tokens", "2", "--temperature", "0", "Once"}
	require.Equal(t, ids(t, quireAt(t, t.TempDir(), run...).ok(t)), ids(t, quireAt(t, cache, run...).ok(t)))
	require.Contains(t, quireAt(t, cache, "tune", "-m", "no such file").stderr, "no such file")
	require.NoError(t, os.WriteFile(path, bytes.Replace(text, []byte(`"tile":"`+tile.Tile), []byte(`"tile":"tile96`), 1), 0o600))
	require.Contains(t, quireAt(t, cache, run...).ok(t).stderr, `tile "tile96" for 512 tokens is not known`)
}

func ids(t *testing.T, r result) (ids []int) {
	var answer struct{ IDs []int }
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &answer))
	require.NotEmpty(t, answer.IDs)
	return answer.IDs
}

// Nothing is measured where it could not be kept.
func TestTuneChecksTheCache(t *testing.T) {
	for name, cache := range map[string]string{"no folder": file(t, "cache", nil), "no name": ""} {
		t.Run(name, func(t *testing.T) {
			r := quireAt(t, cache, "tune", "--quick")
			require.Equal(t, 1, r.code)
			require.Empty(t, r.stdout)
			require.Contains(t, r.stderr, "cannot be remembered")
			require.NotContains(t, r.stderr, "1 of ")
		})
	}
}

func TestTuneUsage(t *testing.T) {
	for _, also := range []string{"--quick", "--model=m.gguf"} {
		r := quireAt(t, t.TempDir(), "tune", "--forget", also)
		require.Equal(t, 2, r.code)
		require.Contains(t, r.stderr, "--forget stands alone")
	}
	require.NotZero(t, quireAt(t, t.TempDir(), "tune", "--adapter", "no such GPU").code)
}
