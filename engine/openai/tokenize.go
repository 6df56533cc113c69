package openai

import (
	"context"
	"unicode/utf8"

	"quire/engine/json"
	"quire/engine/tokenizer"
)

// TokenizeRequest asks for a text's tokens. The form is llama-server's.
type TokenizeRequest struct {
	Model      string // "": the only model, or the first
	Content    string
	AddSpecial bool // with the first and last tokens that the vocabulary asks for
	NoSpecial  bool // special tokens in the text are text like any other
	WithPieces bool

	reader reader
}

// Tokens is what /tokenize answers.
type Tokens struct {
	Tokens   []Token  `json:"tokens"`
	Warnings []string `json:"warnings,omitempty"`
}

// Token is one of a text's, with what it stands for where that is asked for.
type Token struct {
	ID    int32
	Piece *string
}

// MarshalJSON writes an id, or an object with the id and a text, or bytes where they are none.
func (t Token) MarshalJSON() ([]byte, error) {
	switch {
	case t.Piece == nil:
		return json.Marshal(t.ID)
	case utf8.ValidString(*t.Piece):
		return json.Marshal(struct {
			ID    int32  `json:"id"`
			Piece string `json:"piece"`
		}{t.ID, *t.Piece})
	}
	bytes := make([]int, len(*t.Piece))
	for i := range bytes {
		bytes[i] = int((*t.Piece)[i])
	}
	return json.Marshal(struct {
		ID    int32 `json:"id"`
		Piece []int `json:"piece"`
	}{t.ID, bytes})
}

// ReadTokenizeRequest reads the body of a call of /tokenize.
func ReadTokenizeRequest(body []byte) (*TokenizeRequest, error) {
	q := &TokenizeRequest{}
	r := &q.reader
	f := r.read(body)
	q.Model = f.textOr("model", "")
	f.need("content")
	q.Content = f.textOr("content", "")
	q.AddSpecial, q.WithPieces = f.is("add_special"), f.is("with_pieces")
	special := f.flag("parse_special")
	q.NoSpecial = special != nil && !*special
	f.done()
	if r.err != nil {
		return nil, r.err
	}
	return q, nil
}

// Tokenize gives a text's tokens.
func (a *API) Tokenize(ctx context.Context, q *TokenizeRequest) (*Tokens, error) {
	l, err := a.take(ctx, q.Model)
	if err != nil {
		return nil, err
	}
	defer l.release()
	t := l.engine.Tokenizer()
	encode := t.Encode
	if q.AddSpecial {
		encode = t.EncodeWhole
	}
	answer := &Tokens{Tokens: []Token{}, Warnings: q.reader.warnings}
	for _, id := range encode(q.Content, tokenizer.EncodeOptions{Special: !q.NoSpecial}) {
		told := Token{ID: id}
		if q.WithPieces {
			piece := tokenBytes(t, id)
			told.Piece = &piece
		}
		answer.Tokens = append(answer.Tokens, told)
	}
	return answer, nil
}

func (a *API) handleTokenize(ctx context.Context, c Call) (*Answer, *Error) {
	q, err := ReadTokenizeRequest(c.Body)
	if err != nil {
		return nil, asError(err, "")
	}
	return whole(a.Tokenize(ctx, q))
}

func (t *Tokens) notes() (string, []string) { return "", t.Warnings }

// DetokenizeRequest asks for the text of tokens. The form is llama-server's.
type DetokenizeRequest struct {
	Model  string // "": the only model, or the first
	Tokens []int32

	reader reader
}

// Text is what /detokenize answers.
type Text struct {
	Content  string   `json:"content"`
	Warnings []string `json:"warnings,omitempty"`
}

// ReadDetokenizeRequest reads the body of a call of /detokenize.
func ReadDetokenizeRequest(body []byte) (*DetokenizeRequest, error) {
	q := &DetokenizeRequest{}
	r := &q.reader
	f := r.read(body)
	q.Model = f.textOr("model", "")
	f.need("tokens")
	q.Tokens = r.ids(f.list("tokens"), "tokens")
	f.done()
	if r.err != nil {
		return nil, r.err
	}
	return q, nil
}

// Detokenize gives the text of tokens, special ones by their names. Bytes that are no text become U+FFFD.
func (a *API) Detokenize(ctx context.Context, q *DetokenizeRequest) (*Text, error) {
	l, err := a.take(ctx, q.Model)
	if err != nil {
		return nil, err
	}
	defer l.release()
	if len(q.Tokens) > 0 {
		if _, err := l.known(q.Tokens, "tokens"); err != nil {
			return nil, err
		}
	}
	text := l.engine.Tokenizer().Decode(q.Tokens, tokenizer.DecodeOptions{Special: true})
	return &Text{Content: string([]rune(string(text))), Warnings: q.reader.warnings}, nil
}

func (a *API) handleDetokenize(ctx context.Context, c Call) (*Answer, *Error) {
	q, err := ReadDetokenizeRequest(c.Body)
	if err != nil {
		return nil, asError(err, "")
	}
	return whole(a.Detokenize(ctx, q))
}

func (t *Text) notes() (string, []string) { return "", t.Warnings }
