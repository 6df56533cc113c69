package words

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestError(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	_, err := os.Open(missing)
	require.Error(t, err)
	assert.Equal(t, missing+": there is no such file or folder", Error(err))
	assert.Equal(t, "--out: "+missing+": there is no such file or folder", Error(fmt.Errorf("--out: %w", err)))
	assert.Equal(t, "a\n"+missing+": there is no such file or folder", Error(errors.Join(errors.New("a"), err)))
	assert.Equal(t, missing+": there is no such file or folder", Error(fmt.Errorf("none: sim: %w", err)))
	err = os.Rename(missing, missing+"2")
	assert.Equal(t, missing+"2: there is no such file or folder", Error(err))
	assert.Equal(t, "f: this is not permitted", Error(&fs.PathError{Op: "open", Path: "f", Err: fs.ErrPermission}))
	for text, want := range map[string]string{
		"gpu: source: it broke":                   "it broke",
		"model.gguf: gpu: out of memory":          "model.gguf: out of memory",
		"bad request: schedule: paging: no":       "bad request: no",
		"a\ngpu: b":                               "a\nb",
		"line 2: sample: top_p is 3":              "line 2: top_p is 3",
		"a: source: b: gpu: kernel: source: ":     "a: source: b: ",
		"gpu: \nsession: my engine:":              "\nmy engine:",
		"tensor \"a\": chat template: line 1: no": "tensor \"a\": chat template: line 1: no",
		"my gpu: the fast one":                    "my gpu: the fast one",
	} {
		assert.Equal(t, want, Error(errors.New(text)))
	}
}

func TestFields(t *testing.T) {
	names := map[string]string{"N": "--n", "BestOf": "--best-of", "Beams.Width": "--beams", "Beams": "beams"}
	for text, want := range map[string]string{
		"N is -1 and BestOf 2":              "--n is -1 and --best-of 2",
		"Beams.Width is 20, at least N (3)": "--beams is 20, at least --n (3)",
		"Beams do not go with BestOf, Stop": "beams do not go with --best-of, Stop",
		"more than N. BestOf (Beams.Width)": "more than --n. --best-of (--beams)",
		"é N\u00a0N_":                       "é --n\u00a0N_",
		`unknown field "N", "BestOf"`:       `unknown field "N", "BestOf"`,
		"No Beamsplitter, Nothing":          "No Beamsplitter, Nothing",
	} {
		assert.Equal(t, want, Fields(text, names))
	}
}
