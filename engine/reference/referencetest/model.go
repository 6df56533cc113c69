// Package referencetest opens test models in float64 for the tests of other packages.
package referencetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/reference"
	"quire/tests/testdata"
)

// EarlyStopping are the names that the reference, and Hugging Face, have for the rules, in the order of
// generation.EarlyStopping.
var EarlyStopping = []string{"false", "true", "never"}

// Load loads a model of the test data.
func Load(t testing.TB, name string) *reference.Model {
	t.Helper()
	src, size := testdata.Open(t, "models/"+name+".gguf")
	defer src.Close()
	f, err := gguf.Read(src, size)
	require.NoError(t, err)
	m, err := reference.Load(f, src)
	require.NoError(t, err)
	return m
}
