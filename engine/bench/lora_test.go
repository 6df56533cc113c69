package bench

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/model"
	"quire/tests/testdata"
)

// An adapter with random weights fits the model that it is made for, and changes all matrices of its layers: of qwen35 some tensors
// are parts of several products.
func TestRandomAdapter(t *testing.T) {
	for _, name := range []string{"qwen3", "qwen35"} {
		f, size := testdata.Open(t, "families/"+name+".gguf")
		defer f.Close()
		header, err := gguf.Read(f, size)
		require.NoError(t, err)
		plan, err := model.NewPlanWith(header, model.PlanOptions{Rank: 8})
		require.NoError(t, err)
		data, err := adapterFile(plan, 4)
		require.NoError(t, err)
		file, err := gguf.Read(bytes.NewReader(data), int64(len(data)))
		require.NoError(t, err)
		adapter, err := plan.NewAdapter(file)
		require.NoError(t, err)
		assert.Equal(t, 4, adapter.Rank)
		layers := 0
		for _, m := range plan.Adaptable() {
			if strings.HasPrefix(m.Name, "blk.") {
				layers++
			}
		}
		assert.Len(t, file.Tensors, 2*layers)
	}
}
