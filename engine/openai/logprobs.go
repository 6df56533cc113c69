package openai

import (
	"strings"

	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/tokenizer"
)

// maxLogprobs is how many of the likeliest tokens can be told of.
const maxLogprobs = sample.MaxTop

// logprobs are those of an answer, but for the token that ended it.
func (j *chatJob) logprobs(c *generation.Choice) *Logprobs {
	if !j.query.Logprobs {
		return nil
	}
	list := []TokenLogprob{}
	for i := range c.Tokens {
		if i < len(c.Tokens)-1 || !j.ends(c.Tokens[i].ID) {
			list = append(list, j.tokenLogprob(&c.Tokens[i]))
		}
	}
	return &Logprobs{Content: list}
}

// ends reports whether a token ends an answer.
func (j *chatJob) ends(id int32) bool {
	return !j.request.IgnoreEnd && j.engine.Tokenizer().IsEnd(id)
}

func (j *chatJob) tokenLogprob(t *sample.Token) TokenLogprob {
	all := TokenLogprob{Logprob: j.logprob(t.Candidate), Top: []Logprob{}}
	for i := range min(len(t.Top), j.query.TopLogprobs) {
		all.Top = append(all.Top, j.logprob(t.Top[i]))
	}
	return all
}

func (l *lease) logprob(c sample.Candidate) Logprob {
	text := tokenBytes(l.engine.Tokenizer(), c.ID)
	bytes := make([]int, len(text))
	for i := range len(text) {
		bytes[i] = int(text[i])
	}
	return Logprob{Token: strings.ToValidUTF8(text, "\uFFFD"), Logprob: c.Logprob, Bytes: bytes}
}

// tokenBytes are the bytes that a token stands for, or its name where it is special.
func tokenBytes(t *tokenizer.Tokenizer, id int32) string { return t.Token(id).Bytes }
