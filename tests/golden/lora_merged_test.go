package golden

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
	"quire/tests/testdata"
)

// written is a GGUF file to be written.
type written struct {
	meta    map[string]any
	names   []string
	types   []quant.Type
	shapes  [][]uint64
	tensors [][]byte
}

func (w *written) add(name string, typ quant.Type, data []byte, shape ...uint64) {
	w.names, w.types, w.shapes, w.tensors = append(w.names, name), append(w.types, typ), append(w.shapes, shape), append(w.tensors, data)
}

func (w *written) source(t *testing.T) gpu.Source {
	var out bytes.Buffer
	file := gguf.NewWriter(&out)
	for key, value := range w.meta {
		require.NoError(t, file.Metadata.Set(key, value))
	}
	for i, name := range w.names {
		require.NoError(t, file.Declare(name, w.types[i], w.shapes[i]...))
	}
	for _, data := range w.tensors {
		require.NoError(t, file.WriteTensor(bytes.NewReader(data)))
	}
	require.NoError(t, file.Close())
	return gpu.ReaderSource(closer{bytes.NewReader(out.Bytes())}, int64(out.Len()))
}

type closer struct{ *bytes.Reader }

func (closer) Close() error { return nil }

func bytesOf(values []float32) []byte {
	var data []byte
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return data
}

// merge makes an adapter for every matrix of a model that one can change, the head among them, and the model with it merged.
func merge(t *testing.T, name string) (adapter, merged gpu.Source) {
	const rank, alpha = 3, 6
	file, size := testdata.Open(t, "families/"+name+".gguf")
	defer file.Close()
	f, err := gguf.Read(file, size)
	require.NoError(t, err)
	arch, _, _ := f.Metadata.String("general.architecture")
	ad := &written{meta: map[string]any{"general.type": "adapter", "adapter.type": "lora", "general.architecture": arch, "adapter.lora.alpha": float32(alpha)}}
	whole := &written{meta: map[string]any{}}
	for key, v := range f.Metadata.All() {
		whole.meta[key] = v.Any()
	}
	random := rand.New(rand.NewPCG(7, 7))
	change := func(name string, weights []float32, in, out int) []float32 {
		a, b := make([]float32, rank*in), make([]float32, out*rank)
		var half []byte
		for i := range a {
			a[i] = random.Float32()*0.4 - 0.2
		}
		for i := range b {
			b[i] = float32(random.IntN(33)-16) / 64
			half = binary.LittleEndian.AppendUint16(half, quant.F32ToF16(b[i]))
		}
		ad.add(name+".lora_a", quant.F32, bytesOf(a), uint64(in), rank)
		ad.add(name+".lora_b", quant.F16, half, rank, uint64(out))
		weights = slices.Clone(weights)
		for o := range out {
			for i := range in {
				sum := float64(weights[o*in+i])
				for r := range rank {
					sum += alpha / float64(rank) * float64(b[o*rank+r]) * float64(a[r*in+i])
				}
				weights[o*in+i] = float32(sum)
			}
		}
		return weights
	}
	for i := range f.Tensors {
		x := &f.Tensors[i]
		require.Equal(t, quant.F32, x.Type, x.Name)
		data := make([]byte, x.Bytes)
		_, err := file.ReadAt(data, x.Offset)
		require.NoError(t, err)
		weights := make([]float32, x.Elements())
		for i := range weights {
			weights[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		fixed := func(part string) bool { return strings.Contains(x.Name, part) }
		if len(x.Shape) == 2 && x.Shape[1] > 1 && !slices.ContainsFunc([]string{"token_embd", "position_embd", "conv", "norm", "rope", "ssm_a", "ssm_d"}, fixed) {
			data = bytesOf(change(x.Name, weights, int(x.Shape[0]), int(x.Shape[1])))
		}
		whole.add(x.Name, x.Type, data, x.Shape...)
		if _, ok := f.Tensor("output.weight"); !ok && x.Name == "token_embd.weight" {
			whole.add("output.weight", x.Type, bytesOf(change("output.weight", weights, int(x.Shape[0]), int(x.Shape[1]))), x.Shape...)
		}
	}
	return ad.source(t), whole.source(t)
}

// A model with an adapter beside it gives what the model gives into which it is merged, whatever is fused with the products.
func TestLoRAIsMergedWeights(t *testing.T) {
	if runtime.GOOS == "js" || !gputest.First && !all() {
		t.Skip("TestLoRA runs here")
	}
	names := []string{"phi3", "gpt2", "qwen35"}
	if all() {
		names = append(names, "gemma2", "llama-llama3", "gemma4", "falcon", "starcoder2", "granitehybrid", "lfm2", "stablelm", "olmo2")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			f := loadFamily(t, name)
			adapter, merged := merge(t, name)
			o := engine.Options{KVType: "f32", MaxSeqs: 4}
			o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
			want, err := engine.Open(context.Background(), merged, o)
			require.NoError(t, err)
			defer want.Close()
			o.LoRARank = 5
			base, size := testdata.Open(t, "families/"+name+".gguf")
			got, err := engine.Open(context.Background(), gpu.ReaderSource(base, size), o)
			require.NoError(t, err)
			defer got.Close()
			number, err := got.AddLoRA(adapter)
			require.NoError(t, err)
			prompt := f.Prompts[len(f.Prompts)-1].PromptIDs
			rows := func(e *engine.Engine, lora ...engine.LoRA) (all [][]float32) {
				generate(t, e, engine.Request{Prompt: prompt, MaxTokens: 4, IgnoreEnd: true, LoRA: lora, Logits: func(_ int, logits []float32) {
					all = append(all, slices.Clone(logits))
				}})
				return all
			}
			worst := func(a, b [][]float32) (d float64) {
				require.Len(t, a, len(b))
				for i := range a {
					for j := range a[i] {
						d = max(d, math.Abs(float64(a[i][j]-b[i][j])))
					}
				}
				return d
			}
			merged1, with, without := rows(want), rows(got, engine.LoRA{Adapter: number, Scale: 1}), rows(got)
			d := worst(merged1, with)
			assert.LessOrEqual(t, d, f32Tolerance)
			assert.Greater(t, worst(merged1, without), 0.1, "the adapter changes something")
			t.Logf("largest difference of a logit %.2g", d)
		})
	}
}
