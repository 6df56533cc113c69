package openai

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"time"

	"quire/engine/generation"
	"quire/engine/json"
	"quire/engine/sample"
)

// Sampling is what requests for text have in common. What is nil is as the model is best drawn with.
type Sampling struct {
	MaxTokens *int // the most tokens to generate; nil: until the model ends or the context is full
	MinTokens int  // before these the answer does not end
	Stop      []string
	IgnoreEnd bool // go on past end tokens

	Seed        *int64 // nil: a random one
	Temperature *float64
	TopP        *float64
	TopK        *int
	MinP        *float64

	PresencePenalty   float64
	FrequencyPenalty  float64
	RepetitionPenalty *float64 // 1: none
	DRY               DRY
	LogitBias         map[int32]float64 // by token id

	Grammar *generation.Grammar // what the text must be; in chats, behind what the model thinks

	N      int // choices; 0: 1
	BestOf int // draws to make, of which the N likeliest are given; 0: N
	Beams  *Beams

	Stream  bool
	Usage   bool // of a stream, in a chunk of its own at the end
	LoRA    []LoRA
	Special bool // show special tokens in the text

	Priority int           // the lower, the sooner
	Salt     string        // cached blocks are shared only under an equal one
	Deadline time.Duration // from now on; 0: none
	User     string
	Tenant   string // turns are shared out among tenants; "": the user

	DraftMax *int // the most tokens of a draft; 0: no drafts; nil: as the model is opened

	limit string // the name that MaxTokens has in the body
	forms []form // that the body asks for, in place of Grammar
}

// DRY punishes what would repeat a sequence of tokens: multiplier × base^(its length − allowed length).
type DRY struct {
	Multiplier    float64 // 0: off
	Base          *float64
	AllowedLength *int
	Range         *int // tokens looked back over; -1 or nil: all
	Breakers      []string
}

// Beams asks for a beam search in place of drawing.
type Beams struct {
	Width         int
	LengthPenalty *float64 // nil: 1
	EarlyStopping string   // "false" (or ""), "true", "never", as Hugging Face's generate has them
}

// LoRA is an adapter that a request uses, by the name that it was loaded under.
type LoRA struct {
	Name  string
	Scale float64
}

// readSampling reads what requests for text have in common; maxTokens are the names of the most tokens, the first that is given counts.
func readSampling(f *fields, maxTokens ...string) (s Sampling) {
	for _, name := range append(maxTokens, "n_predict") {
		if n := f.integer(name); n != nil && s.MaxTokens == nil && (name != "n_predict" || *n >= 0) {
			s.MaxTokens, s.limit = n, name
		}
	}
	s.MinTokens, s.Stop, s.IgnoreEnd = valueOr(f.integer("min_tokens"), 0), f.texts("stop"), f.is("ignore_eos")
	if seed, ok := f.whole("seed"); ok {
		s.Seed = &seed
	}
	s.Temperature, s.TopP, s.TopK, s.MinP = f.number("temperature"), f.number("top_p"), f.integer("top_k"), f.number("min_p")
	s.PresencePenalty, s.FrequencyPenalty = valueOr(f.number("presence_penalty"), 0), valueOr(f.number("frequency_penalty"), 0)
	s.RepetitionPenalty = f.number("repetition_penalty")
	c := checker{}
	if p := f.number("repeat_penalty"); s.RepetitionPenalty == nil {
		c.number("repeat_penalty", p, sample.MinRepetition, sample.MaxRepetition)
		s.RepetitionPenalty = p
	}
	s.DRY = DRY{valueOr(f.number("dry_multiplier"), 0), f.number("dry_base"), f.integer("dry_allowed_length"), f.integer("dry_penalty_last_n"), f.texts("dry_sequence_breakers")}
	s.LogitBias = readBias(f)
	n, bestOf := f.integer("n"), f.integer("best_of")
	c.integer("n", n, 1, maxChoices)
	c.integer("best_of", bestOf, 1, maxChoices)
	s.N, s.BestOf = valueOr(n, 1), valueOr(bestOf, 0)
	s.Beams = readBeams(f, &s)
	s.Stream = f.is("stream")
	if o := f.inner("stream_options"); o != nil {
		s.Usage = o.is("include_usage")
		o.skip("include_obfuscation")
		o.done()
		if !s.Stream {
			f.r.fail(invalid("stream_options", "invalid_value", `"stream_options" goes only with "stream": true.`))
		}
	}
	s.LoRA = readLoRA(f)
	s.DraftMax = f.integer("speculative.n_max")
	s.Priority, s.Salt, s.User = valueOr(f.integer("priority"), 0), f.textOr("cache_salt", ""), f.textOr("user", f.textOr("safety_identifier", ""))
	if d := f.number("deadline"); d != nil {
		c.number("deadline", d, 1e-3, 1e6)
		s.Deadline = time.Duration(*d * float64(time.Second))
	}
	if v := f.flag("skip_special_tokens"); v != nil {
		s.Special = !*v
	}
	f.skip("safety_identifier", "metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "cache_prompt")
	s.forms = readForms(f)
	f.r.check(&c)
	return s
}

// maxChoices is the most choices of a request.
const maxChoices = 128

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

func readBias(f *fields) map[int32]float64 {
	o := f.inner("logit_bias")
	if o == nil {
		return nil
	}
	bias := map[int32]float64{}
	for i, name := range o.object.Names {
		id, err := strconv.ParseInt(name, 10, 32)
		x, ok := numberOf(o.object.Values[i])
		switch {
		case err != nil || id < 0:
			f.r.fail(invalid(o.at(short(name)), "invalid_value", "%q names %s, which is no token id.", "logit_bias", quoted(name)))
		case !ok:
			f.r.wrong(o.at(name), o.object.Values[i], "a number")
		}
		bias[int32(id)] = x
	}
	return bias
}

func readBeams(f *fields, s *Sampling) *Beams {
	width, search := f.integer("beams"), f.is("use_beam_search")
	penalty, stopping := f.number("length_penalty"), f.value("early_stopping")
	if width == nil && search { // vLLM's name
		n := max(s.N, s.BestOf)
		width, s.BestOf = &n, 0
	}
	if width == nil || *width == 0 {
		return nil
	}
	b := &Beams{Width: *width, LengthPenalty: penalty}
	switch v := stopping.(type) {
	case nil:
	case bool:
		b.EarlyStopping = strconv.FormatBool(v)
	case string:
		b.EarlyStopping = v
	default:
		f.r.wrong("early_stopping", v, `true, false or "never"`)
	}
	return b
}

// readLoRA reads a name, an object with a name and a scale, or a list of them.
func readLoRA(f *fields) (all []LoRA) {
	value := f.value("lora")
	list, many := value.([]any)
	if !many && value != nil {
		list = []any{value}
	}
	for i, v := range list {
		path := f.at("lora")
		if many {
			path = item(path, i)
		}
		switch v := v.(type) {
		case string:
			all = append(all, LoRA{v, 1})
		case *json.Object:
			o := f.r.fields(v, path)
			name := o.textOr("name", o.textOr("id", ""))
			o.skip("id")
			all = append(all, LoRA{name, valueOr(o.number("scale"), 1)})
			o.done()
		default:
			f.r.wrong(path, v, "an adapter's name, or an object with name and scale")
		}
	}
	return all
}

// check holds what is asked to its ranges, but for what only the engine knows.
func (s *Sampling) check(c *checker) {
	limit := s.limit
	if limit == "" {
		limit = "max_tokens"
	}
	c.integer(limit, s.MaxTokens, 1, anyNumber)
	c.integer("min_tokens", &s.MinTokens, 0, anyNumber)
	c.integer("speculative.n_max", s.DraftMax, 0, anyNumber)
	c.number("temperature", s.Temperature, 0, 2)
	c.number("top_p", s.TopP, 0, 1)
	c.integer("top_k", s.TopK, -1, anyNumber)
	c.number("min_p", s.MinP, 0, 1)
	c.number("presence_penalty", &s.PresencePenalty, -2, 2)
	c.number("frequency_penalty", &s.FrequencyPenalty, -2, 2)
	c.number("repetition_penalty", s.RepetitionPenalty, sample.MinRepetition, sample.MaxRepetition)
	c.number("dry_multiplier", &s.DRY.Multiplier, 0, 100)
	c.integer("dry_penalty_last_n", s.DRY.Range, -1, anyNumber)
	ids := slices.Collect(maps.Keys(s.LogitBias))
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	for _, id := range ids {
		bias := s.LogitBias[id]
		c.number("logit_bias."+strconv.Itoa(int(id)), &bias, -sample.MaxBias, sample.MaxBias)
	}
	if s.N != 0 {
		c.integer("n", &s.N, 1, maxChoices)
	}
	if s.BestOf != 0 {
		c.integer("best_of", &s.BestOf, max(s.N, 1), maxChoices)
	}
	c.length("stop", len(s.Stop), 0, 64)
	if slices.Contains(s.Stop, "") {
		c.fail(invalid("stop", "invalid_value", `"stop" has a text that is empty.`))
	}
	if b := s.Beams; b != nil {
		c.integer("beams", &b.Width, 1, maxChoices)
		c.number("length_penalty", b.LengthPenalty, -100, 100)
		if b.EarlyStopping != "" {
			c.choice("early_stopping", b.EarlyStopping, "true", "false", "never")
		}
		switch {
		case s.BestOf > 0:
			c.fail(invalid("best_of", "invalid_value", `"beams" and "best_of" do not go together.`))
		case s.N > b.Width:
			c.fail(invalid("n", "invalid_value", `"n" is %d and "beams" %d: no more choices than beams.`, s.N, b.Width))
		case s.Temperature != nil && *s.Temperature > 0:
			c.fail(invalid("temperature", "invalid_value", `Beams go without drawing: leave "temperature" out, or set it to 0.`))
		case len(s.Stop) > 0:
			c.fail(invalid("stop", "invalid_value", `"beams" and "stop" do not go together.`))
		}
	}
	if s.Stream && (s.Beams != nil || s.BestOf > max(s.N, 1)) {
		param := "best_of"
		if s.Beams != nil {
			param = "beams"
		}
		c.fail(invalid(param, "invalid_value", "With %q the answer is known at its end only: leave \"stream\" out.", param))
	}
	for i, l := range s.LoRA {
		if l.Name == "" {
			c.fail(missing(item("lora", i) + ".name"))
		}
	}
}
