package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"

	"quire/cmd/native/talk"
	"quire/engine"
	"quire/engine/chat"
	"quire/engine/json"
	"quire/engine/sample"
)

// job is one prompt with its settings.
type job struct {
	Prompt    string
	IDs       []int32        // in place of Prompt, if not nil
	Messages  []chat.Message // likewise
	system    string         // message before them, or before Prompt
	Sample    sample.Params
	seeded    bool // otherwise the seed is random
	MaxTokens int
	MinTokens int
	Stop      []string
	IgnoreEnd bool
	lora      []loraUse
	grammar   *engine.Grammar
	template  *json.Object // variables of the chat template
	choosing
}

// line is a job as a line of JSON gives it; what it leaves out comes from the flags.
type line struct {
	Prompt      *string            `json:"prompt"`
	IDs         *[]int32           `json:"ids"`
	Messages    *[]json.RawMessage `json:"messages"`
	MaxTokens   *int               `json:"max_tokens"`
	MinTokens   *int               `json:"min_tokens"`
	Temperature *float64           `json:"temperature"`
	TopK        *int               `json:"top_k"`
	TopP        *float64           `json:"top_p"`
	MinP        *float64           `json:"min_p"`
	Seed        *uint64            `json:"seed"`
	Stop        engine.StopTexts   `json:"stop"`
	IgnoreEOS   *bool              `json:"ignore_eos"`
	Logprobs    *int               `json:"logprobs"`
	LoRA        loraTexts          `json:"lora"`
	Template    *json.RawMessage   `json:"chat_template_kwargs"`
	penaltyKeys
	grammarKeys

	N             *int     `json:"n"`
	BestOf        *int     `json:"best_of"`
	Beams         *int     `json:"beams"`
	LengthPenalty *float64 `json:"length_penalty"`
	EarlyStopping *any     `json:"early_stopping"` // true, false or "never"
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
	if data, err = withoutMark(data); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
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

// withoutMark takes off the byte-order mark that some editors put in front of UTF-8.
func withoutMark(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF}) {
		return nil, errors.New("the text is UTF-16: save it as UTF-8")
	}
	return bytes.TrimPrefix(data, []byte("\uFEFF")), nil
}

func parseLine(text []byte, j job) (job, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return j, err
	}
	if err := j.ask(&l); err != nil {
		return j, err
	}
	set(&j.MaxTokens, l.MaxTokens)
	set(&j.MinTokens, l.MinTokens)
	set(&j.Sample.Temperature, l.Temperature)
	set(&j.Sample.TopK, l.TopK)
	set(&j.Sample.TopP, l.TopP)
	set(&j.Sample.MinP, l.MinP)
	if err := l.penaltyKeys.apply(&j.Sample); err != nil {
		return j, err
	}
	if err := l.grammarKeys.apply(&j.grammar); err != nil {
		return j, err
	}
	set(&j.IgnoreEnd, l.IgnoreEOS)
	set(&j.Sample.Logprobs, l.Logprobs)
	set(&j.N, l.N)
	set(&j.BestOf, l.BestOf)
	set(&j.Beams.Width, l.Beams)
	set(&j.Beams.LengthPenalty, l.LengthPenalty)
	if l.EarlyStopping != nil {
		if err := j.stopEarly(fmt.Sprint(*l.EarlyStopping)); err != nil {
			return j, fmt.Errorf("early_stopping %w", err)
		}
	}
	if l.Temperature != nil && *l.Temperature > 0 && j.Beams.Width > 0 {
		return j, errBeamsDraw
	}
	if l.Seed != nil {
		j.Sample.Seed, j.seeded = *l.Seed, true
	}
	if l.Stop != nil {
		j.Stop = l.Stop
	}
	if l.LoRA != nil {
		var err error
		if j.lora, err = readLoRAs(l.LoRA); err != nil {
			return j, err
		}
	}
	if l.Template != nil {
		var err error
		if j.template, err = talk.ReadTemplate(string(*l.Template)); err != nil {
			return j, err
		}
	}
	return j, j.check()
}

// ask takes what a line asks: one of prompt, ids and messages.
func (j *job) ask(l *line) (err error) {
	given := 0
	if l.Prompt != nil {
		given++
		j.Prompt = *l.Prompt
	}
	if l.IDs != nil {
		given++
		if j.IDs = *l.IDs; len(j.IDs) == 0 {
			return errors.New(`"ids" is empty`)
		}
	}
	if l.Messages != nil {
		given++
		if j.Messages, err = chat.ReadMessages(*l.Messages); err == nil && len(j.Messages) == 0 {
			err = errors.New(`"messages" is empty`)
		}
	}
	switch {
	case err != nil:
		return err
	case given == 0:
		return errors.New(`no "prompt", no "ids" and no "messages"`)
	case given > 1:
		return errors.New(`of "prompt", "ids" and "messages" only one goes into a line`)
	}
	return nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// check holds the settings to their ranges.
func (j *job) check() error {
	r := j.request(nil)
	if err := r.Check(); err != nil {
		return errors.New(strings.TrimPrefix(say(err), engine.ErrBadRequest.Error()+": "))
	}
	return j.choosing.check()
}

// request asks for what the job wants.
func (j *job) request(prompt []int32) engine.Request {
	r := engine.Request{
		Prompt: prompt, MaxTokens: j.MaxTokens, MinTokens: j.MinTokens, Sample: j.params(), Stop: j.Stop, IgnoreEnd: j.IgnoreEnd, Grammar: j.grammar,
	}
	j.apply(&r)
	return r
}

// params returns the sampling parameters, with a random seed where none is set.
func (j *job) params() sample.Params {
	p := j.Sample
	if j.Beams.Width > 0 {
		p.Temperature = 0
	}
	if !j.seeded {
		p.Seed = rand.Uint64()
	}
	return p
}
