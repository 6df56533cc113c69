package toolcall

import (
	"cmp"
	"slices"
	"strings"
)

// thinking is how a family of models sets apart what it thinks.
type thinking struct {
	signs    []string // a template knows it if it holds one of them
	open     string
	close    string
	around   []string // marks that may stand around the answer, and say nothing
	anywhere bool     // open is never part of an answer; otherwise it counts only where nothing was answered yet
}

var thinkings = []thinking{
	{signs: []string{"<|channel>"}, open: "<|channel>thought", close: "<channel|>", around: []string{"<channel|>"}, anywhere: true},
	{signs: []string{"[THINK]"}, open: "[THINK]", close: "[/THINK]", anywhere: true},
	{signs: []string{"<seed:think>"}, open: "<seed:think>", close: "</seed:think>"},
	{signs: []string{"<think:opensource>", "<think{}>"}, open: "<think:opensource>", close: "</think:opensource>"},
	{signs: []string{"<mm:think>"}, open: "<mm:think>", close: "</mm:think>"},
	{
		signs: []string{"<|START_THINKING|>"}, open: "<|START_THINKING|>", close: "<|END_THINKING|>",
		around: []string{"<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"}, anywhere: true,
	},
	{signs: []string{"<|thought_start|>"}, open: "<|thought_start|>", close: "<|thought_end|>", anywhere: true},
	{signs: []string{"<|inner_prefix|>"}, open: "<|inner_prefix|>", close: "<|inner_suffix|>", anywhere: true},
	{
		signs: []string{"[BEGIN FINAL RESPONSE]"}, open: "Here are my reasoning steps:", close: "[BEGIN FINAL RESPONSE]",
		around: []string{"[END FINAL RESPONSE]"},
	},
	{signs: []string{"<response></response>"}, open: "<think>", close: "</think>", around: []string{"<response>", "</response>"}},
	{signs: []string{"Here is my thought process:"}, open: "Here is my thought process:", close: "Here is my response:"},
	{signs: []string{"<think>", "</think>"}, open: "<think>", close: "</think>"},
}

// thinkingOf is the way that models which write calls in a syntax think.
func thinkingOf(s *syntax) *thinking {
	for i := range thinkings {
		if t := &thinkings[i]; s.messages == nil && slices.Contains(t.signs, cmp.Or(s.thinking, "<think>")) {
			return t
		}
	}
	return nil
}

// think begins to read reasoning.
func (p *Parser) think() {
	p.between()
	p.reader = reasoning{}
}

// reasoning reads what the model thinks, up to its mark.
type reasoning struct{}

func (reasoning) read(p *Parser) bool {
	t, s := p.format.thinking, p.format.syntax
	if p.fresh { // some models open again what the prompt has opened
		text := strings.TrimLeft(p.text, space)
		if strings.HasPrefix(text, t.open) {
			p.next(len(p.text) - len(text) + len(t.open))
			return true
		}
		if !p.end && begins(text, []string{t.open}) {
			return false
		}
	}
	marks := []string{t.close}
	if s != nil && s.thinks && len(p.tools) > 0 {
		marks = append(marks, s.open...)
	}
	before, mark := p.cut(marks)
	p.say(thought, p.next(len(before)))
	switch mark {
	case "":
		return false
	case t.close:
		p.next(len(mark))
		p.between()
		p.voice, p.reader = answer, content{}
	default:
		p.try(len(mark), s.begin())
	}
	return true
}
