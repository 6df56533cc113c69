//go:build unix

package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Adapters are named as models are, and by the field lora; their texts are those of the golden ids.
func TestServeLoRA(t *testing.T) {
	one, two := path(t, "families/qwen3-lora1.gguf"), path(t, "families/qwen3-lora2.gguf")
	s := serve(t, "--ollama", "-m", "base="+path(t, "families/qwen3.gguf"), "--lora", "one="+one, "--lora", "two="+two, "--kv-type", "f32").ready(t)
	status, text := s.get(t, "/v1/models", "")
	require.Equal(t, 200, status)
	var list struct{ Data []struct{ ID, Parent string } }
	require.NoError(t, json.Unmarshal([]byte(text), &list))
	assert.Equal(t, []struct{ ID, Parent string }{{"base", ""}, {"one", "base"}, {"two", "base"}}, list.Data)
	for fields, want := range map[string][]int32{
		`"model":"base"`:                    {178, 84, 79, 88},
		`"model":"two"`:                     {165, 271, 137, 132},
		`"lora":"two"`:                      {165, 271, 137, 132},
		`"lora":{"name":"one","scale":0.5}`: {178, 165, 85, 281},
		`"model":"one","lora":{"name":"one","scale":0.5}`:                   {178, 165, 85, 281},
		`"model":"base","lora":[{"name":"one","scale":0.75},"two"]`:         {165, 165, 132, 132},
		`"model":"two","lora":[{"name":"one","scale":0.75}],"stream":false`: {165, 165, 132, 132},
	} {
		status, text := s.get(t, "/v1/completions", `{`+fields+`,"prompt":[122],"temperature":0,"max_tokens":4,"ignore_eos":true,"skip_special_tokens":false}`)
		require.Equal(t, 200, status, text)
		var told struct {
			Model   string
			Choices []struct{ Text string }
		}
		require.NoError(t, json.Unmarshal([]byte(text), &told))
		ids, err := json.Marshal(want)
		require.NoError(t, err)
		_, text = s.get(t, "/detokenize", fmt.Sprintf(`{"tokens":%s}`, ids))
		var whole struct{ Content string }
		require.NoError(t, json.Unmarshal([]byte(text), &whole))
		assert.Equal(t, whole.Content, told.Choices[0].Text, fields)
		var asked struct{ Model string }
		require.NoError(t, json.Unmarshal([]byte("{"+fields+"}"), &asked))
		if asked.Model != "" {
			assert.Equal(t, asked.Model, told.Model)
		}
	}
	for fields, code := range map[string]string{
		`"model":"three"`: "model_not_found", `"lora":"three"`: "adapter_not_found", `"model":"one","lora":["two","three"]`: "adapter_not_found",
	} {
		status, text := s.get(t, "/v1/completions", `{`+fields+`,"prompt":[122],"max_tokens":4}`)
		assert.Contains(t, text, code)
		assert.Contains(t, []int{400, 404}, status)
	}
	status, text = s.get(t, "/api/generate", `{"model":"two","raw":true,"prompt":"he","stream":false,"options":{"num_predict":2}}`)
	assert.Equal(t, 200, status, text)
	status, text = s.get(t, "/api/tags", "")
	assert.Equal(t, 200, status)
	assert.Contains(t, text, `"modified_at":"2`)
	var tags struct {
		Models []struct{ Name, Digest string }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &tags))
	digests := map[string]string{}
	for _, m := range tags.Models {
		digests[m.Digest] = m.Name
	}
	assert.ElementsMatch(t, []string{"base", "one", "two"}, slices.Collect(maps.Values(digests)), "each has a digest of its own")
	_, text = s.get(t, "/metrics", "")
	assert.Contains(t, text, `vllm:lora_requests_info{max_lora="2",model_name="base",running_lora_adapters=""`)
}

func TestServeRefusesAdapters(t *testing.T) {
	model, one := path(t, "families/qwen3.gguf"), path(t, "families/qwen3-lora1.gguf")
	for says, args := range map[string][]string{
		"--lora needs a model":                       {"--lora", "one=" + one},
		`--lora must be NAME=FILE, not "` + one:      {"-m", model, "--lora", one},
		`two adapters have the name "one"`:           {"-m", model, "--lora", "one=" + one, "--lora", "one=" + one},
		`a model and an adapter have the name "a"`:   {"-m", "a=" + model, "--lora", "a=" + one},
		"--lora one: none.gguf: there is no such":    {"-m", model, "--lora", "one=none.gguf"},
		"is a folder, not an adapter's file":         {"-m", model, "--lora", "one=" + t.TempDir()},
		`the file is none for LoRA: general.type is`: {"-m", model, "--lora", "one=" + model},
	} {
		r := quire(t, append([]string{"serve", "--addr", "127.0.0.1:0"}, onAdapter(args...)...)...)
		assert.NotZero(t, r.code)
		assert.Contains(t, r.stderr, says)
	}
}
