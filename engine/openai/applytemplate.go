package openai

import "context"

// RenderedPrompt is what /apply-template answers.
type RenderedPrompt struct {
	Prompt   string   `json:"prompt"`
	Warnings []string `json:"warnings,omitempty"`

	prefix string
}

// ApplyTemplate gives the text that a conversation becomes.
func (a *API) ApplyTemplate(ctx context.Context, q *ChatRequest) (*RenderedPrompt, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	l, err := a.take(ctx, q.Model)
	if err != nil {
		return nil, err
	}
	defer l.release()
	text, err := l.chatText(q)
	if err != nil {
		return nil, err
	}
	return &RenderedPrompt{text, l.warnings(q), q.Prefix()}, nil
}

func (a *API) handleApplyTemplate(ctx context.Context, c Call) (*Answer, *Error) {
	q, err := ReadChatRequest(c.Body)
	if err != nil {
		return nil, asError(err, "")
	}
	return whole(a.ApplyTemplate(ctx, q))
}

func (p *RenderedPrompt) notes() (string, []string) { return p.prefix, p.Warnings }
