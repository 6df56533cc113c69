package train

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"quire/engine/gpu"
)

// Model is a llama whose parameters lie on the GPU, in one buffer of f32.
type Model struct {
	Config

	device     *gpu.Device
	tensors    []Tensor
	index      map[string]int
	decayed    int // floats of the parameters that decay, the first ones
	size       int // floats of all parameters
	parameters *gpu.Buffer
}

// NewModel makes a model of random weights, the same for the same seed: norms are 1, matrices normal with a deviation of
// 0.02 in the embedding and the output and of 1/(2·√columns) elsewhere; what adds to the residual stream is lower by
// √(2·Layers), the number of such matrices (GPT-2's rule).
func NewModel(dev *gpu.Device, c Config, seed uint64) (*Model, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	m := &Model{Config: c, device: dev, index: map[string]int{}}
	m.tensors, m.decayed, m.size = c.layout()
	bytes, limit := 4*uint64(m.size), dev.Limits().MaxStorageBufferBindingSize
	if bytes > limit {
		return nil, fmt.Errorf("train: %w", &gpu.MemoryError{Label: "parameters", Asked: bytes, Held: dev.Stats().Bytes, Limit: limit})
	}
	var err error
	if m.parameters, err = dev.NewBuffer("train parameters", bytes, gpu.Storage); err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, 0x6c6c616d61))
	for i, t := range m.tensors {
		m.index[t.Name] = i
		deviation := c.deviation(t)
		values := make([]float32, t.Rows*t.Columns)
		for j := range values {
			values[j] = 1
			if deviation > 0 {
				values[j] = float32(deviation * random.NormFloat64())
			}
		}
		if err := m.SetTensor(t.Name, values); err != nil {
			m.Release()
			return nil, err
		}
	}
	return m, nil
}

// deviation is that of a tensor's first values; 0 for a norm.
func (c Config) deviation(t Tensor) float64 {
	switch {
	case t.norm():
		return 0
	case t.Name == embeddingName || t.Name == outputName:
		return 0.02
	}
	inner := 0.5 / math.Sqrt(float64(t.Columns))
	if strings.HasSuffix(t.Name, "attn_output.weight") || strings.HasSuffix(t.Name, "ffn_down.weight") {
		inner /= math.Sqrt(float64(2 * c.Layers))
	}
	return inner
}

// Release frees the parameters.
func (m *Model) Release() { m.parameters.Release() }

// Tensors lists the model's tensors in the order of a file.
func (m *Model) Tensors() []Tensor { return m.tensors }

// Tensor reads a tensor's values [Rows][Columns] from the GPU.
func (m *Model) Tensor(ctx context.Context, name string) ([]float32, error) {
	return m.read(ctx, m.parameters, name)
}

func (m *Model) read(ctx context.Context, from *gpu.Buffer, name string) ([]float32, error) {
	i, ok := m.index[name]
	if !ok {
		return nil, fmt.Errorf("train: there is no tensor %q", name)
	}
	t := m.tensors[i]
	data := make([]byte, 4*t.Rows*t.Columns)
	if err := from.Read(ctx, 4*uint64(t.offset), data); err != nil {
		return nil, fmt.Errorf("train: read tensor %q: %w", name, err)
	}
	values := make([]float32, t.Rows*t.Columns)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return values, nil
}

// SetTensor replaces a tensor's values [Rows][Columns].
func (m *Model) SetTensor(name string, values []float32) error {
	i, ok := m.index[name]
	if !ok {
		return fmt.Errorf("train: there is no tensor %q", name)
	}
	t := m.tensors[i]
	if len(values) != t.Rows*t.Columns {
		return fmt.Errorf("train: tensor %q has %d by %d values, not %d", name, t.Rows, t.Columns, len(values))
	}
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	if err := m.parameters.Upload(4*uint64(t.offset), data); err != nil {
		return fmt.Errorf("train: write tensor %q: %w", name, err)
	}
	return nil
}

// in views a tensor's place in a buffer that is laid out as the parameters are.
func (m *Model) in(b gpu.View, name string) matrix {
	t := m.tensors[m.index[name]]
	size := 4 * uint64(t.Rows) * uint64(t.Columns)
	view := gpu.View{Buffer: b.Buffer, Offset: b.Offset + 4*uint64(t.offset), Size: size}
	return matrix{View: view, rows: t.Rows, columns: t.Columns, stride: t.Columns}
}
