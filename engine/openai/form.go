package openai

import (
	"errors"
	"strings"

	"quire/engine/generation"
	"quire/engine/grammar"
	"quire/engine/json"
	"quire/engine/openai/toolcall"
)

// ResponseFormat asks for a form that the answer keeps to.
type ResponseFormat struct {
	Type       string      // "text", "json_object", "json_schema" or "grammar"
	JSONSchema *JSONSchema // of the type "json_schema"
	Grammar    string      // of the type "grammar": as llama.cpp writes them (GBNF)
}

// JSONSchema is a JSON Schema that an answer follows, strict or not.
type JSONSchema struct {
	Name        string // letters, digits, _ and -, at most 64
	Description string
	Schema      any // a JSON schema; nil: any JSON object
	Strict      *bool
}

// form is what an answer must be, and the field that asks for it.
type form struct {
	field   string
	grammar generation.Grammar
}

// formFields are the fields that ask for a form, by what they hold: names of this API's, llama.cpp's and vLLM's.
var formFields = []struct {
	name string
	read func(f *fields, name string) *generation.Grammar
}{
	{"grammar", grammarForm}, {"guided_grammar", gbnfForm},
	{"regex", regexForm}, {"guided_regex", regexForm},
	{"json_schema", schemaForm}, {"guided_json", schemaForm},
	{"guided_choice", choiceForm},
}

// structuredFields are those of vLLM's structured_outputs.
var structuredFields = map[string]func(f *fields, name string) *generation.Grammar{
	"json": schemaForm, "regex": regexForm, "choice": choiceForm, "grammar": gbnfForm,
	"json_object": func(f *fields, name string) *generation.Grammar {
		if f.is(name) {
			return &generation.Grammar{Kind: generation.JSONObject}
		}
		return nil
	},
}

// readForms reads the forms that are asked for beside a response format.
func readForms(f *fields) (forms []form) {
	add := func(field string, g *generation.Grammar) {
		if g != nil {
			forms = append(forms, form{field, *g})
		}
	}
	for _, known := range formFields {
		add(known.name, known.read(f, known.name))
	}
	if o := f.inner("structured_outputs"); o != nil {
		for _, name := range o.object.Names {
			switch value := o.value(name); {
			case structuredFields[name] != nil:
				add(o.at(name), structuredFields[name](o, name))
			case value == nil || value == false || name == "disable_fallback": // there is none
			default:
				f.r.fail(unsupported(o.at(name), "%q is not supported.", o.at(name)))
			}
		}
	}
	if name := "guided_whitespace_pattern"; f.value(name) != nil {
		f.r.fail(unsupported(f.at(name), "%q is not supported.", f.at(name)))
	}
	return forms
}

// grammarForm reads a grammar; an empty text is none, as llama.cpp's clients send it.
func grammarForm(f *fields, name string) *generation.Grammar {
	if f.value(name) == "" {
		return nil
	}
	return gbnfForm(f, name)
}

func gbnfForm(f *fields, name string) *generation.Grammar { return textForm(f, name, generation.GBNF) }

func regexForm(f *fields, name string) *generation.Grammar {
	return textForm(f, name, generation.Regex)
}

func textForm(f *fields, name string, kind generation.GrammarKind) *generation.Grammar {
	text := f.text(name)
	if text == nil {
		return nil
	}
	if *text == "" {
		f.r.fail(invalid(f.at(name), "invalid_value", "%q is empty: leave it out.", f.at(name)))
	}
	return &generation.Grammar{Kind: kind, Source: *text}
}

func schemaForm(f *fields, name string) *generation.Grammar {
	if schema := readSchema(f, name); schema != nil {
		return &generation.Grammar{Kind: generation.JSONSchema, Source: schemaText(schema)}
	}
	return nil
}

// choiceForm reads texts of which the answer is one.
func choiceForm(f *fields, name string) *generation.Grammar {
	if f.value(name) == nil {
		return nil
	}
	texts := f.texts(name)
	if len(texts) == 0 {
		f.r.fail(invalid(f.at(name), "empty_array", "%q is empty.", f.at(name)))
		return nil
	}
	return &generation.Grammar{Kind: generation.GBNF, Source: toolcall.OneOf(texts)}
}

// schemaText is a schema as JSON, which it can be once it is checked.
func schemaText(schema any) string {
	text, _ := json.Marshal(schema)
	return string(text)
}

// schema holds a schema to what JSON has.
func (c *checker) schema(param string, schema any) {
	if _, err := json.Marshal(schema); err != nil {
		c.fail(invalid(param, "invalid_value", "%q is no JSON: %s.", param, err))
	}
}

// readResponseFormat reads a form that the answer keeps to: in chats under a name of its own, in responses beside the type.
func readResponseFormat(f *fields, name string, flat bool) *ResponseFormat {
	o := f.inner(name)
	if o == nil {
		return nil
	}
	o.need("type")
	format := &ResponseFormat{Type: o.textOr("type", "")}
	switch isSchema := format.Type == "json_schema"; {
	case isSchema && flat:
		format.JSONSchema = readJSONSchema(o)
	case isSchema && o.value("json_schema") != nil:
		inner := o.inner("json_schema")
		format.JSONSchema = readJSONSchema(inner)
		inner.done()
	case isSchema || format.Type == "json_object": // with a schema as llama.cpp has it
		if schema := readSchema(o, "schema"); schema != nil && (isSchema || !isAny(schema)) {
			format.Type, format.JSONSchema = "json_schema", &JSONSchema{Name: "schema", Schema: schema}
		}
	case format.Type == "grammar": // as WebLLM has it
		format.Grammar = o.needText("grammar")
	}
	o.done()
	c := checker{}
	format.check(&c, f.at(name))
	f.r.check(&c)
	return format
}

// misplaced refuses a form under the name that another call has for it.
func (r *reader) misplaced(format any, name, here string) {
	if o, ok := format.(*json.Object); ok && o.At("type") != "text" {
		r.fail(unsupported(name, "%q is not supported here: it is called %q.", name, here))
	}
}

func readJSONSchema(o *fields) *JSONSchema {
	s := &JSONSchema{Name: o.needText("name"), Description: o.textOr("description", ""), Strict: o.flag("strict"), Schema: readSchema(o, "schema")}
	if s.Name != "" && !isFormName(s.Name) {
		o.r.fail(invalid(o.at("name"), "invalid_value", "%q is %s: it may have letters, digits, _ and -, at most 64.", o.at("name"), quoted(s.Name)))
	}
	return s
}

// readSchema reads a schema, or its text.
func readSchema(o *fields, name string) any {
	value := o.value(name)
	if text, ok := value.(string); ok {
		parsed, err := json.Parse([]byte(text))
		if err != nil {
			o.r.fail(invalid(o.at(name), "invalid_value", "%q is no JSON: %s.", o.at(name), err))
			return nil
		}
		value = parsed
	}
	switch value.(type) {
	case nil, bool, *json.Object:
		return value
	}
	o.r.wrong(o.at(name), value, "a JSON schema")
	return nil
}

// isAny reports whether a schema says nothing.
func isAny(schema any) bool {
	o, ok := schema.(*json.Object)
	return schema == true || ok && len(o.Names) == 0
}

func isFormName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && c != '-' && (c < '0' || '9' < c) && (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) {
			return false
		}
	}
	return 0 < len(name) && len(name) <= 64
}

// check holds a format to the types that there are.
func (r *ResponseFormat) check(c *checker, field string) {
	if r == nil {
		return
	}
	c.choice(field+".type", r.Type, "text", "json_object", "json_schema", "grammar")
	if r.Type == "grammar" && r.Grammar == "" {
		c.fail(missing(field + ".grammar"))
	}
	if r.Type == "json_schema" && r.JSONSchema == nil {
		c.fail(missing(field + ".json_schema"))
	}
	if r.JSONSchema != nil {
		c.schema(field+".json_schema.schema", r.JSONSchema.Schema)
	}
}

// form is what a format asks for; nil for any text.
func (r *ResponseFormat) form(field string) *form {
	switch {
	case r == nil || r.Type == "text" || r.Type == "":
		return nil
	case r.Type == "grammar":
		return &form{field, generation.Grammar{Kind: generation.GBNF, Source: r.Grammar}}
	case r.JSONSchema != nil && r.JSONSchema.Schema != nil:
		return &form{field, generation.Grammar{Kind: generation.JSONSchema, Source: schemaText(r.JSONSchema.Schema)}}
	}
	return &form{field, generation.Grammar{Kind: generation.JSONObject}}
}

// form is what a request's text must be, which may be asked for once; nil for anything.
func (s *Sampling) form(format *form) (*form, *Error) {
	forms := s.forms[:len(s.forms):len(s.forms)]
	if s.Grammar != nil {
		forms = append(forms, form{"grammar", *s.Grammar})
	}
	if format != nil {
		forms = append(forms, *format)
	}
	switch len(forms) {
	case 0:
		return nil, nil
	case 1:
		return &forms[0], nil
	}
	return nil, invalid(forms[1].field, "invalid_value", "%q and %q do not go together: an answer keeps to one form.", forms[0].field, forms[1].field)
}

// asError tells an error of the engine's about a request whose text must be of a form.
func (s *Sampling) asError(err error, prompt string) *Error {
	var bad *grammar.Error
	if f, _ := s.form(nil); f != nil && errors.As(err, &bad) {
		return f.refuse(bad)
	}
	return asError(err, prompt)
}

// refuse tells what of a form's source is wrong, or not supported.
func (f *form) refuse(err *grammar.Error) *Error {
	where := err.Where
	if inner, ok := strings.CutPrefix(where, "schema answer, "); ok {
		where = inner
	} else if where == "schema answer" {
		where = ""
	}
	if where != "" {
		where += ": "
	}
	return invalid(f.field, "invalid_value", "%q cannot be held to: %s%s.", f.field, short(where), short(err.Text))
}
