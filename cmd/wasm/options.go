//go:build js

package main

import (
	"fmt"
	"strconv"

	"quire/cmd/wasm/port"
	"quire/engine"
	"quire/engine/chat"
	"quire/engine/gpu"
	"quire/engine/json"
	"quire/engine/sample"
)

// openOptions are engine.Options and where the model comes from, as quire.js writes them.
type openOptions struct {
	engine.Options
	URL     string `json:"url"`
	Adapter string `json:"adapter"`
	Power   string `json:"power"`
	Tuning  string `json:"tuning"`     // what "tune" answered last
	Drafter string `json:"draftModel"` // its URL
}

func (o openOptions) options() engine.Options {
	o.GPU = gpu.Options{Adapter: o.Adapter, Power: gpu.PowerPreference(o.Power)}
	o.Tunings = port.Tunings(o.Tuning)
	return o.Options
}

// asked is what all requests have, with one of prompt, ids and messages.
type asked struct {
	Prompt   *string           `json:"prompt"`
	IDs      []int32           `json:"ids"`
	After    []int32           `json:"after"`    // a session's tokens, which the request goes on from
	Messages []json.RawMessage `json:"messages"` // read by chat.Message, which keeps the order of keys and the digits of integers
	Priority int               `json:"priority"`
	Tenant   string            `json:"tenant"`
	Salt     string            `json:"salt"`
	LoRA     []loraUse         `json:"lora"`
}

// request is engine.Request as quire.js writes it.
type request struct {
	asked
	Truncation  string           `json:"truncation"` // of a conversation that is longer than the context: "auto" leaves its oldest turns out
	MaxTokens   int              `json:"maxTokens"`
	MinTokens   int              `json:"minTokens"`
	Temperature float64          `json:"temperature"`
	TopK        int              `json:"topK"`
	TopP        float64          `json:"topP"`
	MinP        float64          `json:"minP"`
	Seed        string           `json:"seed"` // decimal: 64 bits are more than a JavaScript number holds
	Logprobs    int              `json:"logprobs"`
	DraftMax    int              `json:"draftMax"`
	Stop        engine.StopTexts `json:"stop"`
	IgnoreEnd   bool             `json:"ignoreEnd"`
	Special     bool             `json:"special"`
	Schema      json.RawMessage  `json:"schema"` // of these one at most
	Grammar     *string          `json:"grammar"`
	Regex       *string          `json:"regex"`
	Landed      [][]engine.Token `json:"landed"` // what its choices have had of an engine that is gone (web/quire/calls.js)
	N           int              `json:"n"`
	BestOf      int              `json:"bestOf"`
	Beams       *beams           `json:"beams"`

	LogitBias         map[string]float64 `json:"logitBias"`
	RepetitionPenalty *float64           `json:"repetitionPenalty"`
	FrequencyPenalty  float64            `json:"frequencyPenalty"`
	PresencePenalty   float64            `json:"presencePenalty"`
	DRY               *dry               `json:"dry"`

	dropped int // messages that the prompt leaves out
}

// dry is sample.DRY; what it leaves out is as sample.NewDRY says.
type dry struct {
	Multiplier    float64   `json:"multiplier"`
	Base          *float64  `json:"base"`
	AllowedLength *int      `json:"allowedLength"`
	Range         int       `json:"range"`
	Breakers      *[]string `json:"breakers"`
}

func (d *dry) dry() sample.DRY {
	out := sample.NewDRY(d.Multiplier)
	out.Range = d.Range
	if d.Base != nil {
		out.Base = *d.Base
	}
	if d.AllowedLength != nil {
		out.AllowedLength = *d.AllowedLength
	}
	if d.Breakers != nil {
		out.Breakers = *d.Breakers
	}
	return out
}

// beams are engine.Beams.
type beams struct {
	Width         int     `json:"width"`
	LengthPenalty float64 `json:"lengthPenalty"`
	EarlyStopping string  `json:"earlyStopping"`
}

var earlyStopping = map[string]engine.EarlyStopping{
	"": engine.StopHeuristic, "heuristic": engine.StopHeuristic, "width": engine.StopAtWidth, "never": engine.StopNever,
}

func (b *beams) beams() (*engine.Beams, error) {
	stopping, ok := earlyStopping[b.EarlyStopping]
	if !ok {
		return nil, fmt.Errorf("%w: beams.earlyStopping is %q, it must be heuristic, width or never", engine.ErrBadRequest, b.EarlyStopping)
	}
	return &engine.Beams{Width: b.Width, LengthPenalty: b.LengthPenalty, EarlyStopping: stopping}, nil
}

func (r *request) request(e *engine.Engine) (engine.Request, error) {
	q := engine.Request{
		MaxTokens: r.MaxTokens, MinTokens: r.MinTokens, Stop: r.Stop, IgnoreEnd: r.IgnoreEnd, Special: r.Special, Priority: r.Priority, Tenant: r.Tenant, Salt: r.Salt,
		N: r.N, BestOf: r.BestOf, Landed: r.Landed, DraftMax: r.DraftMax, LoRA: r.adapters(),
		Sample: sample.Params{Temperature: r.Temperature, TopK: r.TopK, TopP: r.TopP, MinP: r.MinP, Logprobs: r.Logprobs,
			FrequencyPenalty: r.FrequencyPenalty, PresencePenalty: r.PresencePenalty},
	}
	err := r.penalties(&q.Sample)
	if err != nil {
		return q, fmt.Errorf("%w: %w", engine.ErrBadRequest, err)
	}
	if r.Seed != "" {
		if q.Sample.Seed, err = strconv.ParseUint(r.Seed, 10, 64); err != nil {
			return q, fmt.Errorf("%w: seed %q is no whole number of 64 bits", engine.ErrBadRequest, r.Seed)
		}
	}
	if r.Beams != nil {
		if q.Beams, err = r.Beams.beams(); err != nil {
			return q, err
		}
	}
	if q.Grammar, err = r.grammar(); err != nil {
		return q, err
	}
	if q.Prompt, r.dropped, err = r.fit(e); err == nil && q.Prompt == nil {
		q.Prompt, err = r.tokens(e, e.TextPrompt)
	}
	return q, err
}

// grammar gives what the text must be; nil for anything.
func (r *request) grammar() (g *engine.Grammar, err error) {
	asked := ""
	add := func(name string, kind engine.GrammarKind, source string) {
		if asked != "" {
			err = fmt.Errorf("%w: %s and %s do not go together", engine.ErrBadRequest, asked, name)
		}
		asked, g = name, &engine.Grammar{Kind: kind, Source: source}
	}
	if r.Schema != nil && string(r.Schema) != "null" {
		add("schema", engine.JSONSchema, string(r.Schema))
	}
	if r.Grammar != nil {
		add("grammar", engine.GBNF, *r.Grammar)
	}
	if r.Regex != nil {
		add("regex", engine.Regex, *r.Regex)
	}
	return g, err
}

// fit gives the prompt of a conversation that may be longer than the context, and how many messages it leaves out; no prompt where that
// is not asked for.
func (r *request) fit(e *engine.Engine) (prompt []int32, dropped int, err error) {
	switch {
	case r.Truncation == "" || r.Truncation == "disabled":
		return nil, 0, nil
	case r.Truncation != "auto":
		return nil, 0, fmt.Errorf("%w: truncation is %q, it must be auto or disabled", engine.ErrBadRequest, r.Truncation)
	case r.Messages == nil || r.Prompt != nil || r.IDs != nil || len(r.After) > 0:
		return nil, 0, fmt.Errorf("%w: truncation is for messages, and for no session's", engine.ErrBadRequest)
	}
	messages, err := readMessages(r.Messages)
	if err != nil {
		return nil, 0, err
	}
	return e.FitChatPrompt(messages, chat.Options{}, r.MaxTokens)
}

// penalties sets those that may be left out.
func (r *request) penalties(p *sample.Params) error {
	if r.DRY != nil {
		p.DRY = r.DRY.dry()
	}
	if r.RepetitionPenalty != nil {
		if err := p.SetRepetition(*r.RepetitionPenalty); err != nil {
			return err
		}
	}
	if r.LogitBias != nil {
		return p.SetBias(r.LogitBias)
	}
	return nil
}

// tokens gives the prompt's; text reads one that begins nothing.
func (r *asked) tokens(e *engine.Engine, text func(string) ([]int32, error)) (prompt []int32, err error) {
	given := 0
	if r.Prompt != nil {
		given++
		if len(r.After) > 0 {
			prompt = e.NewSession(r.After...).TextPrompt(*r.Prompt)
		} else {
			prompt, err = text(*r.Prompt)
		}
	}
	if r.IDs != nil {
		given++
		prompt = append(r.After, r.IDs...)
	}
	if r.Messages != nil {
		given++
		prompt, err = r.chatPrompt(e)
	}
	if given != 1 {
		return nil, fmt.Errorf("%w: give one of prompt, messages and ids", engine.ErrBadRequest)
	}
	return prompt, err
}

// chatPrompt gives the prompt of messages: of a whole conversation, or of a session's next turn.
func (r *asked) chatPrompt(e *engine.Engine) ([]int32, error) {
	messages, err := readMessages(r.Messages)
	if err != nil {
		return nil, err
	}
	if len(r.After) == 0 {
		return e.ChatPrompt(messages, chat.Options{})
	}
	if len(messages) != 1 || messages[0].Role != "user" {
		return nil, fmt.Errorf("%w: a session that has begun takes one message, the user's next: it knows what was said before", engine.ErrBadRequest)
	}
	content, ok := messages[0].Content.(string)
	if !ok {
		return nil, fmt.Errorf("%w: a session that has begun takes a message whose content is a text", engine.ErrBadRequest)
	}
	return e.NewSession(r.After...).ChatPrompt(content)
}

func readMessages(list []json.RawMessage) ([]chat.Message, error) {
	messages, err := chat.ReadMessages(list)
	if err != nil {
		err = fmt.Errorf("%w: %w", engine.ErrBadRequest, err)
	}
	return messages, err
}
