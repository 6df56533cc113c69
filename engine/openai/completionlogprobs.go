package openai

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"quire/engine/sample"
	"quire/engine/tokenizer"
)

// CompletionLogprobs are the log-probabilities of a completion's tokens, lists of one length.
type CompletionLogprobs struct {
	TextOffset    []int                `json:"text_offset"` // where in the text a token begins, in characters
	TokenLogprobs []*float32           `json:"token_logprobs"`
	Tokens        []string             `json:"tokens"`
	TopLogprobs   []map[string]float32 `json:"top_logprobs"` // null of a text's first token, which nothing foretells
}

// logprobWriter writes tokens one after another.
type logprobWriter struct {
	tokenizer *tokenizer.Tokenizer
	decoder   *tokenizer.Decoder
	top       int
	at        int
	out       CompletionLogprobs
}

// scores makes what writes a choice's log-probabilities; nil where none are asked for. A prompt's come first, with echo.
func (j *completionJob) scores(request int) *logprobWriter {
	q := j.query
	if q.Logprobs == nil {
		return nil
	}
	t := j.engine.Tokenizer()
	w := &logprobWriter{tokenizer: t, top: *q.Logprobs}
	w.take()
	if q.Echo {
		w.decoder = t.NewDecoder(tokenizer.DecodeOptions{Special: true})
		s := j.scored[request]
		s.write(w)
		if name := t.Hidden(s.ids[0]); name != "" && !strings.HasPrefix(j.promptText(request), name) { // BOS, which the text does not show
			for i := range w.out.TextOffset[1:] {
				w.out.TextOffset[i+1] -= len(name)
			}
			w.at -= len(name)
		}
	}
	w.decoder = t.NewDecoder(tokenizer.DecodeOptions{Special: q.Special, After: j.requests[request].Prompt})
	return w
}

// take gives what was written since it was taken last.
func (w *logprobWriter) take() (out CompletionLogprobs) {
	out = w.out
	w.out = CompletionLogprobs{[]int{}, []*float32{}, []string{}, []map[string]float32{}}
	return out
}

// token writes a token with its log-probability.
func (w *logprobWriter) token(t *sample.Token) {
	logprob := t.Logprob
	top := map[string]float32{}
	for _, c := range t.Top[:min(w.top, len(t.Top))] {
		top[w.name(c.ID)] = c.Logprob
	}
	if w.top > 0 {
		top[w.name(t.ID)] = logprob
	}
	w.add(t.ID, &logprob, top)
}

func (w *logprobWriter) add(id int32, logprob *float32, top map[string]float32) {
	o := &w.out
	o.TextOffset = append(o.TextOffset, w.at)
	o.TokenLogprobs = append(o.TokenLogprobs, logprob)
	o.Tokens = append(o.Tokens, w.name(id))
	o.TopLogprobs = append(o.TopLogprobs, top)
	w.at += utf8.RuneCountInString(w.decoder.Next(id))
}

// name is a token's text, or its bytes where they are none, as the reference API writes them.
func (w *logprobWriter) name(id int32) string {
	text := tokenBytes(w.tokenizer, id)
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	b.WriteString("bytes:")
	for i := range len(text) {
		b.WriteString(`\x`)
		if text[i] < 16 {
			b.WriteByte('0')
		}
		b.WriteString(strconv.FormatInt(int64(text[i]), 16))
	}
	return b.String()
}

// promptScores are the log-probabilities of a prompt's tokens, which logits give.
type promptScores struct {
	ids    []int32
	top    int
	tokens []sample.Token // the first is of the second id
}

func newPromptScores(ids []int32, top int) *promptScores {
	return &promptScores{ids: ids, top: top, tokens: make([]sample.Token, len(ids)-1)}
}

// take reads a position's logits, which foretell the next token.
func (s *promptScores) take(position int, logits []float32) {
	if position+1 >= len(s.ids) {
		return
	}
	most := float64(math.Inf(-1))
	for _, x := range logits {
		most = max(most, float64(x))
	}
	sum := 0.0
	for _, x := range logits {
		sum += math.Exp(float64(x) - most)
	}
	lse := most + math.Log(sum)
	score := func(id int32) sample.Candidate {
		return sample.Candidate{ID: id, Logit: logits[id], Logprob: float32(float64(logits[id]) - lse)}
	}
	t := sample.Token{Candidate: score(s.ids[position+1])}
	var best []int32 // in order; of equals the lower id is first
	for id, x := range logits {
		if len(best) == s.top && (s.top == 0 || x <= logits[best[len(best)-1]]) {
			continue
		}
		at := len(best)
		for at > 0 && x > logits[best[at-1]] {
			at--
		}
		best = append(best, 0)
		copy(best[at+1:], best[at:])
		best[at] = int32(id)
		best = best[:min(len(best), s.top)]
	}
	for _, id := range best {
		t.Top = append(t.Top, score(id))
	}
	s.tokens[position] = t
}

func (s *promptScores) write(w *logprobWriter) {
	w.add(s.ids[0], nil, nil)
	for i := range s.tokens {
		w.token(&s.tokens[i])
	}
}
