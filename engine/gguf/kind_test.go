package gguf

import (
	"strings"
	"testing"

	"quire/engine/quant"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOtherKinds(t *testing.T) {
	tar := strings.Repeat("\x00", 257) + "ustar\x0000"
	for name, tc := range map[string]struct{ kind, says, file string }{
		"version 1":             {"GGUF version 1", "newer file", "GGUF\x01\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00"},
		"version 4":             {"GGUF version 4", "newer than this version", "GGUF\x04\x00\x00\x00"},
		"big-endian":            {"big-endian", "little-endian", "GGUF\x00\x00\x00\x03\x00\x00\x00\x00"},
		"big-endian magic":      {"big-endian", "little-endian", "FUGG\x00\x00\x00\x03"},
		"gzip":                  {"gzip", "unpack", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"},
		"zstd":                  {"zstd", "unpack", "\x28\xb5\x2f\xfd\x04"},
		"xz":                    {"xz", "unpack", "\xfd7zXZ\x00\x00"},
		"bzip2":                 {"bzip2", "unpack", "BZh91AY&SY"},
		"tar":                   {"tar archive", "unpack", tar},
		"zip":                   {"PyTorch", "convert", "PK\x03\x04\x14\x00model/data.pkl"},
		"pickle":                {"pickle", "convert", "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."},
		"safetensors":           {"safetensors", "convert", "\x40\x00\x00\x00\x00\x00\x00\x00{\"w\":{\"dtype\":\"F32\"}}"},
		"ggml":                  {"ggml model", "convert", "lmgg\x00\x7d\x00\x00"},
		"ggmf":                  {"ggmf model", "convert", "fmgg\x01\x00\x00\x00"},
		"ggjt":                  {"ggjt model", "convert", "tjgg\x03\x00\x00\x00"},
		"ggla":                  {"adapter", "GGUF", "algg\x01\x00\x00\x00"},
		"saved session":         {"llama.cpp", "GGUF", "nsgg\x09\x00\x00\x00"},
		"conversation":          {"Quire saved", "GGUF", "QuireKV\n\x01\x00\x00\x00"},
		"HDF5":                  {"HDF5", "convert", "\x89HDF\r\n\x1a\n\x00"},
		"TensorFlow Lite":       {"TensorFlow Lite", "convert", "\x1c\x00\x00\x00TFL3"},
		"Git LFS":               {"Git LFS", "git lfs pull", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"},
		"HTML":                  {"an HTML page", "address", "<!DOCTYPE html><html>"},
		"HTML in small letters": {"an HTML page", "address", "\xef\xbb\xbf\n  <html lang=\"en\"><head>"},
		"HTML after a comment":  {"an HTML page", "address", "<!-- page -->\n<html>"},
		"XHTML":                 {"an HTML page", "address", "<?xml version=\"1.0\"?>\n<!DOCTYPE html><html>"},
		"HTML cut in a rune":    {"an HTML page", "address", "<html>" + strings.Repeat("é", 300)},
		"a part of a page":      {"an HTML page", "address", "<center><h1>404 Not Found</h1></center>"},
		"HTML in Latin-1":       {"an HTML page", "address", "<html><title>Page non trouv\xe9e</title>"},
		"HTML after much space": {"an HTML page", "address", strings.Repeat(" \r\n", 400) + "<!doctype  html>"},
		"XML like a paragraph":  {"an XML text", "error message", "<policy></policy>"},
		"XML":                   {"an XML text", "error message", "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>"},
		"JSON":                  {"a JSON text", "error message", "{\"error\":\"Repository not found\"}"},
		"a text":                {`begins "Entry not found"`, "error message", "Entry not found\n"},
		"a long text":           {`begins "` + strings.Repeat("é", 60) + `…"`, "error message", strings.Repeat("é", 100)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read([]byte(tc.file))
			var kind *KindError
			require.ErrorAs(t, err, &kind)
			assert.Contains(t, kind.Kind, tc.kind)
			assert.Contains(t, kind.Advice, tc.says)
			assert.ErrorContains(t, err, kind.Kind)
			assert.ErrorContains(t, err, kind.Advice)
		})
	}
}

func TestBoolsOfAnyByte(t *testing.T) {
	f, err := read(append(bytesOf(header(0, 2), text("k"), uint32(7), uint8(2),
		text("n"), uint32(9), uint32(7), uint64(3), uint8(0), uint8(255), uint8(1)), make([]byte, 32)...))
	require.NoError(t, err)
	k, ok, err := f.Metadata.Bool("k")
	require.NoError(t, err)
	assert.True(t, ok && k)
	v, _ := f.Metadata.Get("n")
	assert.Equal(t, []bool{false, true, true}, v.Any())
}

func TestNamesOfNewTypes(t *testing.T) {
	for number, name := range map[quant.Type]string{40: "NVFP4", 41: "Q1_0", 42: "Q2_0", 43: "43"} {
		assert.Equal(t, name, number.String())
	}
	assert.EqualValues(t, 36, quant.NVFP4.RowBytes(64))
	assert.EqualValues(t, 18, quant.Q1_0.RowBytes(128))
	assert.EqualValues(t, -1, quant.Q2_0.RowBytes(128))
}
