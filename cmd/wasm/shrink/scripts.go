package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/evanw/esbuild/pkg/api"
)

// licensed is not ours, and says so in a comment.
const licensed = "wasm_exec.js"

// scripts writes the JavaScript in a folder again, without what only people read. Names stay, so that a stack still says where it is.
func scripts(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{"examples", "libraries"}, entry.Name()) {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".js" || entry.Name() == licensed {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		small, err := script(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return os.WriteFile(path, small, 0o644)
	})
}

func script(text string) ([]byte, error) {
	made := api.Transform(text, api.TransformOptions{MinifyWhitespace: true, MinifySyntax: true, LegalComments: api.LegalCommentsInline, Target: api.ESNext})
	if len(made.Errors) > 0 {
		return nil, fmt.Errorf("line %d: %s", made.Errors[0].Location.Line, made.Errors[0].Text)
	}
	return made.Code, nil
}
