//go:build !js

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/quant"
)

const builtIn = "../../cmd/native/model/quire-tales.gguf"

// inspected is what inspect --json prints.
type inspected struct {
	Version  int
	Bytes    int64
	Metadata map[string]any
	Tensors  []struct {
		Name, Type    string
		Shape         []int
		Offset, Bytes int64
	}
	Memory *struct {
		Parameters int64
		Weights    int64            `json:"weights_bytes"`
		KVPerToken map[string]int   `json:"kv_bytes_per_token"`
		KVCache    map[string]int64 `json:"kv_cache_bytes"`
		Context    int
		State      int64          `json:"state_bytes_per_sequence"`
		Largest    map[string]int `json:"largest_context"`
	}
	Problems, Warnings []string
}

// The largest context is what fits, and one token more does not.
func TestInspectSaysWhatFits(t *testing.T) {
	whole := inspect(t, builtIn).Memory
	for _, c := range []struct {
		tokens int
		more   int64 // bytes
		want   int
	}{{100, 0, 100}, {100, -1, 99}, {0, 0, 0}, {1 << 20, 0, whole.Context}} {
		given := whole.Weights + whole.State + int64(c.tokens*whole.KVPerToken["f16"]) + c.more
		got := inspect(t, builtIn, "--memory", strconv.FormatInt(given, 10)).Memory
		assert.Equal(t, c.want, got.Largest["f16"], "%d tokens and %d bytes", c.tokens, c.more)
		assert.GreaterOrEqual(t, got.Largest["q8"], got.Largest["f16"])
	}
	assert.Zero(t, inspect(t, builtIn, "--memory", "1").Memory.Largest["f16"], "not even the weights fit")
	assert.Contains(t, quire(t, "inspect", builtIn, "--memory", "1GiB").ok(t).stdout, "within 1.00 GiB one sequence has at most 1024 tokens in")
}

func inspect(t *testing.T, args ...string) inspected {
	t.Helper()
	r := quire(t, append([]string{"inspect", "--json"}, args...)...).ok(t)
	assert.Empty(t, r.stderr)
	var got inspected
	d := json.NewDecoder(bytes.NewReader([]byte(r.stdout)))
	d.DisallowUnknownFields()
	var loose map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &loose))
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &got))
	for _, key := range []string{"file", "version", "bytes", "alignment", "metadata", "tensors", "memory", "problems", "warnings"} {
		assert.Contains(t, loose, key)
	}
	return got
}

func TestInspectJSON(t *testing.T) {
	got := inspect(t, builtIn)
	assert.Equal(t, 3, got.Version)
	assert.EqualValues(t, 7950528, got.Bytes)
	assert.Equal(t, "llama", got.Metadata["general.architecture"])
	tokens := got.Metadata["tokenizer.ggml.tokens"].(map[string]any)
	assert.EqualValues(t, 4096, tokens["length"])
	assert.Equal(t, []any{"<|endoftext|>", "<|user|>", "<|assistant|>", "<|end|>"}, tokens["first"])
	require.Len(t, got.Tensors, 74)
	assert.Equal(t, "token_embd.weight", got.Tensors[1].Name)
	assert.Equal(t, "Q8_0", got.Tensors[1].Type)
	assert.Equal(t, []int{256, 4096}, got.Tensors[1].Shape)
	assert.EqualValues(t, 256*4096/32*34, got.Tensors[1].Bytes)
	require.NotNil(t, got.Memory)
	assert.EqualValues(t, 7344384, got.Memory.Parameters)
	assert.Equal(t, map[string]int{"f16": 8 * 2 * 2 * 64 * 2, "bf16": 8 * 2 * 2 * 64 * 2, "q8": 8 * 2 * 2 * (64 + 4), "f32": 8 * 2 * 2 * 64 * 4}, got.Memory.KVPerToken)
	assert.Equal(t, 1024, got.Memory.Context)
	assert.EqualValues(t, 1024*4096, got.Memory.KVCache["f16"])
	assert.Empty(t, got.Problems)
	assert.EqualValues(t, 100*4096, inspect(t, builtIn, "--ctx", "100").Memory.KVCache["f16"])
}

func TestInspectModels(t *testing.T) {
	for name, parameters := range map[string]int64{
		"models/tiny-tales.gguf": 205504, "models/stories260K.gguf": 292800, "models/SmolLM2-135M-Instruct.Q4_1.gguf": 134515008,
	} {
		t.Run(name, func(t *testing.T) {
			got := inspect(t, path(t, name))
			assert.Empty(t, got.Problems)
			assert.Equal(t, parameters, got.Memory.Parameters)
		})
	}
}

func TestInspectNamesTypes(t *testing.T) {
	got := inspect(t, path(t, "families/quant-q4_k_m.gguf"))
	assert.Empty(t, got.Problems)
	types := map[string]int{}
	for _, x := range got.Tensors {
		types[x.Type]++
	}
	assert.Equal(t, map[string]int{"Q4_K": 13, "Q6_K": 3, "F32": 5}, types)
}

func TestInspectText(t *testing.T) {
	r := quire(t, "inspect", builtIn).ok(t)
	for _, line := range []string{
		"  llama.attention.layer_norm_rms_epsilon  1e-05\n",
		"  tokenizer.ggml.tokens                   4096 of string: \"<|endoftext|>\", \"<|user|>\", \"<|assistant|>\", \"<|end|>\", ...\n",
		"  token_embd.weight         Q8_0  [256 4096]\n",
		"  KV cache in f16: 4.0 KiB a token, 4.0 MiB for one sequence of 1024 tokens\n",
		"\nThis model runs.\n",
	} {
		assert.Contains(t, r.stdout, line)
	}
}

// write makes a GGUF file of metadata and empty tensors.
func write(t *testing.T, metadata map[string]any, tensors func(w *gguf.Writer)) string {
	t.Helper()
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	for key, value := range metadata {
		require.NoError(t, w.Metadata.Set(key, value))
	}
	tensors(w)
	require.NoError(t, w.WriteHeader())
	return file(t, "model.gguf", append(out.Bytes(), make([]byte, 1<<16)...))
}

func TestInspectTellsWhatWouldNotRun(t *testing.T) {
	vocabulary := inspect(t, vocabularyAlone(t))
	require.Len(t, vocabulary.Problems, 1)
	assert.Contains(t, vocabulary.Problems[0], "no tensors")
	assert.Nil(t, vocabulary.Memory)

	strange := inspect(t, write(t, map[string]any{
		"general.architecture": "mamba", "tokenizer.ggml.model": "unigram", "weights.scale": float64(1) / zero(),
	}, func(w *gguf.Writer) {
		require.NoError(t, w.Declare("a.weight", quant.Q8_K, 256, 2))
		require.NoError(t, w.Declare("b.weight", quant.F32, 8))
	}))
	require.Len(t, strange.Problems, 3)
	assert.Contains(t, strange.Problems[0], `"unigram"`)
	assert.Contains(t, strange.Problems[1], `"mamba"`)
	assert.Contains(t, strange.Problems[2], "a.weight has type Q8_K")
	assert.Equal(t, "+Inf", strange.Metadata["weights.scale"])
}

func zero() float64 { return 0 }

func TestBrokenFiles(t *testing.T) {
	whole, err := os.ReadFile(builtIn)
	require.NoError(t, err)
	patched := func(at int, b ...byte) []byte {
		data := bytes.Clone(whole)
		copy(data[at:], b)
		return data
	}
	tests := []struct {
		name string
		data []byte
		says string
	}{
		{"empty", nil, "magic"},
		{"no GGUF", []byte("\x00\x01\x02\x03\x04\x05\x06\x07"), "not a GGUF file"},
		{"cut in the magic", whole[:3], "magic"},
		{"cut in the metadata", whole[:5000], "metadata"},
		{"cut in the tensors", whole[:150_000], "tensor"},
		{"cut in the data", whole[:len(whole)-1], "past the file's end"},
		{"version", patched(4, 0), "version: is 0"},
		{"absurd tensor count", patched(8, 255, 255, 255, 255, 255, 255, 255, 255), "tensor count"},
		{"absurd metadata count", patched(16, 255, 255, 255, 255, 255, 255, 255, 127), "metadata count"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broken := file(t, "broken.gguf", tt.data)
			for _, args := range [][]string{{"inspect", broken}, {"tokenize", "-m", broken}, {"run", "-m", broken, "hi"}, {"bench", "-m", broken}} {
				r := quire(t, args...)
				assert.Equal(t, 1, r.code, args[0])
				assert.Empty(t, r.stdout, args[0])
				assert.Contains(t, r.stderr, tt.says, args[0])
				assert.Equal(t, 1, bytes.Count([]byte(r.stderr), []byte("gguf: at byte")), "%s tells it once", args[0])
			}
		})
	}
}

func TestMissingFiles(t *testing.T) {
	for _, args := range [][]string{{"inspect", "none.gguf"}, {"run", "-m", "none.gguf", "hi"}, {"run", "--prompts", "none.txt"}, {"inspect", t.TempDir()}} {
		r := quire(t, args...)
		assert.Equal(t, 1, r.code, args)
		assert.Empty(t, r.stdout)
		assert.Regexp(t, "there is no such file|this is a folder", r.stderr)
	}
}
