package openaitest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"quire/engine/generation"
	"quire/engine/grammar"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
	"quire/engine/tokenizer"
)

// run has a request's sequences say their answers, a token each in turn.
func (e *Engine) run(ctx context.Context, g *generation.Generation, s *stream, m *grammar.Matcher) {
	prompt := g.Request.Prompt
	g.Begin(len(prompt) / 16 * 16)
	deadline := make(<-chan time.Time)
	if d := g.Request.Deadline; !d.IsZero() {
		deadline = time.After(time.Until(d))
	}
	if g.Over() {
		return
	}
	landed := func(q *generation.Sequence) int { // elsewhere
		if had := g.Request.Landed; q.Index() < len(had) {
			return len(had[q.Index()])
		}
		return 0
	}
	first := landed(slices.MinFunc(g.Live, func(a, b *generation.Sequence) int { return landed(a) - landed(b) }))
	scripts := map[int][]int32{}
	for at := 0; ; at++ {
		var err error
		stopped := false
		select {
		case <-ctx.Done():
			stopped = true
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				err = generation.ErrDeadline
			}
		case <-s.cancel:
			stopped = true
		case <-deadline:
			stopped, err = true, generation.ErrDeadline
		default:
		}
		reason := generation.FinishCancelled
		if e.Err != nil && at >= e.FailAfter {
			stopped, reason, err = true, generation.FinishError, e.Err
		}
		if stopped {
			for _, q := range slices.Clone(g.Live) {
				g.End(q, reason, err)
			}
			return
		}
		if e.Pace > 0 {
			time.Sleep(e.Pace)
		}
		if g.Request.Embed != nil {
			e.embed(g)
			return
		}
		if at == 0 {
			e.logits(g)
		}
		if g.Search() { // it finds nothing
			g.End(g.Live[0], generation.FinishStop, nil)
			return
		}
		for _, q := range slices.Clone(g.Live) {
			if scripts[q.Index()] == nil {
				script := e.script(prompt, q.Index())
				if m != nil && !e.spells(m, script) {
					script = e.draw(m, q.Index())
				}
				scripts[q.Index()] = script
			}
			if first+at >= landed(q) && e.say(g, q, scripts[q.Index()], first+at) {
				return
			}
		}
	}
}

// script is an answer's tokens, with the one that ends it.
func (e *Engine) script(prompt []int32, choice int) []int32 {
	text := string(e.tokenizer.Decode(prompt, tokenizer.DecodeOptions{Special: true}))
	if e.Say != nil {
		text = e.Say(text, choice)
	} else {
		text = text[max(0, len(text)-20):]
	}
	end, _ := e.tokenizer.EOS()
	return append(e.tokenizer.Encode(text, tokenizer.EncodeOptions{Special: true}), end)
}

// say gives a sequence its next token; done says that the request has ended.
func (e *Engine) say(g *generation.Generation, q *generation.Sequence, script []int32, at int) (done bool) {
	if e.Endless {
		at %= len(script) - 1
	}
	id := script[at]
	reason := schedule.Going
	switch most := g.Request.MaxTokens; {
	case e.tokenizer.IsEnd(id) && !g.Request.IgnoreEnd:
		reason = schedule.Stopped
	case most > 0 && at+1 >= most, at+1 == len(script):
		reason = schedule.Length
	}
	token := sample.Token{Candidate: candidate(id, 0)}
	if n := q.Sample.Logprobs; n > 0 {
		for i := range n {
			token.Top = append(token.Top, candidate((id+int32(i))%256, i))
		}
	}
	if finish := q.Land(token, reason, time.Now()); finish != "" {
		return g.End(q, finish, nil)
	}
	return false
}

// candidate is the token in a place of the likeliest.
func candidate(id int32, place int) sample.Candidate {
	return sample.Candidate{ID: id, Logit: -float32(place), Logprob: -0.5 - float32(place)}
}

// logits gives a row that has each prompt token's successor likeliest by 10, where they are asked for.
func (e *Engine) logits(g *generation.Generation) {
	if g.Request.Logits == nil {
		return
	}
	for position, id := range g.Request.Prompt {
		row := make([]float32, e.tokenizer.Size())
		row[(int(id)+1)%len(row)] = 10
		g.Logits(position, row)
	}
}

// embed gives a vector, and a score, that tell of the prompt's length and of how often "kite" is in it.
func (e *Engine) embed(g *generation.Generation) {
	prompt := g.Request.Prompt
	text := string(e.tokenizer.Decode(prompt, tokenizer.DecodeOptions{}))
	kites := float32(strings.Count(text, "kite"))
	g.Computed(time.Now())
	g.Pooled(step.Pooled{Count: len(prompt), Values: []float32{3, 4, 0, 0}, Scores: []float32{kites - 1}})
	g.End(g.Live[0], generation.FinishStop, nil)
}

// byteTokenizer has a token for each byte, and Marks.
func byteTokenizer() *tokenizer.Tokenizer {
	v := &tokenizer.Vocabulary{Model: "gpt2", Pre: "gpt-2", IDs: map[string]int32{}, Merges: []string{"q u"}}
	spare := rune(256)
	for b := range 256 {
		r := rune(b) // as byte-level vocabularies spell it
		if !(b > ' ' && b < 127 || b > 160 && b != 173) {
			r = spare
			spare++
		}
		v.Tokens, v.Types = append(v.Tokens, string(r)), append(v.Types, tokenizer.Normal)
	}
	v.Tokens, v.Types = append(v.Tokens, "qu"), append(v.Types, tokenizer.Normal)
	for _, mark := range Marks {
		kind := tokenizer.UserDefined
		if strings.ContainsAny(mark[:1], "[") || strings.HasPrefix(mark, "<|") {
			kind = tokenizer.Control
		}
		if mark == "<|im_end|>" {
			v.IDs["tokenizer.ggml.eos_token_id"] = int32(len(v.Tokens))
		}
		v.Tokens, v.Types = append(v.Tokens, mark), append(v.Types, kind)
	}
	t, err := tokenizer.FromVocabulary(v)
	if err != nil {
		panic(err)
	}
	return t
}
