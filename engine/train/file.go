package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"quire/engine/gguf"
	"quire/engine/quant"
)

// WriteGGUF writes a model of ByteVocabulary as a GGUF file of architecture llama, all tensors f32, under a name.
func (m *Model) WriteGGUF(ctx context.Context, w io.Writer, name string) error {
	if m.Vocabulary != ByteVocabulary {
		return fmt.Errorf("train: only models of %d tokens, the bytes, have a vocabulary to write; this one has %d", ByteVocabulary, m.Vocabulary)
	}
	out := gguf.NewWriter(w)
	var failed error
	keep := func(err error) {
		if failed == nil {
			failed = err
		}
	}
	m.metadata(name, func(key string, value any) { keep(out.Metadata.Set(key, value)) })
	for _, t := range m.tensors {
		shape := []uint64{uint64(t.Columns), uint64(t.Rows)}
		if t.norm() {
			shape = shape[:1]
		}
		keep(out.Declare(t.Name, quant.F32, shape...))
	}
	for _, t := range m.tensors {
		if failed != nil {
			break
		}
		values, err := m.Tensor(ctx, t.Name)
		keep(err)
		data := make([]byte, 0, 4*len(values))
		for _, v := range values {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		if failed == nil {
			keep(out.WriteTensor(bytes.NewReader(data)))
		}
	}
	if failed == nil {
		failed = out.Close()
	}
	if failed != nil {
		return fmt.Errorf("train: write the model: %w", failed)
	}
	return nil
}

// metadata is what the file says, key by key.
func (m *Model) metadata(name string, set func(key string, value any)) {
	set("general.architecture", "llama")
	set("general.name", name)
	for _, entry := range []struct {
		key   string
		value any
	}{
		{"vocab_size", uint32(m.Vocabulary)}, {"context_length", uint32(m.Length)}, {"embedding_length", uint32(m.Width)},
		{"block_count", uint32(m.Layers)}, {"feed_forward_length", uint32(m.FFN)},
		{"attention.head_count", uint32(m.Heads)}, {"attention.head_count_kv", uint32(m.KVHeads)},
		{"attention.key_length", uint32(m.HeadDim)}, {"attention.value_length", uint32(m.HeadDim)},
		{"attention.layer_norm_rms_epsilon", m.Eps},
		{"rope.dimension_count", uint32(m.HeadDim)}, {"rope.freq_base", float32(m.RopeBase)},
	} {
		set("llama."+entry.key, entry.value)
	}
	byteVocabulary(set)
}
