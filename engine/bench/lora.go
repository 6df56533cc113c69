package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"quire/engine"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/model"
	"quire/engine/quant"
)

// Adapters are LoRA adapters with random weights: the sequences of a batch take them in turn.
type Adapters struct {
	Count int `json:"count"`
	Rank  int `json:"rank"` // of each
}

// MaxAdapters and MaxAdapterRank bound what is measured.
const (
	MaxAdapters    = 256
	MaxAdapterRank = 1024
)

// adapterFile is an adapter of a rank for all matrices of a model's layers.
func adapterFile(p *model.Plan, rank int) ([]byte, error) {
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	for _, m := range []struct {
		key   string
		value any
	}{{"general.type", "adapter"}, {"adapter.type", "lora"}, {"general.architecture", p.Config.Architecture}, {"adapter.lora.alpha", float32(1)}} {
		if err := w.Metadata.Set(m.key, m.value); err != nil {
			return nil, err
		}
	}
	random := rand.New(rand.NewPCG(1, 0))
	piece := make([]byte, 4*4099)
	for i := range len(piece) / 4 {
		binary.LittleEndian.PutUint32(piece[4*i:], math.Float32bits((random.Float32()-0.5)/64))
	}
	var data [][]byte
	for _, m := range p.Adaptable() {
		if !strings.HasPrefix(m.Name, "blk.") {
			continue
		}
		for _, t := range []struct {
			name  string
			shape []uint64
		}{{m.Name + ".lora_a", []uint64{uint64(m.Cols), uint64(rank)}}, {m.Name + ".lora_b", []uint64{uint64(rank), uint64(m.Rows)}}} {
			if err := w.Declare(t.name, quant.F32, t.shape...); err != nil {
				return nil, err
			}
			n := int(4 * t.shape[0] * t.shape[1])
			data = append(data, bytes.Repeat(piece, n/len(piece)+1)[:n])
		}
	}
	for _, d := range data {
		if err := w.WriteTensor(bytes.NewReader(d)); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

// addAdapters loads the plan's adapters.
func (b *bench) addAdapters(a Adapters) error {
	if a.Count == 0 {
		return nil
	}
	file, err := adapterFile(b.plan, a.Rank)
	if err != nil {
		return fmt.Errorf("random adapters: %w", err)
	}
	for range a.Count {
		number, err := b.engine.AddLoRA(gpu.ReaderSource(bytes.NewReader(file), int64(len(file))))
		if err != nil {
			return err
		}
		b.adapters = append(b.adapters, number)
	}
	return nil
}

// lora is what the i-th sequence of a batch takes.
func (b *bench) lora(i int) []engine.LoRA {
	if len(b.adapters) == 0 {
		return nil
	}
	return []engine.LoRA{{Adapter: b.adapters[i%len(b.adapters)], Scale: 1}}
}
