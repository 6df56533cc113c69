package talk

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"quire/engine"
	"quire/engine/json"
	"quire/engine/sample"
	"quire/engine/words"
)

// Params say how answers are drawn.
type Params struct {
	Sample    sample.Params
	Seed      *uint64 // nil: another for each answer
	MaxTokens int     // of an answer; 0: until the model ends or the context is full
	Stop      []string
	LoRA      []engine.LoRA
	Template  *json.Object // further variables of the chat template; nil: none
}

func (p Params) clone() Params {
	p.Stop = slices.Clone(p.Stop)
	return p
}

// request is what is asked of the engine, after a prompt. The n-th answer to a message, from 0, has a seed of its own.
func (p Params) request(prompt []int32, n int) engine.Request {
	r := engine.Request{Prompt: prompt, MaxTokens: p.MaxTokens, Stop: p.Stop, LoRA: p.LoRA, Sample: p.Sample}
	r.Sample.Seed = rand.Uint64()
	if p.Seed != nil {
		r.Sample.Seed = *p.Seed + uint64(n)
	}
	return r
}

// Setting is one of the parameters, as /params names it.
type Setting struct {
	Name, Value, Help string
}

// setting reads and writes one of the parameters.
type setting struct {
	name, help string
	get        func(*Params) string
	set        func(*Params, string) error
}

var settings = []setting{
	number("temperature", "divides logits; 0 takes the best token", func(p *Params) *float64 { return &p.Sample.Temperature }),
	whole("top_k", "draw among so many of the best tokens; 0: all", func(p *Params) *int { return &p.Sample.TopK }),
	number("top_p", "draw among the best tokens that have this probability together", func(p *Params) *float64 { return &p.Sample.TopP }),
	number("min_p", "draw among tokens at least so probable, relative to the best", func(p *Params) *float64 { return &p.Sample.MinP }),
	{"repetition_penalty", "divides logits of tokens that are there; 1: none", getRepetition, setRepetition},
	number("frequency_penalty", "off a token's logit as often as it is there", func(p *Params) *float64 { return &p.Sample.FrequencyPenalty }),
	number("presence_penalty", "off the logit of a token that is there", func(p *Params) *float64 { return &p.Sample.PresencePenalty }),
	{"logit_bias", `added to logits by token id, such as {"42": 5}; none: nothing is`, getBias, setBias},
	dryNumber("dry_multiplier", "off logits of what would repeat a sequence (DRY), times a power of its length; 0: none", func(d *sample.DRY) *float64 { return &d.Multiplier }),
	dryNumber("dry_base", "the power's base", func(d *sample.DRY) *float64 { return &d.Base }),
	dryWhole("dry_allowed_length", "sequences up to this may be repeated", func(d *sample.DRY) *int { return &d.AllowedLength }),
	dryWhole("dry_range", "look at so many last tokens; 0: all", func(d *sample.DRY) *int { return &d.Range }),
	{"dry_sequence_breakers", `sequences end at these texts, a list such as ["\n", ":"]; none: nowhere`, getBreakers, setBreakers},
	{"seed", "the same gives the same answer; random: another for each", getSeed, setSeed},
	whole("max_tokens", "of an answer; 0: no limit", func(p *Params) *int { return &p.MaxTokens }),
	{"stop", "end an answer before this text; none: nothing does", getStop, setStop},
	{"chat_template_kwargs", `what the chat template takes, such as {"enable_thinking": false}; none: nothing more`, getTemplate, setTemplate},
}

func number(name, help string, field func(*Params) *float64) setting {
	return setting{name, help, func(p *Params) string { return strconv.FormatFloat(*field(p), 'g', -1, 64) },
		func(p *Params, text string) error {
			x, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return fmt.Errorf("%s must be a number, not %q", name, text)
			}
			*field(p) = x
			return nil
		}}
}

func whole(name, help string, field func(*Params) *int) setting {
	return setting{name, help, func(p *Params) string { return strconv.Itoa(*field(p)) },
		func(p *Params, text string) error {
			n, err := strconv.ParseInt(text, 10, 32)
			if err != nil {
				return fmt.Errorf("%s must be a whole number, not %q", name, text)
			}
			*field(p) = int(n)
			return nil
		}}
}

func getRepetition(p *Params) string {
	x := p.Sample.RepetitionPenalty
	if x == 0 {
		x = 1
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

func setRepetition(p *Params, text string) error {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("repetition_penalty must be a number, not %q", text)
	}
	return p.Sample.SetRepetition(x)
}

func getSeed(p *Params) string {
	if p.Seed == nil {
		return "random"
	}
	return strconv.FormatUint(*p.Seed, 10)
}

func setSeed(p *Params, text string) error {
	p.Seed = nil
	if text == "random" {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("seed must be a whole number from 0 to 2^64-1 or random, not %q", text)
	}
	p.Seed = &n
	return nil
}

func getStop(p *Params) string {
	if len(p.Stop) == 0 {
		return none
	}
	quoted := make([]string, len(p.Stop))
	for i, text := range p.Stop {
		quoted[i] = strconv.Quote(text)
	}
	return strings.Join(quoted, " ")
}

// setStop takes one text, which may be in quotes as in Go: "\n" is the end of a line.
func setStop(p *Params, text string) error {
	if text == none {
		p.Stop = nil
		return nil
	}
	if strings.HasPrefix(text, `"`) {
		unquoted, err := strconv.Unquote(text)
		if err != nil {
			return fmt.Errorf("stop must be a text, or one in quotes such as \"\\n\\n\", not %s", text)
		}
		text = unquoted
	}
	p.Stop = []string{text}
	return nil
}

const none = "none"

func getBias(p *Params) string {
	if len(p.Sample.LogitBias) == 0 {
		return none
	}
	parts := make([]string, 0, len(p.Sample.LogitBias))
	for _, id := range slices.Sorted(maps.Keys(p.Sample.LogitBias)) {
		parts = append(parts, fmt.Sprintf(`"%d": %s`, id, strconv.FormatFloat(p.Sample.LogitBias[id], 'g', -1, 64)))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func setBias(p *Params, text string) error {
	if text == none {
		p.Sample.LogitBias = nil
		return nil
	}
	var bias map[string]float64
	if err := json.Unmarshal([]byte(text), &bias); err != nil || bias == nil {
		return fmt.Errorf(`logit_bias must be token ids with numbers, such as {"42": -5}, or none, not %q`, text)
	}
	return p.Sample.SetBias(bias)
}

// Settings lists the parameters.
func (p *Params) Settings() (list []Setting) {
	for _, s := range settings {
		list = append(list, Setting{s.name, s.get(p), s.help})
	}
	return list
}

// SettingNames lists the parameters' names.
func SettingNames() (names []string) {
	for _, s := range settings {
		names = append(names, s.name)
	}
	return names
}

// set changes a parameter, unless the engine would refuse the value.
func (p *Params) set(name, value string) error {
	at := slices.IndexFunc(settings, func(s setting) bool { return s.name == name })
	if at < 0 {
		return fmt.Errorf("there is no parameter %s; there are %s", name, strings.Join(SettingNames(), ", "))
	}
	changed := p.clone()
	if err := settings[at].set(&changed, value); err != nil {
		return errors.New(words.Error(err))
	}
	r := changed.request(nil, 0)
	if strings.HasPrefix(name, "dry_") && !r.Sample.DRY.On() { // what is wrong is told before it is on
		r.Sample.DRY.Multiplier = 1
	}
	if err := r.Check(); err != nil {
		return errors.New(strings.TrimPrefix(words.Fields(words.Error(err), fieldNames), engine.ErrBadRequest.Error()+": "))
	}
	*p = changed
	return nil
}

// fieldNames are the engine's fields as /params calls them.
var fieldNames = map[string]string{"MaxTokens": "max_tokens", "Stop": "stop"}
