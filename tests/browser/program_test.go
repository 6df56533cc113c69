//go:build !js

package browser

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A program that takes a while to come tells how far it is, and runs, whatever its server calls it.
func TestProgramOnItsWay(t *testing.T) {
	about, err := os.Stat(filepath.Join(dist, "quire.wasm"))
	require.NoError(t, err, `run "make build" first`)
	for _, kind := range []string{"application/wasm", "application/octet-stream"} {
		t.Run(kind, func(t *testing.T) { testProgramOnItsWay(t, kind, about.Size()) })
	}
}

func testProgramOnItsWay(t *testing.T, kind string, size int64) {
	mux := http.NewServeMux()
	mux.Handle("/", proxy(t, serve(t)))
	mux.HandleFunc("/quire.wasm", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		http.ServeFile(&slow{w, r.Context()}, r, filepath.Join(dist, "quire.wasm"))
	})
	p := newTab(t, host(t, mux).URL+"/empty.html", "")
	told := get[[][]float64](p, `import('/quire.js').then(async ({Quire}) => {
		const told = [];
		const failed = await Quire.open({model: '/header.gguf', keep: false, onProgress: ({stage, done, total}) => { if (stage === 'engine') told.push([done, total]); }}).catch((e) => e);
		if (failed.name === 'ErrCrashed') throw failed;
		return told;
	})`)
	require.Greater(t, len(told), 10)
	for i, step := range told {
		assert.Equal(t, float64(size), step[1])
		if i > 0 {
			assert.GreaterOrEqual(t, step[0], told[i-1][0])
		}
	}
	assert.Zero(t, told[0][0])
	assert.Equal(t, told[0][1], told[len(told)-1][0])
}
