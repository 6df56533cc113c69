package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"quire/cmd/native/pull"
	"quire/engine"
	"quire/engine/gpu"
)

// loraUse is an adapter that a prompt takes.
type loraUse struct {
	file  string
	scale float64
}

// loraTexts are adapters as JSON gives them: one text, or a list of texts.
type loraTexts []string

// FromJSON reads them.
func (l *loraTexts) FromJSON(data []byte) error {
	if (*engine.StopTexts)(l).FromJSON(data) != nil {
		return errors.New("lora must be a text or a list of texts, such as \"adapter.gguf:0.5\"")
	}
	return nil
}

// readLoRAs reads adapters as NAME[:SCALE].
func readLoRAs(texts []string) (all []loraUse, err error) {
	for _, text := range texts {
		use := loraUse{file: text, scale: 1}
		if _, err := os.Stat(text); err != nil { // a name may hold a colon
			if at := strings.LastIndexByte(text, ':'); at > 0 {
				if scale, err := strconv.ParseFloat(text[at+1:], 64); err == nil {
					if math.IsNaN(scale) || math.IsInf(scale, 0) {
						return nil, fmt.Errorf("%s: the scale must be a finite number", text)
					}
					use = loraUse{file: text[:at], scale: scale}
				}
			}
		}
		if info, err := os.Stat(use.file); err == nil && info.IsDir() {
			return nil, fmt.Errorf("%s is a folder, not an adapter's file", use.file)
		} else if err != nil && !pull.IsName(use.file) {
			return nil, err
		}
		all = append(all, use)
	}
	return all, nil
}

// loraFiles are the adapters that prompts take.
type loraFiles struct {
	names   []string
	files   []gpu.Source
	numbers map[string]uint64 // once they are loaded
}

// openAdapted opens a model with the adapters that prompts take.
func openAdapted(ctx context.Context, h *host, jobs []job, flags engineFlags, open func(engineFlags) (*engine.Engine, error)) (*engine.Engine, *loraFiles, error) {
	adapters, rank, err := openLoRAs(ctx, h, jobs)
	defer adapters.close()
	if err != nil {
		return nil, nil, err
	}
	flags.loraRank = rank
	eng, err := open(flags)
	if err != nil {
		return nil, nil, err
	}
	if err := adapters.load(eng); err != nil {
		eng.Close()
		return nil, nil, err
	}
	return eng, adapters, nil
}

// openLoRAs opens the adapters of all prompts, and says what rank they have together.
func openLoRAs(ctx context.Context, h *host, jobs []job) (l *loraFiles, rank int, err error) {
	l = &loraFiles{numbers: map[string]uint64{}}
	for _, j := range jobs {
		for _, use := range j.lora {
			if slices.Contains(l.names, use.file) {
				continue
			}
			f, err := openModel(ctx, use.file, h.err)
			if err != nil {
				return l, 0, err
			}
			src := gpu.ReaderSource(f, f.size)
			l.names, l.files = append(l.names, use.file), append(l.files, src)
			n, err := engine.LoRARank(src)
			if err != nil {
				return l, 0, fmt.Errorf("%s: %w", use.file, err)
			}
			rank += n
		}
	}
	return l, rank, nil
}

// load gives the adapters to the engine.
func (l *loraFiles) load(e *engine.Engine) error {
	for len(l.files) > 0 {
		name, src := l.names[0], l.files[0]
		l.names, l.files = l.names[1:], l.files[1:]
		number, err := e.AddLoRA(src)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		l.numbers[name] = number
	}
	return nil
}

// close closes the files that the engine was not given.
func (l *loraFiles) close() {
	for _, f := range l.files {
		f.Close()
	}
}

// named gives adapters as requests name them.
func (l *loraFiles) named(uses []loraUse) (all []engine.LoRA) {
	for _, use := range uses {
		all = append(all, engine.LoRA{Adapter: l.numbers[use.file], Scale: use.scale})
	}
	return all
}
