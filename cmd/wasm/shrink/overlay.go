package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// overlay writes into a folder what the program is built with in place of other files, and overlay.json, which says so. It runs in the
// repository's root.
func overlay(folder string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	shaders, err := filepath.Abs("shaders/embed.go")
	if err != nil {
		return err
	}
	texts, err := bareTexts("shaders")
	if err != nil {
		return err
	}
	named, err := entities(entitiesFile())
	if err != nil {
		return err
	}
	times, err := timesGo(timesFile())
	if err != nil {
		return err
	}
	simple, err := slicesGo(slicesFile())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	replace := map[string]string{}
	for _, file := range []struct{ from, to, text string }{
		{shaders, "shaders.go", goFile(texts)}, {entitiesFile(), "entity.go", entitiesGo(named)}, {settingsFile(), "godebug.go", settingsGo},
		{timesFile(), "times.go", times}, {onceFile(), "oncefunc.go", onceGo}, {sortedFile(), "zsortordered.go", sortedGo},
		{sortedFuncFile(), "zsortanyfunc.go", sortedFuncGo}, {slicesFile(), "slices.go", simple},
	} {
		to := filepath.Join(folder, file.to)
		if err := os.WriteFile(to, []byte(file.text), 0o644); err != nil {
			return err
		}
		replace[file.from] = to
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "overlay.json"), text, 0o644)
}
