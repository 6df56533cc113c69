package golden

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine"
	"quire/engine/gpu/gputest"
)

// untested are kernels that a self-test does not compare on their own: those that make its operands.
var untested = []string{"pattern", "repack"}

// Every kernel of a model is part of its self-test, and computes rightly: of families that have all kinds of layers.
func TestSelfTestCovers(t *testing.T) {
	models := []string{"qwen35", "gptoss-mxfp4", "gemma4"}
	switch {
	case all():
		models = append(models, "lfm2moe", "granitehybrid", "nomicbert", "bert", "falcon", "gemma2", "gemma3", "gemma4-keqv", "gemma4-moe", "gpt2", "gptoss-f32", "lfm2", "mixtral", "olmo2", "phi3", "qwen2moe", "qwen3next", "quant-nvfp4",
			"quant-iq1_s", "stablelm", "starcoder2")
	case !gputest.First:
		models = models[:1]
	}
	for _, name := range models {
		t.Run(name, func(t *testing.T) {
			o := engine.Options{SelfTest: true, MaxSeqs: 2, Context: 64, LoRARank: 8}
			if all() || !gputest.First { // there other tests have compiled most of these kernels
				o.LoRARank = 0
			}
			o.Eager = true
			e := openFile(t, "families/"+name+".gguf", o)
			info := e.Info()
			assert.Empty(t, info.SelfTest.Replaced)
			tested := map[string]bool{}
			for _, k := range info.SelfTest.Kernels {
				tested[k] = true
			}
			for _, label := range e.Kernels() {
				file, _, _ := strings.Cut(label, "/")
				file, _, _ = strings.Cut(file, " ")
				if !strings.Contains(strings.Join(untested, " "), file) {
					assert.True(t, tested[label], "%s is not tested", label)
				}
			}
		})
	}
}
