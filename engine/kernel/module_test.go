package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

// A Spec gives what its shader says that it takes.
func TestSpecRefuses(t *testing.T) {
	fitting := func() Spec {
		return Spec{
			File:   "total",
			Consts: []Const{{"SQUARE", true}, {"WORKGROUP", 256}, {"LANES", 256}, {"SUMS", 1}},
			Slots:  map[string]string{"reduce": "reduce_workgroup"},
			Most:   []Const{{"VECTORS_EACH", 4}},
		}
	}
	_, err := fitting().Turns()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*Spec)
		says   string
	}{
		"a constant that is missing":     {func(s *Spec) { s.Consts = s.Consts[1:] }, "compose total: constant SQUARE"},
		"one of another library":         {func(s *Spec) { s.Slots["reduce"] = "reduce_subgroup"; s.Consts = append(s.Consts, Const{"TX", 1}) }, "TX is given"},
		"one of another type":            {func(s *Spec) { s.Consts[0].Value = 1 }, "SQUARE: it is declared as bool and given as u32"},
		"a choice that is missing":       {func(s *Spec) { s.Slots = nil }, "no library is chosen for slot reduce of shaders/total.wgsl"},
		"one that is no choice":          {func(s *Spec) { s.Slots["reduce"] = "number" }, "number is no choice for slot reduce"},
		"one for a slot that is not had": {func(s *Spec) { s.Slots["kv"] = "kv_f32" }, "slot kv, which none of its files has"},
		"no bound":                       {func(s *Spec) { s.Most = nil }, "no most of VECTORS_EACH"},
		"a bound of something else":      {func(s *Spec) { s.Most = append(s.Most, Const{"TILES", 1}) }, "a most of TILES is given"},
		"a bound that is no int":         {func(s *Spec) { s.Most[0].Value = true }, "VECTORS_EACH is bool"},
		"no kernel":                      {func(s *Spec) { s.File = "nothing" }, "no file shaders/nothing.wgsl"},
	} {
		t.Run(name, func(t *testing.T) {
			s := fitting()
			c.change(&s)
			_, err := s.Turns()
			require.ErrorContains(t, err, c.says)
		})
	}
}

// Specs that come to other texts have other keys.
func TestSpecKeys(t *testing.T) {
	keys := map[string]string{}
	for name, s := range map[string]Spec{
		"a file":              {File: "a"},
		"another":             {File: "b"},
		"a need":              {File: "a", Needs: gpu.FeatureF16},
		"unrolled":            {File: "a", Unrolled: true},
		"an int":              {File: "a", Consts: []Const{{"N", 1}}},
		"another int":         {File: "a", Consts: []Const{{"N", 2}}},
		"another name":        {File: "a", Consts: []Const{{"M", 1}}},
		"two":                 {File: "a", Consts: []Const{{"N", 1}, {"M", 1}}},
		"a float":             {File: "a", Consts: []Const{{"N", float32(1)}}},
		"a float's bits":      {File: "a", Consts: []Const{{"N", 0x3F800000}}},
		"a bool":              {File: "a", Consts: []Const{{"N", true}}},
		"what is no constant": {File: "a", Consts: []Const{{"N", "1"}}},
		"a bound":             {File: "a", Most: []Const{{"N", 1}}},
		"a library":           {File: "a", Slots: map[string]string{"x": "y"}},
		"another library":     {File: "a", Slots: map[string]string{"x": "z"}},
	} {
		key := s.key("webgpu")
		require.NotContains(t, keys, key, "%s and %s", name, keys[key])
		keys[key] = name
	}
	require.NotContains(t, keys, Spec{File: "a"}.key("vulkan"))
	require.Equal(t, Spec{File: "a", Consts: []Const{{"N", 1}}}.key(""), Spec{File: "a", Consts: []Const{{"N", uint32(1)}}}.key(""))
}
