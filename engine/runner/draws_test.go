package runner

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine/kernel"
	"quire/engine/model"
	"quire/engine/step"
)

// Where an output says so the stop tokens are withheld from it, at their places among its logits.
func TestDrawsWithholdStopTokens(t *testing.T) {
	r := &Runner{
		plan:      &model.Plan{Config: &model.Config{Vocabulary: 100}},
		resources: &resources{logprobs: []bool{false, true}, random: []bool{true, false}, stopTokens: []int32{2, 7}},
	}
	s := &step.Step{
		Rows:    []step.Row{{Lane: 0}, {Lane: 1}, {Lane: 0}},
		Outputs: []step.Output{{Row: 0, Sample: true}, {Row: 1, NoStop: true}, {Row: 2, Sample: true, NoStop: true}},
	}
	assert.Equal(t, kernel.Draws{Outputs: 3, Random: true, Withheld: 2}, r.draws(s))
	stride := uint32(kernel.RowStride(100))
	assert.Equal(t, []uint32{2, 2*stride + 2, 2*stride + 7}, []uint32{r.withheld[0], r.withheld[2], r.withheld[4]})
	assert.Len(t, r.withheld.Bytes(), int(kernel.WithheldBytes(2)))

	s.Outputs = []step.Output{{Row: 1, Sample: true}}
	assert.Equal(t, kernel.Draws{Outputs: 1, Logprobs: true}, r.draws(s), "the list is empty again")
}
