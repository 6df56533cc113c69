package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"quire/shaders"
)

// bareShaders writes the kernels and libraries without comments, and an overlay that puts them in the place of their files.
func bareShaders(folder string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for _, pattern := range []string{"*.wgsl", "lib/*.wgsl"} {
		names, err := filepath.Glob(filepath.Join("shaders", pattern))
		if err != nil {
			return err
		}
		for _, name := range names {
			bare := filepath.Join(folder, name)
			if err := write(bare, name); err != nil {
				return err
			}
			if name, err = filepath.Abs(name); err != nil {
				return err
			}
			overlay.Replace[name] = bare
		}
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "overlay.json"), text, 0o644)
}

func write(bare, name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(bare), 0o755); err != nil {
		return err
	}
	return os.WriteFile(bare, []byte(shaders.Bare(string(text))), 0o644)
}
