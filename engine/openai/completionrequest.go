package openai

// CompletionRequest asks for texts that go on from others.
type CompletionRequest struct {
	Model   string // "": the only model, or the first
	Prompts []Prompt
	Sampling

	Echo     bool // the prompt is part of the text
	Logprobs *int // log-probabilities of the text's tokens, and of so many of the likeliest in each place

	reader reader
}

// Prompt is a text, or token ids.
type Prompt struct {
	Text string
	IDs  []int32 // in place of Text, where not nil
}

// maxPrompts is the most prompts, inputs or documents of a request.
const maxPrompts = 2048

// ReadCompletionRequest reads the body of a call of /v1/completions.
func ReadCompletionRequest(body []byte) (*CompletionRequest, error) {
	q := &CompletionRequest{}
	r := &q.reader
	f := r.read(body)
	q.Model = f.textOr("model", "")
	q.Prompts = readPrompts(f, "prompt")
	q.Sampling = readSampling(f, "max_tokens")
	q.Echo = f.is("echo")
	q.Logprobs = f.integer("logprobs")
	if suffix := f.text("suffix"); suffix != nil && *suffix != "" {
		f.r.fail(unsupported("suffix", `"suffix" is not supported: models go on with a text, and fill in nothing before another.`))
	}
	format := readResponseFormat(f, "response_format", false)
	if f := format.form("response_format"); f != nil {
		q.forms = append(q.forms, *f)
	}
	f.done()
	if r.err != nil {
		return nil, r.err
	}
	return q, nil
}

// readPrompts reads a text, token ids, or a list of either.
func readPrompts(f *fields, name string) []Prompt {
	const want = "text, token ids, or a list of them"
	path := f.at(name)
	var list []any
	switch value := f.need(name).(type) {
	case nil:
		return nil
	case string:
		return []Prompt{{Text: value}}
	case []any:
		list = value
	default:
		f.r.wrong(path, value, want)
		return nil
	}
	if len(list) > 0 {
		if _, ids := wholeOf(list[0]); ids {
			return []Prompt{{IDs: f.r.ids(list, path)}}
		}
	}
	prompts := make([]Prompt, len(list))
	for i, v := range list {
		switch v := v.(type) {
		case string:
			prompts[i].Text = v
		case []any:
			prompts[i].IDs = f.r.ids(v, item(path, i))
		default:
			f.r.wrong(item(path, i), v, "text or token ids")
			return nil
		}
	}
	return prompts
}

// silent reports whether nothing is to follow the prompt.
func (q *CompletionRequest) silent() bool { return q.MaxTokens != nil && *q.MaxTokens == 0 }

// check holds a request to what can be done.
func (q *CompletionRequest) check() *Error {
	c := &checker{}
	c.length("prompt", len(q.Prompts), 1, maxPrompts)
	s := q.Sampling
	if q.silent() {
		s.MaxTokens = nil
	}
	s.check(c)
	c.integer("logprobs", q.Logprobs, 0, maxLogprobs)
	if q.Echo && q.Logprobs != nil && (max(q.N, q.BestOf) > 1 || q.Beams != nil) {
		c.fail(invalid("echo", "invalid_value", `"echo" with "logprobs" goes with one choice only.`))
	}
	if most := maxPrompts; len(q.Prompts)*max(q.N, q.BestOf, 1) > most {
		c.fail(invalid("n", "invalid_value", "%d prompts with %d choices each are more than %d.", len(q.Prompts), max(q.N, q.BestOf, 1), most))
	}
	return c.err
}
