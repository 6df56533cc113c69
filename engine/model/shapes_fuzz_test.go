//go:build !js

package model_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/kernel"
	"quire/engine/model"
	"quire/engine/quant"
	"quire/tests/tiny"
)

// change is what a fuzzed file has in place of what a model's has.
type change struct {
	tensor    uint8  // whose
	dim       uint8  // and which of its sides; 4 and more drop it, or append another
	side      uint16 // is so long
	retyped   uint8  // tensor
	typ       uint8  // and its type
	key       uint8  // of those that arrays may stand for
	list      []byte // of numbers
	asNumbers bool   // a list of one is a number
}

// arrays are keys that may be one number or a number a layer.
var arrays = []string{"attention.head_count_kv", "feed_forward_length", "attention.head_count", "attention.sliding_window_pattern", "shared_layers", "block_count", "attention.key_length",
	"expert_count", "expert_used_count", "embedding_length", "ssm.state_size", "ssm.group_count", "ssm.time_step_rank", "ssm.inner_size", "ssm.conv_kernel", "shortconv.l_cache", "rope.dimension_sections",
	"nextn_predict_layers", "attention.shared_kv_layers", "embedding_length_per_layer_input"}

// rewrite gives the header of a model's file with a change.
func rewrite(f *gguf.File, c change) ([]byte, bool) {
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	arch, _, _ := f.Metadata.String("general.architecture")
	changed := arch + "." + arrays[int(c.key)%len(arrays)]
	for key, v := range f.Metadata.All() {
		if key == changed && len(c.list) > 0 {
			continue
		}
		if w.Metadata.Set(key, v) != nil {
			return nil, false
		}
	}
	if len(c.list) > 0 {
		numbers := make([]int32, len(c.list))
		for i, n := range c.list {
			numbers[i] = int32(int8(n)) // zeros and what is negative, too
		}
		var v any = numbers
		if c.asNumbers {
			v = uint32(c.list[0])
		}
		if w.Metadata.Set(changed, v) != nil {
			return nil, false
		}
	}
	for i := range f.Tensors {
		t := f.Tensors[i]
		shape := append([]uint64(nil), t.Shape...)
		if i == int(c.tensor)%len(f.Tensors) {
			switch {
			case c.dim > 200: // as it is
			case int(c.dim) < len(shape):
				shape[c.dim] = uint64(c.side)
			case c.dim%2 == 0 && len(shape) > 1:
				shape = shape[:len(shape)-1]
			case len(shape) < 4:
				shape = append(shape, uint64(c.side))
			}
		}
		typ := t.Type
		if i == int(c.retyped)%len(f.Tensors) && c.typ > 0 {
			all := quant.All()
			typ = all[int(c.typ)%len(all)]
		}
		if w.Declare(t.Name, typ, shape...) != nil {
			return nil, false
		}
	}
	if w.WriteHeader() != nil {
		return nil, false
	}
	return out.Bytes(), true
}

// Whatever a file's shapes, types and lists of numbers, it is planned, and all that a plan is asked for is there, or refused by
// name.
func FuzzShapes(f *testing.F) {
	files := []*gguf.File{tiny.Model{}.File(f)}
	for _, name := range []string{"lfm2", "qwen35", "gemma4", "granitehybrid", "gptoss-mxfp4", "quant-nvfp4", "phi3", "bert", "qwen2moe"} { // where there are such
		data, err := os.ReadFile(filepath.Join(os.Getenv("QUIRE_DATA"), "families", name+".gguf"))
		if err != nil {
			continue
		}
		file, err := gguf.Read(bytes.NewReader(data), int64(len(data)))
		require.NoError(f, err)
		files = append(files, file)
	}
	for i := range files {
		f.Add(uint8(i), uint8(0), uint8(255), uint16(0), uint8(0), uint8(0), uint8(0), []byte(nil), false)
		f.Add(uint8(i), uint8(3), uint8(1), uint16(64), uint8(0), uint8(0), uint8(0), []byte(nil), false)
		f.Add(uint8(i), uint8(0), uint8(255), uint16(0), uint8(5), uint8(11), uint8(0), []byte{2, 0}, false)
		f.Add(uint8(i), uint8(0), uint8(255), uint16(0), uint8(0), uint8(0), uint8(1), []byte{48, 48}, false)
		f.Add(uint8(i), uint8(0), uint8(255), uint16(0), uint8(0), uint8(0), uint8(10), []byte{0}, true)
	}
	f.Fuzz(func(t *testing.T, which, tensor, dim uint8, side uint16, retyped, typ, key uint8, list []byte, asNumbers bool) {
		header, ok := rewrite(files[int(which)%len(files)], change{tensor, dim, side, retyped, typ, key, list, asNumbers})
		if !ok {
			return
		}
		file, err := gguf.Read(bytes.NewReader(header), 1<<40) // weights are not looked at
		if err != nil {
			return
		}
		plan, problems := model.Check(file)
		for _, err := range problems {
			var key *gguf.MetadataError
			require.True(t, errors.Is(err, model.ErrUnsupported) || errors.As(err, &key), "%v", err)
		}
		if len(problems) > 0 {
			return
		}
		require.Positive(t, plan.Parameters())
		require.Positive(t, plan.WeightBytes())
		require.GreaterOrEqual(t, plan.StateBytes(), int64(0))
		for i := range file.Tensors {
			require.True(t, file.Tensors[i].Type.Runs(), "%s in %s", file.Tensors[i].Name, file.Tensors[i].Type)
		}
		if len(plan.Windows()) > 0 {
			for _, l := range plan.KVLayouts(16, kernel.KVF16) {
				require.NoError(t, l.Check())
			}
		}
	})
}
