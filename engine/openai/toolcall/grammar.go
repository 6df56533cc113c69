package toolcall

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Wanted is what an answer must be: a text of a grammar, or calls.
type Wanted struct {
	// Answer is rules of GBNF, of which root is what the answer must be, behind what the model thinks. Where there are tools, it is a
	// schema's, without the format's marks.
	Answer string

	Tools    []Tool // that may be called
	Required bool   // one is called; otherwise there may be a text, or what Answer wants, instead
	Single   bool   // there is one call at most

	Thoughtless bool // nothing is thought; what the prompt has begun ends at once
}

// ToolError tells which tool cannot be called in the model's syntax.
type ToolError struct {
	Index int
	Text  string
}

func (e *ToolError) Error() string { return e.Text }

// Grammar gives the GBNF, with what package grammar adds to it, of an answer after a prompt. The parser finds in such an answer what
// is wanted. Tool i's schema is named tool-i.
func (f Format) Grammar(prompt string, w Wanted) (string, error) {
	g := &grammarWriter{}
	s := f.syntax
	switch {
	case s != nil && s.messages != nil:
		return g.harmony(w)
	case len(w.Tools) == 0:
		g.start(f.thoughts(prompt, w.Thoughtless), "root")
		g.line(w.Answer) // whose end may be any
		return g.String(), nil
	}
	if err := g.calls(f.spelling, w); err != nil {
		return "", err
	}
	thoughts, text := f.thoughts(prompt, w.Thoughtless), free(f.Apart())
	before := text // of calls
	if s.bare {
		before = "(" + text + ` "\n")?` // they begin a line
	}
	switch {
	case w.Required:
		g.start(thoughts, "calls")
	case w.Answer != "":
		g.line(w.Answer)
		g.start(thoughts, "(root | calls)")
	default:
		g.start(thoughts, "("+text+" | "+before+" calls)")
	}
	return g.String(), nil
}

// Apart are the marks that no text may hold which is told as it is where there may be calls too.
func (f Format) Apart() []string {
	if f.syntax == nil {
		return nil
	}
	if f.syntax.messages != nil {
		return textMarks
	}
	marks := f.syntax.open[:len(f.syntax.open):len(f.syntax.open)]
	if t := f.thinking; t != nil {
		marks = append(append(marks, t.open, t.close), t.around...)
	}
	return marks
}

// thoughts is what the model may think first.
func (f Format) thoughts(prompt string, no bool) string {
	t := f.thinking
	if t == nil {
		return `""`
	}
	marks := []string{t.close}
	if s := f.syntax; s != nil && s.thinks {
		marks = append(marks, s.open...)
	}
	end := quote(t.close) + ` "\n"{0,2}`
	rest := free(marks) + " " + end
	prompt = strings.TrimRight(prompt, space)
	switch {
	case strings.HasSuffix(prompt, t.open) && no:
		return end
	case strings.HasSuffix(prompt, t.open):
		return rest
	case strings.HasSuffix(prompt, t.close):
		return `"\n"{0,2}`
	case no:
		return `""`
	}
	return "(" + quote(t.open) + " " + rest + ")?"
}

// grammarWriter writes rules.
type grammarWriter struct{ strings.Builder }

func (g *grammarWriter) line(text string) { g.WriteString(text + "\n") }

func (g *grammarWriter) rule(name string, parts ...string) {
	g.line(name + " ::= " + strings.Join(parts, " "))
}

// start has the text be what some parts are.
func (g *grammarWriter) start(parts ...string) {
	g.line("%start quire-start")
	g.rule("quire-start", parts...)
}

// tools names the schemas of tools, and gives for each its name.
func (g *grammarWriter) tools(tools []Tool) error {
	for i, t := range tools {
		if strings.ContainsAny(t.Name, notInNames) || len(t.Name) > maxHead/2 {
			return &ToolError{i, fmt.Sprintf("a tool of the name %q cannot be called in the model's syntax of calls", t.Name)}
		}
		schema := string(t.Parameters)
		if strings.TrimSpace(schema) == "" || schema == "null" {
			schema = `{"type": "object", "properties": {}, "additionalProperties": false}`
		}
		g.line("%schema tool-" + strconv.Itoa(i) + " " + schema)
	}
	return nil
}

// calls writes the rule of calls.
func (g *grammarWriter) calls(p *spelling, w Wanted) error {
	if err := g.tools(w.Tools); err != nil {
		return err
	}
	names := make([]string, len(w.Tools))
	for i, t := range w.Tools {
		names[i] = "call-" + strconv.Itoa(i)
		g.rule(names[i], p.callOf(t.Name, "tool-"+strconv.Itoa(i)))
	}
	g.rule("call", strings.Join(names, " | "))
	parts := []string{quote(p.open), "call"}
	if !w.Single && !p.single {
		parts = append(parts, "("+quote(p.between)+" call)*")
	}
	g.rule("calls", append(parts, quote(p.close))...)
	return nil
}

// callOf is a call of one tool.
func (p *spelling) callOf(name, schema string) string {
	directive := "%object(" + schema + ")"
	if len(p.arguments) > 0 {
		quoted := []string{schema}
		for _, text := range p.arguments[1:] {
			quoted = append(quoted, quote(text))
		}
		directive = "%" + p.arguments[0] + "(" + strings.Join(quoted, ", ") + ")"
	}
	var parts []string
	for rest := p.call; rest != ""; {
		first, mark := len(rest), ""
		for _, m := range []string{"{name}", "{arguments}", "{number}", "{id}"} {
			if i := strings.Index(rest, m); i >= 0 && i < first {
				first, mark = i, m
			}
		}
		parts = append(parts, quote(rest[:first]))
		switch mark {
		case "{name}":
			parts = append(parts, quote(name))
		case "{arguments}":
			parts = append(parts, directive)
		case "{number}":
			parts = append(parts, "[0-9]{1,3}")
		case "{id}":
			parts = append(parts, "[a-zA-Z0-9]{9}")
		}
		rest = rest[first+len(mark):]
	}
	return strings.Join(parts, " ")
}

// harmony writes what comes behind <|start|>assistant: what is thought, then the answer or a call.
func (g *grammarWriter) harmony(w Wanted) (string, error) {
	thoughts := `("<|channel|>analysis<|message|>" ` + free(textMarks) + ` "<|end|><|start|>assistant")?`
	if w.Thoughtless {
		thoughts = `""`
	}
	final := `"<|channel|>final" " <|constrain|>json"? "<|message|>" root`
	if len(w.Tools) == 0 {
		g.start(thoughts, final)
		g.line(w.Answer)
		return g.String(), nil
	}
	if w.Answer != "" {
		g.line(w.Answer)
	}
	if err := g.tools(w.Tools); err != nil {
		return "", err
	}
	var calls []string
	for i, t := range w.Tools {
		calls = append(calls, `"<|channel|>commentary to=functions." `+quote(t.Name)+` " " "<|constrain|>json"? "<|message|>" %object(tool-`+strconv.Itoa(i)+")")
	}
	g.rule("calls", strings.Join(calls, " | "))
	text := free(textMarks)
	switch {
	case w.Required:
		g.start(thoughts, "calls")
	case w.Answer != "":
		g.start(thoughts, "("+final+" | calls)")
	default:
		g.start(thoughts, `("<|channel|>final<|message|>" `+text+` | ("<|channel|>commentary<|message|>" `+text+` "<|end|><|start|>assistant")? calls)`)
	}
	return g.String(), nil
}

// free is any text that holds none of some marks.
func free(marks []string) string {
	quoted := make([]string, 0, len(marks))
	for _, m := range marks {
		if !slices.Contains(quoted, quote(m)) {
			quoted = append(quoted, quote(m))
		}
	}
	return "%free(" + strings.Join(quoted, ", ") + ")"
}

// quote writes a text as GBNF does.
func quote(text string) string {
	out := []byte{'"'}
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, `\n`...)
		case c < ' ':
			const digits = "0123456789abcdef"
			out = append(out, '\\', 'x', digits[c>>4], digits[c&15])
		default:
			out = append(out, c)
		}
	}
	return string(append(out, '"'))
}

// Regex is the answer of a Wanted that matches a regular expression as a whole.
func Regex(source string) string { return "root ::= %regex(" + quote(source) + ")" }

// OneOf is the answer of a Wanted that is one of some texts.
func OneOf(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return "root ::= " + strings.Join(quoted, " | ")
}

// Schema is the answer of a Wanted that is a value of a JSON schema, named answer. No text in it holds one of some marks.
func Schema(source string, marks ...string) string {
	directive := "%json(answer"
	for _, m := range marks {
		directive += ", " + quote(m)
	}
	return "%schema answer " + source + "\nroot ::= " + directive + ")"
}

// Plain is the format of answers that are texts of a grammar: reasoning comes first, and nothing in the answer is a mark.
func (f Format) Plain() Format {
	p := Format{}
	if t := f.thinking; t != nil {
		p.thinking = &thinking{signs: t.signs, open: t.open, close: t.close}
	}
	if s := f.syntax; s != nil && s.messages != nil {
		plain := *s
		plain.messages = func() reader { return &harmony{plain: true} }
		p.syntax = &plain
	}
	return p
}

// Begins tells whether an answer to a prompt has marks to write before its text, though nothing is thought.
func (f Format) Begins(prompt string) bool {
	if f.syntax != nil && f.syntax.messages != nil {
		return true
	}
	return f.thinking != nil && strings.HasSuffix(strings.TrimRight(prompt, space), f.thinking.open)
}

// Thinks tells whether answers may begin with reasoning.
func (f Format) Thinks() bool {
	return f.thinking != nil || f.syntax != nil && f.syntax.messages != nil
}
