package openaitest

import (
	"fmt"
	"math/rand/v2"

	"quire/engine/generation"
	"quire/engine/grammar"
	"quire/engine/tokenizer"
)

// matcher gives a request's grammar, compiled for the bytes and Marks.
func (e *Engine) matcher(r *generation.Request) (*grammar.Matcher, error) {
	if r.Grammar == nil {
		return nil, nil
	}
	kind, source := grammar.JSONSchema, r.Grammar.Source
	switch r.Grammar.Kind {
	case generation.Regex:
		kind = grammar.Regex
	case generation.GBNF:
		kind = grammar.GBNF
	case generation.JSONObject:
		source = `{"type":"object"}`
	}
	g, err := grammar.Compile(kind, source, grammar.Limits{})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", generation.ErrBadRequest, err)
	}
	tokens := make([][]byte, e.tokenizer.Size())
	var hidden []int32
	for id := range tokens {
		if e.tokenizer.Hidden(int32(id)) != "" && !r.Special {
			hidden = append(hidden, int32(id))
		}
		tokens[id] = []byte(e.tokenizer.Token(int32(id)).Bytes)
	}
	return g.Matcher(grammar.NewVocabulary(tokens, e.tokenizer.Ends(), hidden)), nil
}

// closes are texts that bring an end near.
var closes = []string{"</think>", "[/THINK]", "\n</parameter>", `"`, "}", "]", ")"}

// draw draws tokens at random among those that may come, until the text ends. Behind some it takes what closes.
func (e *Engine) draw(m *grammar.Matcher, choice int) (script []int32) {
	rnd := rand.New(rand.NewPCG(uint64(choice), 1))
	m = m.Clone()
	mask := make([]uint32, (e.tokenizer.Size()+31)/32)
	for !m.Finished() {
		if m.Mask(mask) != nil {
			break
		}
		if len(script) > 20 {
			if closing := e.closing(m, mask, rnd); closing != nil {
				script = append(script, closing...)
				continue
			}
		}
		var allowed []int32
		for id := range int32(e.tokenizer.Size()) {
			if mask[id>>5]>>(id&31)&1 == 0 {
				continue
			}
			allowed = append(allowed, id)
			if e.tokenizer.IsEnd(id) {
				return append(script, id)
			}
		}
		id := allowed[rnd.IntN(len(allowed))]
		m.Accept(id)
		script = append(script, id)
	}
	end, _ := e.tokenizer.EOS()
	return append(script, end)
}

// spells tells whether a text follows a grammar.
func (e *Engine) spells(m *grammar.Matcher, script []int32) bool {
	m = m.Clone()
	for _, id := range script {
		if !m.Accept(id) {
			return false
		}
	}
	return true
}

// closing takes a text that closes something, where the text may not end.
func (e *Engine) closing(m *grammar.Matcher, mask []uint32, rnd *rand.Rand) []int32 {
	end, _ := e.tokenizer.EOS()
	if mask[end>>5]>>(end&31)&1 != 0 {
		return nil
	}
	for _, i := range rnd.Perm(len(closes)) {
		text := closes[i]
		if m.AcceptBytes([]byte(text)) {
			return e.tokenizer.Encode(text, tokenizer.EncodeOptions{Special: true})
		}
	}
	return nil
}
