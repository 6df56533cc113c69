//go:build !js

package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"quire/engine/bench"
	"quire/engine/quant"
)

// onnx writes a llama of random weights in 4 bits as transformers.js loads it, in the form that its models are exported in today:
// products of 4 bits in blocks of 32, attention with RoPE and the cache inside, a tied table of 4 bits.
type onnx struct {
	bench.Shape
	half bool // activations and cache in f16

	data      *bufio.Writer
	at        int
	places    map[string]place
	random    *rand.Rand
	nodes     []message
	constants []message
	inputs    []message
	outputs   []message
}

// place is where a tensor lies in the file of weights.
type place struct{ at, size int }

// writeONNX writes the folder of a model.
func writeONNX(dir string, s bench.Shape, half bool) (err error) {
	if s.Architecture != "llama" || !s.Tied || s.Experts > 0 {
		return fmt.Errorf("transformers.js: a model of shape %s is not written: a tied llama is", s.Name)
	}
	kind := map[bool]string{true: "q4f16", false: "q4"}[half]
	name := "model_" + kind + ".onnx"
	if err := os.MkdirAll(filepath.Join(dir, "onnx"), 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "onnx", name+"_data"))
	if err != nil {
		return err
	}
	o := &onnx{Shape: s, half: half, data: bufio.NewWriterSize(f, 1<<20), places: map[string]place{}, random: rand.New(rand.NewPCG(1, 2))}
	o.weights()
	model := o.model(name + "_data")
	err = o.data.Flush()
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "onnx", name), model, 0o644)
	}
	for file, value := range o.files(name) {
		if err == nil {
			var text []byte
			if text, err = json.Marshal(value); err == nil {
				err = os.WriteFile(filepath.Join(dir, file), text, 0o644)
			}
		}
	}
	return err
}

// put gives a tensor its place; write writes its bytes.
func (o *onnx) put(name string, size int, write func(w *bufio.Writer)) {
	for ; o.at%4096 != 0; o.at++ {
		o.data.WriteByte(0)
	}
	o.places[name] = place{o.at, size}
	write(o.data)
	o.at += size
}

func (o *onnx) floats(name string, n int, value func(i int) float64) {
	size := 4
	if o.half {
		size = 2
	}
	o.put(name, n*size, func(w *bufio.Writer) {
		var b [4]byte
		for i := range n {
			x := float32(value(i))
			if o.half {
				binary.LittleEndian.PutUint16(b[:], quant.F32ToF16(x))
			} else {
				binary.LittleEndian.PutUint32(b[:], math.Float32bits(x))
			}
			w.Write(b[:size])
		}
	})
}

// matrix is n rows of k weights: codes 1 to 15 around 8, which stands for 0, and a scale for 32.
func (o *onnx) matrix(name string, n, k int) {
	o.put(name+".codes", n*k/2, func(w *bufio.Writer) {
		for range n * k / 2 {
			r := o.random.Uint32()
			w.WriteByte(byte(1+r%15) | byte(1+(r>>8)%15)<<4)
		}
	})
	o.floats(name+".scales", n*k/32, func(int) float64 { return 0.0043 * (0.5 + o.random.Float64()) })
}

func layer(i int, name string) string { return fmt.Sprintf("layers.%d.%s", i, name) }

func (o *onnx) weights() {
	half := o.HeadDim / 2
	angle := func(i int) float64 {
		return float64(i/half) * math.Pow(float64(o.RopeBase), -2*float64(i%half)/float64(o.HeadDim))
	}
	o.floats("cos", o.Context*half, func(i int) float64 { return math.Cos(angle(i)) })
	o.floats("sin", o.Context*half, func(i int) float64 { return math.Sin(angle(i)) })
	one := func(int) float64 { return 0.8 + 0.4*o.random.Float64() }
	o.matrix("head", o.Vocabulary, o.Width)
	for i := range o.Layers {
		o.floats(layer(i, "norm"), o.Width, one)
		o.floats(layer(i, "ffn_norm"), o.Width, one)
		for _, m := range o.matrices() {
			o.matrix(layer(i, m.name), m.rows, m.columns)
		}
	}
	o.floats("last_norm", o.Width, one)
}

type dims struct {
	name          string
	rows, columns int
}

func (o *onnx) matrices() []dims {
	q, kv := o.Heads*o.HeadDim, o.KVHeads*o.HeadDim
	return []dims{{"q", q, o.Width}, {"k", kv, o.Width}, {"v", kv, o.Width}, {"o", o.Width, q}, {"gate", o.FFN, o.Width}, {"up", o.FFN, o.Width}, {"down", o.Width, o.FFN}}
}

func (o *onnx) floatType() int {
	if o.half {
		return onnxFloat16
	}
	return onnxFloat
}

// node adds one; an empty name stands for what is left out.
func (o *onnx) node(op, domain string, inputs, outputs []string, a attributes) string {
	var m message
	for _, in := range inputs {
		m.text(1, in)
	}
	for _, out := range outputs {
		m.text(2, out)
	}
	m.text(3, "/"+outputs[0])
	m.text(4, op)
	for _, key := range slices.Sorted(maps.Keys(a)) {
		m.bytes(5, attribute(key, a[key]))
	}
	if domain != "" {
		m.text(7, domain)
	}
	o.nodes = append(o.nodes, m)
	return outputs[0]
}

// integers adds a small constant.
func (o *onnx) integers(name string, scalar bool, values ...int64) string {
	var m message
	if !scalar {
		m.integer(1, int64(len(values)))
	}
	m.integer(2, onnxInt64)
	m.text(8, name)
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	m.bytes(9, raw)
	o.constants = append(o.constants, m)
	return name
}

// weight adds a tensor of the file of weights, perhaps under another name and shape.
func (o *onnx) weight(data, name, of string, kind int, shape ...int) string {
	var m message
	for _, d := range shape {
		m.integer(1, int64(d))
	}
	m.integer(2, int64(kind))
	m.text(8, name)
	p := o.places[of]
	for _, pair := range [][2]string{{"location", data}, {"offset", strconv.Itoa(p.at)}, {"length", strconv.Itoa(p.size)}} {
		var entry message
		entry.text(1, pair[0])
		entry.text(2, pair[1])
		m.bytes(13, entry)
	}
	m.integer(14, 1)
	o.constants = append(o.constants, m)
	return name
}

const microsoft = "com.microsoft"

// model is the graph.
func (o *onnx) model(data string) []byte {
	t := o.floatType()
	o.inputs = []message{
		valueInfo("input_ids", onnxInt64, "batch_size", "sequence_length"), valueInfo("attention_mask", onnxInt64, "batch_size", "total_sequence_length"),
		valueInfo("num_logits_to_keep", onnxInt64),
	}
	o.outputs = []message{valueInfo("logits", t, "batch_size", "kept", o.Vocabulary)}
	for i := range o.Layers {
		for _, kv := range []string{"key", "value"} {
			o.inputs = append(o.inputs, valueInfo(fmt.Sprintf("past_key_values.%d.%s", i, kv), t, "batch_size", o.KVHeads, "past_sequence_length", o.HeadDim))
			o.outputs = append(o.outputs, valueInfo(fmt.Sprintf("present.%d.%s", i, kv), t, "batch_size", o.KVHeads, "total_sequence_length", o.HeadDim))
		}
	}
	product := func(name, of, x string, n, k int, out string) string {
		w := o.weight(data, name+".codes", of+".codes", onnxUint8, n, k/32, 16)
		s := o.weight(data, name+".scales", of+".scales", t, n, k/32)
		return o.node("MatMulNBits", microsoft, []string{x, w, s}, []string{out}, attributes{"K": k, "N": n, "bits": 4, "block_size": 32, "accuracy_level": 4})
	}
	// How long the rows are, which attention asks for.
	one, axis := o.integers("one", true, 1), o.integers("axis", false, 1)
	sum := o.node("ReduceSum", "", []string{"attention_mask", axis}, []string{"mask.sum"}, attributes{"keepdims": 0})
	last := o.node("Sub", "", []string{sum, one}, []string{"mask.last"}, nil)
	lengths := o.node("Cast", "", []string{last}, []string{"lengths"}, attributes{"to": onnxInt32})
	shape := o.node("Shape", "", []string{"attention_mask"}, []string{"mask.shape"}, nil)
	whole := o.node("Gather", "", []string{shape, one}, []string{"mask.whole"}, attributes{"axis": 0})
	total := o.node("Cast", "", []string{whole}, []string{"total"}, attributes{"to": onnxInt32})
	cos, sin := o.weight(data, "cos", "cos", t, o.Context, o.HeadDim/2), o.weight(data, "sin", "sin", t, o.Context, o.HeadDim/2)

	table := o.weight(data, "table.codes", "head.codes", onnxUint8, o.Vocabulary, o.Width/2)
	scales := o.weight(data, "table.scales", "head.scales", t, o.Vocabulary, o.Width/32)
	x := o.node("GatherBlockQuantized", microsoft, []string{table, "input_ids", scales}, []string{"embedded"},
		attributes{"gather_axis": 0, "quantize_axis": 1, "block_size": 32, "bits": 4})
	added := ""
	norm := func(name string) string {
		w := o.weight(data, name, name, t, o.Width)
		if added == "" {
			return o.node("SimplifiedLayerNormalization", "", []string{x, w}, []string{name + ".out"}, attributes{"axis": -1, "epsilon": 1e-5, "stash_type": 1})
		}
		outs := []string{name + ".out", "", "", name + ".sum"}
		if name == "last_norm" {
			outs = outs[:1]
		}
		out := o.node("SkipSimplifiedLayerNormalization", microsoft, []string{x, added, w}, outs, attributes{"epsilon": 1e-5})
		x = name + ".sum"
		return out
	}
	for i := range o.Layers {
		of := map[string]dims{}
		for _, m := range o.matrices() {
			of[m.name] = m
		}
		multiply := func(name, x string) string {
			m := of[name]
			return product(layer(i, name), layer(i, name), x, m.rows, m.columns, layer(i, name+".out"))
		}
		h := norm(layer(i, "norm"))
		q, k, v := multiply("q", h), multiply("k", h), multiply("v", h)
		past, present := fmt.Sprintf("past_key_values.%d.", i), fmt.Sprintf("present.%d.", i)
		a := o.node("GroupQueryAttention", microsoft, []string{q, k, v, past + "key", past + "value", lengths, total, cos, sin},
			[]string{layer(i, "attention"), present + "key", present + "value"},
			attributes{"num_heads": o.Heads, "kv_num_heads": o.KVHeads, "scale": 1 / math.Sqrt(float64(o.HeadDim)), "do_rotary": 1, "rotary_interleaved": 0, "local_window_size": -1})
		added = multiply("o", a)
		h = norm(layer(i, "ffn_norm"))
		gate, up := multiply("gate", h), multiply("up", h)
		sigmoid := o.node("Sigmoid", "", []string{gate}, []string{layer(i, "sigmoid")}, nil)
		silu := o.node("Mul", "", []string{gate, sigmoid}, []string{layer(i, "silu")}, nil)
		both := o.node("Mul", "", []string{silu, up}, []string{layer(i, "gated")}, nil)
		added = multiply("down", both)
	}
	h := norm("last_norm")
	// The last num_logits_to_keep rows; all of them for 0.
	minus := o.node("Neg", "", []string{"num_logits_to_keep"}, []string{"kept.minus"}, nil)
	from := o.node("Unsqueeze", "", []string{minus, o.integers("zero", false, 0)}, []string{"kept.from"}, nil)
	h = o.node("Slice", "", []string{h, from, o.integers("far", false, 1<<40), axis}, []string{"kept.rows"}, nil)
	product("head", "head", h, o.Vocabulary, o.Width, "logits")

	var g, m message
	for _, n := range o.nodes {
		g.bytes(1, n)
	}
	g.text(2, "graph")
	for _, c := range o.constants {
		g.bytes(5, c)
	}
	for _, in := range o.inputs {
		g.bytes(11, in)
	}
	for _, out := range o.outputs {
		g.bytes(12, out)
	}
	m.integer(1, 10)
	m.text(2, "quire")
	m.bytes(7, g)
	for domain, version := range map[string]int64{"": 21, microsoft: 1} {
		var set message
		set.text(1, domain)
		set.integer(2, version)
		m.bytes(8, set)
	}
	return m
}

// files are what lies beside the graph. The tokenizer has a token a byte, and names for the rest.
func (o *onnx) files(name string) map[string]any {
	vocabulary := map[string]int{}
	for i := range o.Vocabulary {
		vocabulary[fmt.Sprintf("token%d", i)] = i
	}
	level := map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	return map[string]any{
		"config.json": map[string]any{
			"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama", "hidden_size": o.Width, "intermediate_size": o.FFN, "num_hidden_layers": o.Layers,
			"num_attention_heads": o.Heads, "num_key_value_heads": o.KVHeads, "head_dim": o.HeadDim, "vocab_size": o.Vocabulary, "max_position_embeddings": o.Context,
			"rms_norm_eps": 1e-5, "rope_theta": o.RopeBase, "hidden_act": "silu", "tie_word_embeddings": true, "use_cache": true,
			"bos_token_id": nil, "eos_token_id": nil, "pad_token_id": nil,
			"transformers.js_config": map[string]any{"use_external_data_format": map[string]int{name: 1}, "kv_cache_dtype": map[string]string{"q4f16": "float16", "fp16": "float16"}},
		},
		"generation_config.json": map[string]any{"do_sample": false, "max_length": o.Context},
		"tokenizer.json": map[string]any{
			"version": "1.0", "added_tokens": []any{}, "normalizer": nil, "pre_tokenizer": level, "post_processor": nil, "decoder": level,
			"model": map[string]any{"type": "BPE", "vocab": vocabulary, "merges": []any{}, "byte_fallback": false, "ignore_merges": false},
		},
		"tokenizer_config.json": map[string]any{"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": o.Context},
	}
}
