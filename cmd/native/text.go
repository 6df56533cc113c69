package main

import (
	"fmt"
	"io"
	"strings"

	"quire/engine"
)

// writeText writes an output as text, as it comes. Where there are several, a line in the style of head(1) goes before each.
func (b *batch) writeText(p *pending) error {
	if p.err != nil {
		b.fail(b.host, p.err, b.json)
		return nil
	}
	if err := b.head(p, 1); err != nil {
		return err
	}
	written := 0
	for chunk, more := p.stream.Next(); more; chunk, more = p.stream.Next() {
		if chunk.Text == "" || chunk.Index > 0 {
			continue
		}
		written += len(chunk.Text)
		if _, err := io.WriteString(b.host.out, chunk.Text); err != nil {
			p.stream.Cancel()
			return err
		}
	}
	r := p.stream.Result()
	b.keep(p, r)
	// What a cancelled answer had held back, as a possible beginning of a stop text.
	if err := b.end(r.Text, min(written, len(r.Text))); err != nil {
		return err
	}
	if r.Reason == engine.FinishError {
		b.fail(b.host, r.Err, b.json)
		return nil
	}
	for i, c := range r.Choices {
		if i > 0 {
			if err := b.head(p, i+1); err != nil {
				return err
			}
			if err := b.end(c.Text, 0); err != nil {
				return err
			}
		}
		if c.Reason == engine.FinishLength {
			fmt.Fprintln(b.host.err, b.limit(p, i+1, c.Limit))
		}
	}
	_, err := fmt.Fprintln(b.host.err, b.figures(r.Figures))
	return err
}

// name tells an output from the others of the run; empty where there is only one.
func (b *batch) name(p *pending, answer int) string {
	var parts []string
	if b.several {
		parts = append(parts, fmt.Sprintf("prompt %d", b.written))
	}
	if p.answers > 1 {
		parts = append(parts, fmt.Sprintf("answer %d", answer))
	}
	return strings.Join(parts, ", ")
}

// head writes the line before an output.
func (b *batch) head(p *pending, answer int) error {
	name := b.name(p, answer)
	if name == "" {
		return nil
	}
	space := ""
	if b.headed {
		space = "\n"
	}
	b.headed = true
	_, err := fmt.Fprintf(b.host.out, "%s==> %s <==\n", space, name)
	return err
}

// end writes the rest of a text, from a byte on, and has it end with a line.
func (b *batch) end(text string, from int) error {
	rest := text[from:]
	if !strings.HasSuffix(text, "\n") {
		rest += "\n"
	}
	_, err := io.WriteString(b.host.out, rest)
	return err
}

// limit says that a text did not end by itself.
func (b *batch) limit(p *pending, answer int, l engine.Limit) string {
	text := fmt.Sprintf("the text stopped at the limit of %s (--max-tokens)", plural(p.maxTokens, "token"))
	if l == engine.LimitContext {
		text = fmt.Sprintf("the text stopped where the context of %s is full (--ctx)", plural(b.engine.Info().Context, "token"))
	}
	if name := b.name(p, answer); name != "" {
		return name + ": " + text
	}
	return text
}

// figures is one prompt's line of figures.
func (b *batch) figures(f engine.Figures) string {
	info := b.engine.Info()
	drafts := ""
	if f.DraftedTokens > 0 {
		drafts = fmt.Sprintf(" (%d of %d drafted)", f.AcceptedTokens, f.DraftedTokens)
	}
	return fmt.Sprintf("%s | loaded in %.2f s | prompt %s, %.1f tokens/s | first token after %.3f s | %s%s, %.1f tokens/s | %d of %s, %s",
		info.Adapter.Name, info.LoadTime.Seconds(), plural(f.PromptTokens, "token"), f.PromptPerSecond, f.TimeToFirst.Seconds(),
		plural(f.GeneratedTokens, "token"), drafts, f.DecodePerSecond, f.Blocks, plural(info.Blocks, "block"), formatSize(info.KVBytes))
}
