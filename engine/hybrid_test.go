package engine

import (
	"context"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/model"
	"quire/engine/quant"
)

// Hybrid models of other shapes than the golden ones give the float64 logits.
func TestHybridModels(t *testing.T) {
	mixed := func(name string) quant.Type {
		switch {
		case strings.Contains(name, "attn_qkv"), strings.Contains(name, "attn_v"), strings.Contains(name, "ffn_up"):
			return quant.Q8_0
		case strings.Contains(name, "ssm_alpha"), strings.Contains(name, "ssm_beta"):
			return quant.F32
		}
		return quant.F16
	}
	qwen35 := hybrid{arch: "qwen35", width: 64, ffn: 96, vocabulary: 70, heads: 4, kvHeads: 2, headDim: 16, rotary: 8, taps: 4, key: 16, keyHeads: 2, stateHeads: 4, value: 16,
		recurrent: []bool{true, true, true, false}, residual: 1, embedding: 1, logits: 1}
	granite := hybrid{arch: "granitehybrid", width: 64, ffn: 96, vocabulary: 70, heads: 4, kvHeads: 2, headDim: 16, rotary: 16, taps: 4, key: 16, keyHeads: 1, stateHeads: 8, value: 16,
		recurrent: []bool{true, false}, residual: 0.22, embedding: 12, logits: 1.6, scale: 0.125, convBias: true, keys: map[string]any{"rope.scaling.finetuned": false}}
	next := qwen35
	next.arch, next.experts, next.used, next.expertFFN, next.sharedFFN = "qwen3next", 5, 2, 40, 24
	with := func(m hybrid, change func(*hybrid)) hybrid {
		change(&m)
		return m
	}
	models := map[string]hybrid{
		"qwen35, odd sizes, tied, mixed types": with(qwen35, func(m *hybrid) {
			m.width, m.ffn, m.key, m.value, m.keyHeads, m.stateHeads, m.taps, m.tied, m.types = 96, 77, 18, 11, 3, 9, 3, true, mixed
			m.recurrent = []bool{true, false, true}
			m.keys = map[string]any{"attention.recurrent_layers": m.recurrent, "rope.dimension_sections": []int32{2, 1, 1, 0}}
		}),
		"qwen35 by an interval, as many keys as values": with(qwen35, func(m *hybrid) {
			m.recurrent, m.keyHeads, m.convBias = []bool{true, false, true, false, true}, 4, true
			m.keys = map[string]any{"full_attention_interval": uint32(2)}
		}),
		"qwen35 with drafting layers": with(qwen35, func(m *hybrid) {
			m.drafting = 2
			m.keys = map[string]any{"nextn_predict_layers": uint32(2)}
		}),
		"granitehybrid of groups, without biases": with(granite, func(m *hybrid) {
			m.keyHeads, m.stateHeads, m.value, m.key, m.taps, m.convBias, m.tied, m.types = 3, 6, 10, 22, 2, false, true, mixed
			m.recurrent = []bool{false, true, true}
		}),
		"qwen3next, three values a key": with(next, func(m *hybrid) {
			m.stateHeads, m.value, m.experts, m.used, m.expertFFN, m.tied, m.types = 6, 20, 7, 3, 32, true, mixed
			m.recurrent = []bool{true, true, false}
			m.keys = map[string]any{"full_attention_interval": uint32(3)}
		}),
		"qwen3next, a value a key": with(next, func(m *hybrid) {
			m.keyHeads, m.recurrent = 4, []bool{true, false, true, false}
			m.keys = map[string]any{"full_attention_interval": uint32(2)}
		}),
		"granitehybrid of experts alone": with(granite, func(m *hybrid) { m.experts, m.used, m.expertFFN = 6, 2, 32 }),
		"granitehybrid with RoPE":        with(granite, func(m *hybrid) { m.keys = map[string]any{"rope.scaling.finetuned": true} }),
	}
	prompt := make([]int32, 75)
	for i := range prompt {
		prompt[i] = int32(3 + (i*i*5+i)%67)
	}
	run := slices.Collect(maps.Keys(models))
	if os.Getenv("QUIRE_ALL") == "" {
		run = []string{"qwen3next, three values a key", "granitehybrid of groups, without biases", "qwen35, odd sizes, tied, mixed types"}
		if runtime.GOOS == "js" {
			run = run[:1]
		} else if !gputest.First {
			t.Skip("golden's qwen35 and granitehybrid run here")
		}
	}
	for _, name := range run {
		m := models[name]
		t.Run(name, func(t *testing.T) {
			file := m.file(t)
			want, _ := m.forward(prompt)
			o := Options{KVType: "f32", TokenBudget: 40, LongPrompt: -1}
			o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
			e, err := Open(context.Background(), gpu.ReaderSource(file, file.Size()), o)
			require.NoError(t, err)
			worst, rows := 0.0, 0
			r := submit(t, e, Request{Prompt: prompt, MaxTokens: 1, IgnoreEnd: true, Logits: func(p int, logits []float32) {
				for i, x := range logits {
					worst = max(worst, math.Abs(float64(x)-want[p*m.vocabulary+i]))
				}
				rows++
			}}).Result()
			require.NoError(t, r.Err)
			require.NoError(t, e.Close())
			assert.Equal(t, len(prompt), rows)
			assert.Less(t, worst, 2e-4)
			t.Logf("largest difference of a logit: %.2g", worst)
		})
	}
}

// What a file says of its states has to fit together.
func TestHybridRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		keys map[string]any
		says string
	}{
		"heads that do not divide":       {map[string]any{"ssm.inner_size": uint32(63)}, "do not divide"},
		"keys that do not divide":        {map[string]any{"ssm.group_count": uint32(3)}, "do not divide"},
		"a convolution of nothing":       {map[string]any{"ssm.conv_kernel": uint32(1)}, "ssm.conv_kernel is 1"},
		"another convolution":            {map[string]any{"ssm.conv_kernel": uint32(3)}, "blk.0.ssm_conv1d.weight has shape [4 128], want [3 128]"},
		"a list of another length":       {map[string]any{"attention.recurrent_layers": []bool{true, false}}, "not a bool for each of 4 layers"},
		"layers that all draft":          {map[string]any{"nextn_predict_layers": uint32(4)}, "nextn_predict_layers is 4"},
		"layers that all keep a state":   {map[string]any{"attention.recurrent_layers": []bool{true, true, true, true}}, "attn_qkv"},
		"a rotation wider than the head": {map[string]any{"rope.dimension_count": uint32(18)}, "rope.dimension_count 18"},
	} {
		t.Run(name, func(t *testing.T) {
			m := hybrid{arch: "qwen35", width: 64, ffn: 96, vocabulary: 70, heads: 4, kvHeads: 2, headDim: 16, rotary: 8, taps: 4, key: 16, keyHeads: 2, stateHeads: 4, value: 16,
				recurrent: []bool{true, true, true, false}, keys: c.keys}
			file := m.file(t)
			f, err := gguf.Read(file, file.Size())
			require.NoError(t, err)
			_, err = model.NewPlan(f)
			require.ErrorIs(t, err, model.ErrUnsupported)
			require.ErrorContains(t, err, c.says)
		})
	}
}
