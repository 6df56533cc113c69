package json

import (
	"bytes"
	standard "encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

type inner struct {
	Width int `json:"width"`
}

type embedded struct {
	Whole *int    `json:"whole"`
	Extra float32 `json:"extra,omitempty"`
	Inner string  `json:"inner"` // hidden
}

type value struct {
	embedded
	Text   *string           `json:"text"`
	Seed   *uint64           `json:"seed"`
	Number *float64          `json:"number"`
	Yes    *bool             `json:"yes"`
	IDs    []int32           `json:"ids"`
	Stop   []string          `json:"stop,omitempty"`
	Inner  *inner            `json:"inner,omitempty"`
	Map    map[string]inner  `json:"map"`
	Any    any               `json:"any"`
	Small  int8              `json:"small"`
	Hidden int               `json:"-"`
	Raw    RawMessage        `json:"raw,omitempty"`
	Names  map[string]string `json:"names,omitempty"`
	Plain  bool
	own    int
}

func TestWrongJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"text":1}`:                 `field "text" is a number, it must be text`,
		`{"text":["a"]}`:             `field "text" is a list, it must be text`,
		`{"text":{}}`:                `field "text" is an object, it must be text`,
		`{"whole":"1"}`:              `field "whole" is text, it must be a whole number`,
		`{"whole":1.5}`:              `field "whole" is 1.5, it must be a whole number`,
		`{"small":128}`:              `field "small" is 128, it must be a whole number`,
		`{"seed":-1}`:                `field "seed" is -1, it must be a whole number from 0 on`,
		`{"number":true}`:            `field "number" is true or false, it must be a number`,
		`{"number":1e999}`:           `field "number" is 1e999, it must be a number`,
		`{"yes":"no"}`:               `field "yes" is text, it must be true or false`,
		`{"ids":[1.5]}`:              `field "ids" is 1.5, it must be a whole number`,
		`{"ids":"1"}`:                `field "ids" is text, it must be a list of whole numbers`,
		`{"stop":"."}`:               `field "stop" is text, it must be a list of texts`,
		`{"inner":1}`:                `field "inner" is a number, it must be an object`,
		`{"inner":{"width":"a"}}`:    `field "inner.width" is text, it must be a whole number`,
		`{"map":{"a":{"width":""}}}`: `field "map.a.width" is text, it must be a whole number`,
		`[1]`:                        `the JSON is a list where an object is expected`,
		`{"colour":1}`:               `unknown field "colour"`,
		`{"Text":"a"}`:               `unknown field "Text"`,
		`{"Hidden":1}`:               `unknown field "Hidden"`,
		`{"own":1}`:                  `unknown field "own"`,
		`{`:                          `the JSON ends too early`,
		``:                           `the JSON ends too early`,
		`{"text":`:                   `the JSON ends too early`,
		`{"text":"a`:                 `the JSON ends too early`,
		`{"yes":tru`:                 `the JSON ends too early`,
		`{} {}`:                      `more than one JSON value`,
		`{'text':1}`:                 `this is not valid JSON, from character 2 on`,
		`{"text":"a" "whole":1}`:     `this is not valid JSON, from character 13 on`,
		`{"text":"a","whole":0x1}`:   `this is not valid JSON, from character 22 on`,
		`{"ids":[1,]}`:               `this is not valid JSON, from character 11 on`,
		`{"text":"\x"}`:              `this is not valid JSON, from character 11 on`,
		`{"ids":[1,"2"]}`:            `field "ids" is text, it must be a whole number`,
		`{"ids":[2147483648]}`:       `field "ids" is 2147483648, it must be a whole number`,
		`{"ids":[7.5,1]}`:            `field "ids" is 7.5, it must be a whole number`,
		`{"ids":[10,01]}`:            `this is not valid JSON, from character 13 on`,
		`{"ids":[1 2]}`:              `this is not valid JSON, from character 11 on`,
		`{"ids":[12`:                 `the JSON ends too early`,
	} {
		assert.EqualError(t, Unmarshal([]byte(text), new(value)), want, text)
	}
}

func TestUnmarshal(t *testing.T) {
	var v value
	require.NoError(t, Unmarshal([]byte(` {"whole": 3, "extra": 0.5, "text": "a\u00e9\ud83d\ude00\ud800\n", "seed": 18446744073709551615, "inner": {"width": 4},
		"map": {"b": {"width": 1}, "a": {}}, "raw": {"z": 1.0,  "a": 2}, "any": [1.50, {"z": null, "a": true}], "yes": null, "ids": [], "Plain": true} `), &v))
	assert.Equal(t, 3, *v.Whole)
	assert.Equal(t, float32(0.5), v.Extra)
	assert.Equal(t, "aé😀\uFFFD\n", *v.Text)
	assert.Equal(t, uint64(math.MaxUint64), *v.Seed)
	assert.Equal(t, &inner{4}, v.Inner)
	assert.Equal(t, map[string]inner{"a": {}, "b": {1}}, v.Map)
	assert.Equal(t, `{"z": 1.0,  "a": 2}`, string(v.Raw))
	assert.Equal(t, []any{Number("1.50"), &Object{[]string{"z", "a"}, []any{nil, true}}}, v.Any)
	assert.Nil(t, v.Yes)
	assert.NotNil(t, v.IDs)
	assert.True(t, v.Plain)
	assert.Equal(t, true, v.Any.([]any)[1].(*Object).At("a"))
	require.NoError(t, Unmarshal([]byte(`{"inner": null, "ids": null, "Plain": null}`), &v))
	assert.Nil(t, v.Inner)
	assert.Nil(t, v.IDs)
	assert.True(t, v.Plain)
	require.NoError(t, Unmarshal([]byte(`{"ids": [7 , 0,-3,2147483647, null,-0, 123456789 ]}`), &v))
	assert.Equal(t, []int32{7, 0, -3, math.MaxInt32, 0, 0, 123456789}, v.IDs)
}

// BenchmarkTokens reads and writes a long prompt's tokens.
func BenchmarkTokens(b *testing.B) {
	v := value{IDs: make([]int32, 2048)}
	for i := range v.IDs {
		v.IDs[i] = int32(i * 61)
	}
	text, err := Marshal(v)
	require.NoError(b, err)
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, Unmarshal(text, &v))
		}
	})
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			_, err := Marshal(v)
			require.NoError(b, err)
		}
	})
}

func TestDepth(t *testing.T) {
	_, err := Parse([]byte(strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)))
	assert.NoError(t, err)
	_, err = Parse([]byte(strings.Repeat("[", maxDepth+1)))
	assert.ErrorIs(t, err, errDeep)
	for _, text := range []string{strings.Repeat("[", maxDepth) + "1" + strings.Repeat("]", maxDepth), strings.Repeat(`{"a":`, maxDepth-1) + "[null]" + strings.Repeat("}", maxDepth-1)} {
		value, err := Parse([]byte(text))
		require.NoError(t, err)
		again, err := Marshal(value)
		require.NoError(t, err, "what is read can be written")
		assert.Equal(t, text, string(again))
	}
	var itself any
	itself = &itself
	_, err = Marshal(itself)
	assert.ErrorIs(t, err, errDeep)
	type ring struct{ Next any }
	loop := &ring{}
	loop.Next = loop
	_, err = Marshal(loop)
	assert.ErrorIs(t, err, errDeep)
}

func TestMarshalRefuses(t *testing.T) {
	for _, wrong := range []any{math.NaN(), math.Inf(1), func() {}, map[int]int{1: 1}, []any{make(chan int)}} {
		_, err := Marshal(wrong)
		assert.Error(t, err)
	}
}

// TestMarshal: what is written reads back through encoding/json as what encoding/json would have written.
func TestMarshal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, number := rapid.String().Draw(t, "text"), rapid.Float64().Draw(t, "number")
		v := value{
			embedded: embedded{Extra: rapid.Float32().Draw(t, "extra"), Inner: "hidden"}, Text: &text, Number: &number,
			IDs: rapid.SliceOf(rapid.Int32()).Draw(t, "ids"), Stop: rapid.SliceOf(rapid.String()).Draw(t, "stop"),
			Map: rapid.MapOf(rapid.StringN(0, 3, -1), rapid.Just(inner{2})).Draw(t, "map"), Small: rapid.Int8().Draw(t, "small"),
			Any: rapid.SampledFrom([]any{nil, 1, 2.5, "a", []any{1, map[string]any{"b": 1e21, "a": 1e-7}}, standard.Number("7"), standard.RawMessage(`{"b":1}`), [2]bool{}}).Draw(t, "any"),
		}
		got, err := Marshal(v)
		require.NoError(t, err)
		want, err := standard.Marshal(v)
		require.NoError(t, err)
		assert.JSONEq(t, string(want), string(got))
		var back value
		require.NoError(t, Unmarshal(got, &back))
		assert.Equal(t, v.IDs, back.IDs)
		assert.Equal(t, number, *back.Number)
	})
	got, err := Marshal(&Object{[]string{"z", "a"}, []any{Number("1.0"), []any(nil)}})
	require.NoError(t, err)
	assert.Equal(t, `{"z":1.0,"a":null}`, string(got))
}

// plain gives a parsed value as encoding/json has it.
func plain(v any) any {
	switch v := v.(type) {
	case Number:
		return standard.Number(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
		return v
	case *Object:
		m := map[string]any{}
		for i, name := range v.Names {
			m[name] = plain(v.Values[i])
		}
		return m
	}
	return v
}

// FuzzParse: what encoding/json takes is taken, with the same value, and nothing else.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{"a": [1, -2.5e3, "x\n\u00e9\ud800\udc00\ud800", true, false, null], "a": {}}`, `[]`, ` 0`, `01`, `-`, `1.`, `1e`, `"\q"`, `"\u12"`, "\"\x01\"", "\"\xff\xfe\"", `nul`,
		`{"a" 1}`, `{"a":1,}`, `[1 2]`, `{} 1`, `"a`, `"\`, "\u00a01", `{a:1}`, `-0.0E+1`, `+1`, `.5`, "",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Parse(text)
		if err == errDeep {
			return
		}
		var want any
		d := standard.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if !standard.Valid(text) {
			assert.Error(t, err)
			return
		}
		require.NoError(t, d.Decode(&want))
		require.NoError(t, err)
		assert.Equal(t, want, plain(got))
	})
}
