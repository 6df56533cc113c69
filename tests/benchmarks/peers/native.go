//go:build !js

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"quire/engine/bench"
)

// parameters are what pages and scripts are told.
func (s *settings) parameters() string {
	v := url.Values{}
	v.Set("prompts", comma(s.prompts))
	v.Set("lanes", comma(s.lanes))
	v.Set("gen", fmt.Sprint(s.gen))
	v.Set("repeat", fmt.Sprint(s.repeat))
	v.Set("vocabulary", fmt.Sprint(s.shape.Vocabulary))
	v.Set("batch", fmt.Sprint(s.batch))
	v.Set("dtype", map[bool]string{true: "q4f16", false: "q4"}[s.half])
	if s.software {
		v.Set("software", "")
	}
	return v.Encode()
}

func comma(all []int) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(all)), ","), "[]")
}

func output(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Stderr = dir, os.Stderr
	return c.Output()
}

// native measures quire bench. Each number of sequences has a table of its own: prompts are of one.
func (s *settings) native(ctx context.Context) (p peer, err error) {
	p = peer{Rates: map[string]float64{}, Samples: map[string][]float64{}, Errors: map[string]string{}}
	quire, err := filepath.Abs(filepath.Join(s.kit, "quire"))
	if err != nil {
		return p, err
	}
	runs := [][]string{{"--pp", comma(s.prompts), "--tg", "0"}, {"--pp", "0", "--tg", fmt.Sprint(s.gen), "--batch", comma(s.lanes), "--depth", "16"}}
	for _, args := range runs {
		args = append(args, "-m", filepath.Join("site", "model.gguf"), "-r", fmt.Sprint(s.repeat), "--json")
		out, err := output(ctx, s.kit, quire, append([]string{"bench"}, args...)...)
		if err != nil {
			return p, fmt.Errorf("quire bench: %w", err)
		}
		var r struct {
			Adapter, Variant string
			Results          []bench.Result
		}
		if err := json.Unmarshal(out, &r); err != nil {
			return p, err
		}
		if p.Adapter, p.Version = r.Adapter, r.Variant; software(r.Adapter) && !s.software {
			return p, fmt.Errorf("%s is a software adapter", r.Adapter)
		}
		for _, m := range r.Results {
			test := fmt.Sprintf("tg%d x %d", m.Gen, m.Batch)
			if m.Kind == bench.Prefill {
				test = fmt.Sprintf("pp%d", m.Prompt)
			}
			p.Rates[test], p.Samples[test] = m.TokensPerSecond, m.Samples
		}
	}
	return p, nil
}

func software(adapter string) bool {
	lower := strings.ToLower(adapter)
	return strings.Contains(lower, "llvmpipe") || strings.Contains(lower, "swiftshader")
}

// llama measures llama.cpp.
func (s *settings) llama(ctx context.Context) (p peer, err error) {
	node := "node"
	if carried, err := filepath.Abs(filepath.Join(s.kit, "node", "node")); err == nil {
		if _, err := os.Stat(carried); err == nil {
			node = carried
		}
	}
	out, err := output(ctx, filepath.Join(s.kit, "node"), node, "llama.mjs", filepath.Join("..", "site", "model.gguf"), s.parameters())
	if err != nil {
		return p, fmt.Errorf("node-llama-cpp: %w", err)
	}
	return p, json.Unmarshal(out, &p)
}
