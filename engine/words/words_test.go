package words

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestError(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	_, err := os.Open(missing)
	require.Error(t, err)
	assert.Equal(t, missing+": there is no such file or folder", Error(err))
	assert.Equal(t, "--out: "+missing+": there is no such file or folder", Error(fmt.Errorf("--out: %w", err)))
	assert.Equal(t, "a\n"+missing+": there is no such file or folder", Error(errors.Join(errors.New("a"), err)))
	assert.Equal(t, missing+": there is no such file or folder", Error(fmt.Errorf("none: sim: %w", err)))
	err = os.Rename(missing, missing+"2")
	assert.Equal(t, missing+"2: there is no such file or folder", Error(err))
	assert.Equal(t, "f: this is not permitted", Error(&fs.PathError{Op: "open", Path: "f", Err: fs.ErrPermission}))
	for text, want := range map[string]string{
		"gpu: source: it broke":                   "it broke",
		"model.gguf: gpu: out of memory":          "model.gguf: out of memory",
		"bad request: schedule: paging: no":       "bad request: no",
		"a\ngpu: b":                               "a\nb",
		"line 2: sample: top_p is 3":              "line 2: top_p is 3",
		"a: source: b: gpu: kernel: source: ":     "a: source: b: ",
		"gpu: \nsession: my engine:":              "\nmy engine:",
		"tensor \"a\": chat template: line 1: no": "tensor \"a\": chat template: line 1: no",
		"my gpu: the fast one":                    "my gpu: the fast one",
	} {
		assert.Equal(t, want, Error(errors.New(text)))
	}
}

func TestJSON(t *testing.T) {
	type inner struct {
		Width int `json:"width"`
	}
	type value struct {
		Text   *string  `json:"text"`
		Whole  *int     `json:"whole"`
		Seed   *uint64  `json:"seed"`
		Number *float64 `json:"number"`
		Yes    *bool    `json:"yes"`
		IDs    []int32  `json:"ids"`
		Stop   []string `json:"stop"`
		Inner  *inner   `json:"inner"`
	}
	for text, want := range map[string]string{
		`{"text":1}`:               `field "text" is a number, it must be text`,
		`{"text":["a"]}`:           `field "text" is a list, it must be text`,
		`{"text":{}}`:              `field "text" is an object, it must be text`,
		`{"whole":"1"}`:            `field "whole" is text, it must be a whole number`,
		`{"whole":1.5}`:            `field "whole" is 1.5, it must be a whole number`,
		`{"seed":-1}`:              `field "seed" is -1, it must be a whole number from 0 on`,
		`{"number":true}`:          `field "number" is true or false, it must be a number`,
		`{"number":1e999}`:         `field "number" is 1e999, it must be a number`,
		`{"yes":"no"}`:             `field "yes" is text, it must be true or false`,
		`{"ids":[1.5]}`:            `field "ids" is 1.5, it must be a whole number`,
		`{"ids":"1"}`:              `field "ids" is text, it must be a list of whole numbers`,
		`{"stop":"."}`:             `field "stop" is text, it must be a list of texts`,
		`{"inner":1}`:              `field "inner" is a number, it must be an object`,
		`{"inner":{"width":"a"}}`:  `field "inner.width" is text, it must be a whole number`,
		`[1]`:                      `the JSON is a list where an object is expected`,
		`{"colour":1}`:             `unknown field "colour"`,
		`{`:                        `the JSON ends too early`,
		``:                         `the JSON ends too early`,
		`{"text":`:                 `the JSON ends too early`,
		`{'text':1}`:               `this is not valid JSON, from character 2 on`,
		`{"text":"a" "whole":1}`:   `this is not valid JSON, from character 13 on`,
		`{"text":"a","whole":0x1}`: `this is not valid JSON, from character 22 on`,
	} {
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.DisallowUnknownFields()
		err := JSON(d.Decode(new(value)))
		if assert.Error(t, err, text) {
			assert.Equal(t, want, err.Error(), text)
		}
	}
	assert.NoError(t, JSON(nil))
	other := errors.New("other")
	assert.Equal(t, other, JSON(other))
}

func TestFields(t *testing.T) {
	names := map[string]string{"N": "--n", "BestOf": "--best-of", "Beams.Width": "--beams", "Beams": "beams"}
	for text, want := range map[string]string{
		"N is -1 and BestOf 2":              "--n is -1 and --best-of 2",
		"Beams.Width is 20, at least N (3)": "--beams is 20, at least --n (3)",
		"Beams do not go with BestOf, Stop": "beams do not go with --best-of, Stop",
		"more than N. BestOf (Beams.Width)": "more than --n. --best-of (--beams)",
		"é N\u00a0N_":                       "é --n\u00a0N_",
		`unknown field "N", "BestOf"`:       `unknown field "N", "BestOf"`,
		"No Beamsplitter, Nothing":          "No Beamsplitter, Nothing",
	} {
		assert.Equal(t, want, Fields(text, names))
	}
}
