package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// job is one prompt with its settings.
type job struct {
	Prompt    string
	Settings  settings
	MaxTokens int
	Stop      []string
	IgnoreEnd bool
	Logprobs  int
}

// line is a job as a line of JSON gives it; what it leaves out comes from the flags.
type line struct {
	Prompt      *string  `json:"prompt"`
	MaxTokens   *int     `json:"max_tokens"`
	Temperature *float64 `json:"temperature"`
	TopK        *int     `json:"top_k"`
	TopP        *float64 `json:"top_p"`
	MinP        *float64 `json:"min_p"`
	Seed        *uint64  `json:"seed"`
	Stop        []string `json:"stop"`
	IgnoreEOS   *bool    `json:"ignore_eos"`
	Logprobs    *int     `json:"logprobs"`
}

// readPrompts reads a file of prompts, "-" for stdin: one a line, or JSON Lines when the first one is an object.
func readPrompts(h *host, name string, base job) ([]job, error) {
	var data []byte
	var err error
	if name == "-" {
		name = "stdin"
		data, err = io.ReadAll(h.in)
	} else {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, err
	}
	asJSON := bytes.HasPrefix(bytes.TrimSpace(data), []byte("{"))
	var jobs []job
	number := 0
	for text := range bytes.Lines(data) {
		number++
		text = bytes.TrimRight(text, "\r\n")
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		j := base
		if !asJSON {
			j.Prompt = string(text)
		} else if j, err = parseLine(text, base); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, number, err)
		}
		jobs = append(jobs, j)
	}
	if len(jobs) == 0 {
		return nil, fmt.Errorf("%s holds no prompts", name)
	}
	return jobs, nil
}

func parseLine(text []byte, j job) (job, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return j, err
	}
	if _, err := d.Token(); err != io.EOF {
		return j, errors.New("more than one JSON value")
	}
	if l.Prompt == nil {
		return j, errors.New(`no "prompt"`)
	}
	j.Prompt = *l.Prompt
	set(&j.MaxTokens, l.MaxTokens)
	set(&j.Settings.Temperature, l.Temperature)
	set(&j.Settings.TopK, l.TopK)
	set(&j.Settings.TopP, l.TopP)
	set(&j.Settings.MinP, l.MinP)
	set(&j.IgnoreEnd, l.IgnoreEOS)
	set(&j.Logprobs, l.Logprobs)
	if l.Seed != nil {
		j.Settings.Seed = l.Seed
	}
	if l.Stop != nil {
		j.Stop = l.Stop
	}
	return j, j.check()
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// check holds the fields to the ranges that the flags have.
func (j *job) check() error {
	s := j.Settings
	switch {
	case j.MaxTokens < 0:
		return errors.New("max_tokens must be at least 0")
	case j.Logprobs < 0 || j.Logprobs > maxLogprobs:
		return fmt.Errorf("logprobs must be within 0 to %d", maxLogprobs)
	case !(s.Temperature >= 0 && s.Temperature <= maxTemperature):
		return fmt.Errorf("temperature must be within 0 to %v", maxTemperature)
	case s.TopK < 0:
		return errors.New("top_k must be at least 0")
	case !(s.TopP >= 0 && s.TopP <= 1):
		return errors.New("top_p must be within 0 to 1")
	case !(s.MinP >= 0 && s.MinP <= 1):
		return errors.New("min_p must be within 0 to 1")
	}
	for _, text := range j.Stop {
		if text == "" {
			return errors.New("stop must not hold an empty text")
		}
	}
	return nil
}
