package talk_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/cmd/native/talk"
	"quire/cmd/native/talk/talktest"
	"quire/engine"
	"quire/engine/sample"
)

// begin returns a chat with an engine.
func begin(t *testing.T, e *talktest.Engine, set ...func(*talk.Options)) *talk.Chat {
	t.Helper()
	o := talk.Options{Params: talk.Params{Sample: sample.Params{Temperature: 0.5, TopP: 1}}, Replace: replace}
	for _, f := range set {
		f(&o)
	}
	c, err := talk.New(e, o)
	require.NoError(t, err)
	return c
}

// replace writes a file; that it does so whole is its owner's to test.
func replace(path string, write func(*os.File) error) (int64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	return 0, errors.Join(write(f), f.Close())
}

// answered says something and waits for the whole answer.
func answered(t *testing.T, c *talk.Chat, text string) *talk.Answer {
	t.Helper()
	a, err := c.Say(context.Background(), text)
	require.NoError(t, err, text)
	return whole(t, a)
}

func whole(t *testing.T, a *talk.Answer) *talk.Answer {
	t.Helper()
	for p, more := a.Next(); more; p, more = a.Next() {
		a.Add(p)
	}
	_, err := a.End()
	require.NoError(t, err)
	return a
}

// do carries a command out.
func do(t *testing.T, c *talk.Chat, line string) talk.Effect {
	t.Helper()
	effect, err := c.Do(line)
	require.NoError(t, err, line)
	return effect
}

// said is what was said: a letter for who, and the text.
func said(c *talk.Chat) string {
	var all []string
	for _, e := range c.Current().Entries {
		all = append(all, e.Role[:1]+":"+talk.Text(e.Message))
	}
	return strings.Join(all, " ")
}

func TestSay(t *testing.T) {
	e := &talktest.Engine{Context: 1000, Answers: []string{"one", "two"}}
	c := begin(t, e, func(o *talk.Options) { o.System = "be brief" })
	a := answered(t, c, "first")
	assert.Equal(t, "one", a.Content)
	answered(t, c, "second")
	assert.Equal(t, "s:be brief u:first a:one u:second a:two", said(c))
	assert.Equal(t, "<system>be brief<user>first<assistant>one<user>second<assistant>", e.Prompt(1))
	assert.Equal(t, len(e.Requests[1].Prompt)+3, c.Current().Tokens())
	assert.Equal(t, 2, c.Current().Turns())
	assert.NotEqual(t, e.Requests[0].Sample.Seed, e.Requests[1].Sample.Seed)
}

// What the model thinks is apart from what it says, and the next turn's template has it.
func TestReasoning(t *testing.T) {
	e := &talktest.Engine{Context: 1000, Template: "<think> </think>", Answers: []string{"<think>\nHm. Two?\n</think>\n\nIt is 2.$", "<think>\nIt is cut"}}
	c := begin(t, e)
	a := answered(t, c, "1+1?")
	assert.Equal(t, "Hm. Two?", a.Reasoning)
	assert.Equal(t, "It is 2.", a.Content, "without the token that ended it")
	assert.True(t, e.Requests[0].Special)
	assert.Equal(t, "Hm. Two?", talk.Reasoning(c.Current().Entries[1].Message))
	a = answered(t, c, "2+2?")
	assert.Equal(t, "It is cut", a.Reasoning)
	assert.Empty(t, a.Content)

	file := filepath.Join(t.TempDir(), "talk.json")
	do(t, c, "/save "+file)
	other := begin(t, e)
	do(t, other, "/load "+file)
	assert.Equal(t, "Hm. Two?", talk.Reasoning(other.Current().Entries[1].Message))
	assert.Equal(t, "u:1+1? a:It is 2. u:2+2? a:", said(other))
}

// Where a message cannot be answered, or nothing comes of it, nothing has been said, and the text is given back.
func TestNothingIsLost(t *testing.T) {
	e := &talktest.Engine{Context: 100, Gate: make(chan struct{})}
	c := begin(t, e)
	_, err := c.Say(context.Background(), strings.Repeat("long ", 30))
	require.ErrorIs(t, err, engine.ErrContextTooLong)
	_, err = c.Say(context.Background(), "refuse this")
	require.ErrorContains(t, err, "the template refuses this")
	assert.Empty(t, c.Current().Entries)

	a, err := c.Say(context.Background(), "hello")
	require.NoError(t, err)
	_, err = c.Say(context.Background(), "again")
	require.ErrorIs(t, err, talk.ErrBusy)
	a.Cancel()
	again, err := a.End()
	require.NoError(t, err)
	assert.Equal(t, "hello", again)
	assert.Empty(t, c.Current().Entries)

	close(e.Gate)
	e.Fail = engine.ErrNotNumbers
	e.Answers = []string{""}
	a, err = c.Say(context.Background(), "fails")
	require.NoError(t, err)
	again, err = a.End()
	require.ErrorIs(t, err, engine.ErrNotNumbers)
	assert.Equal(t, "fails", again)

	answered(t, c, "good")
	e.Fail = engine.ErrNotNumbers
	e.Answers = []string{""}
	do(t, c, "/regenerate")
	a, err = c.Regenerate(context.Background())
	require.NoError(t, err)
	_, err = a.End()
	require.Error(t, err)
	assert.Equal(t, "u:good a:I see.", said(c), "the answer that was there")
}

// What came before Ctrl-C, an error or a limit is kept, with why it ended.
func TestEndings(t *testing.T) {
	e := &talktest.Engine{Context: 60, Gate: make(chan struct{}, 99), Answers: []string{"a long answer", "broken", "more than five", strings.Repeat("x", 99)}}
	c := begin(t, e)
	a, err := c.Say(context.Background(), "1")
	require.NoError(t, err)
	for range 3 {
		e.Gate <- struct{}{}
		p, _ := a.Next()
		a.Add(p)
	}
	a.Cancel()
	_, err = a.End()
	require.NoError(t, err)
	assert.Equal(t, "u:1 a:a l", said(c))
	assert.Equal(t, "stopped", c.Current().Entries[1].Ending)

	close(e.Gate)
	do(t, c, "/clear")
	e.Fail = engine.ErrNotNumbers
	a, err = c.Say(context.Background(), "2")
	require.NoError(t, err)
	_, err = a.End()
	require.ErrorIs(t, err, engine.ErrNotNumbers)
	assert.Equal(t, "u:2 a:broken", said(c))
	assert.Equal(t, "cut off by an error", c.Current().Entries[1].Ending)

	do(t, c, "/clear")
	do(t, c, "/params max_tokens 5")
	answered(t, c, "3")
	assert.Equal(t, "u:3 a:more ", said(c))
	assert.Equal(t, "cut off at max_tokens, 5 tokens", c.Current().Entries[1].Ending)

	do(t, c, "/clear")
	do(t, c, "/params max_tokens 0")
	answered(t, c, "4")
	assert.Equal(t, "cut off: the context of 60 tokens is full", c.Current().Entries[1].Ending)
}

// A conversation that the context has no room for loses its oldest turns, never the system message, and says so; some more at once, so
// that the next turns find what was computed.
func TestDropsTheOldestTurns(t *testing.T) {
	e := &talktest.Engine{Context: 200}
	c := begin(t, e, func(o *talk.Options) { o.System = "SYSTEM" })
	drops := 0
	for i := range 20 {
		a := answered(t, c, "message "+string(rune('a'+i)))
		prompt := e.Prompt(i)
		assert.True(t, strings.HasPrefix(prompt, "<system>SYSTEM<user>message "), prompt)
		assert.True(t, strings.HasSuffix(prompt, "<user>message "+string(rune('a'+i))+"<assistant>"), prompt)
		assert.LessOrEqual(t, len(prompt), 175, "an eighth is left for the answer")
		if a.Dropped > 0 {
			drops++
			assert.LessOrEqual(t, len(prompt), 150)
			assert.Contains(t, a.DroppedNote(), "The context of 200 tokens is full")
		} else if i > 0 && drops > 0 {
			assert.True(t, strings.HasPrefix(prompt, strings.TrimSuffix(e.Prompt(i-1), "<assistant>")), "the prompt goes on from the last one")
		}
	}
	assert.Greater(t, drops, 3)
	assert.Less(t, drops, 15, "not each time")
	assert.Len(t, c.Current().Entries, 41, "all is shown, and saved")
	assert.Positive(t, c.Current().Unseen())

	unseen := c.Current().Unseen()
	e.Gate = make(chan struct{})
	long, err := c.Say(context.Background(), strings.Repeat("long ", 25))
	require.NoError(t, err)
	assert.Positive(t, long.Dropped)
	long.Cancel()
	_, err = long.End()
	require.NoError(t, err)
	assert.Equal(t, unseen, c.Current().Unseen(), "what was taken back has taken nothing away")
	do(t, c, "/undo")
	assert.Zero(t, c.Current().Unseen(), "there may be room again")
}

func TestRegenerateAndUndo(t *testing.T) {
	e := &talktest.Engine{Context: 1000, Answers: []string{"one", "two", "three"}}
	seed := uint64(7)
	c := begin(t, e, func(o *talk.Options) { o.Params.Seed = &seed })
	_, err := c.Do("/regenerate")
	require.ErrorContains(t, err, "nothing has been said")
	_, err = c.Do("/undo")
	require.ErrorContains(t, err, "nothing has been said")
	answered(t, c, "first")
	assert.True(t, do(t, c, "/regenerate").Answer)
	a, err := c.Regenerate(context.Background())
	require.NoError(t, err)
	whole(t, a)
	assert.Equal(t, "u:first a:two", said(c))
	assert.Equal(t, e.Prompt(0), e.Prompt(1))
	assert.EqualValues(t, 7, e.Requests[0].Sample.Seed)
	assert.EqualValues(t, 8, e.Requests[1].Sample.Seed, "another answer, though the seed is set")
	do(t, c, "/fork")
	a, err = c.Regenerate(context.Background())
	require.NoError(t, err)
	whole(t, a)
	assert.EqualValues(t, 9, e.Requests[2].Sample.Seed, "none that there was before the fork")
	assert.Equal(t, "first", do(t, c, "/undo").Input)
	assert.Empty(t, said(c))
	answered(t, c, "second")
	assert.EqualValues(t, 7, e.Requests[3].Sample.Seed)
}

func TestFork(t *testing.T) {
	e := &talktest.Engine{Context: 1000, Answers: []string{"one", "left", "right", "more"}}
	c := begin(t, e)
	answered(t, c, "first")
	_, err := c.Do("/switch")
	require.ErrorContains(t, err, "one conversation only")
	assert.Contains(t, do(t, c, "/fork").Note, "conversation 2")
	do(t, c, "/params temperature 0")
	answered(t, c, "go left")
	do(t, c, "/switch 1")
	answered(t, c, "go right")
	assert.Equal(t, "u:first a:one u:go right a:right", said(c))
	assert.EqualValues(t, 0.5, c.Current().Params.Sample.Temperature)
	do(t, c, "/switch")
	assert.Equal(t, "u:first a:one u:go left a:left", said(c))
	assert.Zero(t, c.Current().Params.Sample.Temperature)
	do(t, c, "/fork tale")
	answered(t, c, "on")
	do(t, c, "/switch 2")
	assert.Equal(t, "u:first a:one u:go left a:left", said(c), "what a fork says is not said here")
	for line, says := range map[string]string{"/fork tale": "already", "/fork two words": "one word", "/switch nobody": `no conversation "nobody"`} {
		_, err := c.Do(line)
		require.ErrorContains(t, err, says)
	}
}

// While an answer comes, what would change its conversation is refused, and nothing else.
func TestBusy(t *testing.T) {
	e := &talktest.Engine{Context: 1000, Gate: make(chan struct{})}
	c := begin(t, e)
	a, err := c.Say(context.Background(), "hello")
	require.NoError(t, err)
	for _, line := range []string{"/undo", "/clear", "/regenerate", "/system x", "/fork", "/save x", "/load x"} {
		_, err := c.Do(line)
		require.ErrorIs(t, err, talk.ErrBusy, line)
	}
	do(t, c, "/help")
	do(t, c, "/params temperature 0.1")
	close(e.Gate)
	whole(t, a)
	assert.Equal(t, "u:hello a:I see.", said(c))

	do(t, c, "/params max_tokens 3")
	a, err = c.Say(context.Background(), "again")
	require.NoError(t, err)
	do(t, c, "/params max_tokens 9")
	whole(t, a)
	assert.Equal(t, "cut off at max_tokens, 3 tokens", c.Current().Entries[3].Ending, "as it was asked for")
}

func TestCommands(t *testing.T) {
	c := begin(t, &talktest.Engine{Context: 1000})
	for text, is := range map[string]bool{"/help": true, "/help ": true, "/system be\nbrief": true, "/nonsense": true, "/?": true,
		"/etc/hosts is what?": false, " /help": false, "//help": false, "help": false, "/": false, "/3": false} {
		assert.Equal(t, is, talk.IsCommand(text), text)
	}
	_, err := c.Do("/nonsense")
	require.ErrorContains(t, err, "there is no command /nonsense")
	help := do(t, c, "/help").Note
	for _, k := range talk.Commands() {
		assert.Contains(t, help, "/"+k.Name)
	}
	assert.True(t, do(t, c, "/quit").Quit)
	assert.True(t, do(t, c, "/bye").Quit)
	_, err = c.Do("/copy")
	require.ErrorContains(t, err, "no answer yet")
	answered(t, c, "hello")
	assert.Equal(t, "I see.", do(t, c, "/copy").Copy)
}

func TestSystem(t *testing.T) {
	e := &talktest.Engine{Context: 1000}
	c := begin(t, e)
	assert.Contains(t, do(t, c, "/system").Note, "no system message")
	do(t, c, "/system be brief\nand kind")
	assert.Contains(t, do(t, c, "/system").Note, "be brief\nand kind")
	answered(t, c, "hello")
	assert.Equal(t, "<system>be brief\nand kind<user>hello<assistant>", e.Prompt(0))
	do(t, c, "/system otherwise")
	answered(t, c, "hello")
	assert.True(t, strings.HasPrefix(e.Prompt(1), "<system>otherwise<user>hello"))
	do(t, c, "/clear")
	assert.Equal(t, "s:otherwise", said(c))
	do(t, c, "/system none")
	assert.Empty(t, said(c))
}

// Without a template the model goes on with the text as it is, and that is said.
func TestRaw(t *testing.T) {
	e := &talktest.Engine{Context: 40, NoTemplate: true, Answers: []string{" a time", "The end."}}
	c := begin(t, e)
	assert.True(t, c.Raw())
	assert.Contains(t, c.Greeting(), "no chat template")
	answered(t, c, "Once upon")
	answered(t, c, " there was.")
	assert.Equal(t, "Once upon", e.Prompt(0))
	assert.Equal(t, "Once upon a time there was.", e.Prompt(1))
	a := answered(t, c, "Something longer")
	assert.Equal(t, 4, a.Dropped)
	_, err := c.Do("/system x")
	require.ErrorContains(t, err, "no system message")
	_, err = talk.New(e, talk.Options{System: "x"})
	require.ErrorContains(t, err, "no system message")
	chosen := begin(t, &talktest.Engine{Context: 40}, func(o *talk.Options) { o.Raw = true })
	assert.Contains(t, chosen.Greeting(), "--raw")
}

func TestParams(t *testing.T) {
	e := &talktest.Engine{Context: 1000}
	c := begin(t, e)
	all := do(t, c, "/params").Note
	for _, name := range talk.SettingNames() {
		assert.Contains(t, all, name)
	}
	for _, line := range []string{"/params temperature 0.25", "/params top_k=40", "/params top-p 0.9", "/set min_p = 0.1", "/params seed 5", "/params --max-tokens 99", `/params stop "\n\n"`,
		`/params logit_bias {"42": -5, "7": 1.5}`, `/params chat_template_kwargs {"enable_thinking": false, "a": [1, {"b": null}]}`} {
		do(t, c, line)
	}
	answered(t, c, "hello")
	r := e.Requests[0]
	assert.Equal(t, sample.Params{Temperature: 0.25, TopK: 40, TopP: 0.9, MinP: 0.1, Seed: 5, LogitBias: map[int32]float64{42: -5, 7: 1.5}}, r.Sample)
	assert.Equal(t, 99, r.MaxTokens)
	assert.Equal(t, []string{"\n\n"}, r.Stop)
	assert.Equal(t, false, e.Rendered.Extra["enable_thinking"])
	assert.Len(t, e.Rendered.Extra, 2)
	assert.Contains(t, do(t, c, "/params dry_base").Note, "1.75")
	assert.Contains(t, do(t, c, "/params dry_sequence_breakers").Note, `["\n",":","\"","*"]`)
	for _, line := range []string{"/params dry_base 2", "/params dry_allowed_length 3", "/params dry-range 64", `/params dry_sequence_breakers ["\n"]`, "/params dry_multiplier 0.8"} {
		do(t, c, line)
	}
	answered(t, c, "hello")
	assert.Equal(t, sample.DRY{Multiplier: 0.8, Base: 2, AllowedLength: 3, Range: 64, Breakers: []string{"\n"}}, e.Requests[1].Sample.DRY)
	do(t, c, "/params dry_sequence_breakers none")
	assert.Empty(t, c.Current().Params.Sample.DRY.Breakers)
	do(t, c, "/params dry_multiplier 0")
	assert.Contains(t, do(t, c, "/params logit-bias").Note, ` {"7": 1.5, "42": -5} `)
	assert.Contains(t, do(t, c, "/params chat_template_kwargs").Note, `"enable_thinking":false`)
	for line, says := range map[string]string{
		"/params temperature -1":                   "temperature is -1, it must be between 0 and 1000",
		"/params temperature warm":                 `temperature must be a number, not "warm"`,
		"/params top_k 1.5":                        `top_k must be a whole number, not "1.5"`,
		"/params seed -1":                          "seed must be a whole number from 0 to 2^64-1 or random",
		"/params max_tokens -3":                    "max_tokens is -3",
		"/params nonsense 1":                       "there is no parameter nonsense; there are temperature, top_k",
		"/params nonsense":                         "there is no parameter nonsense",
		"/params --nonsense 1":                     "there is no parameter nonsense",
		"/params logit_bias 5":                     "logit_bias must be token ids with numbers",
		"/params logit_bias null":                  "logit_bias must be token ids with numbers",
		`/params logit_bias {"a": 1}`:              `logit_bias is "a", it must be a map from token ids to numbers`,
		`/params logit_bias {"5": 101}`:            "logit_bias",
		"/params chat_template_kwargs [1]":         "chat_template_kwargs must be an object in JSON",
		"/params chat_template_kwargs {a: 1}":      "chat_template_kwargs must be an object in JSON",
		"/params chat_template_kwargs enable=true": "chat_template_kwargs must be an object in JSON",
		"/params dry_base 0":                       "dry_base is 0, it must be between 1 and 100",
		"/params dry_range -1":                     "dry_range is -1",
		"/params dry_allowed_length some":          `dry_allowed_length must be a whole number, not "some"`,
		"/params dry_sequence_breakers :":          `must be a list of texts in JSON, such as ["\n", ":"], or none`,
		`/params dry_sequence_breakers [""]`:       "texts of 1 to 40 bytes",
		`/params stop ""`:                          "stop text is empty",
		`/params stop "unfinished `:                "stop must be a text, or one in quotes",
	} {
		before := c.Current().Params
		_, err := c.Do(line)
		require.ErrorContains(t, err, says, line)
		assert.Equal(t, before, c.Current().Params, "nothing changes")
	}
	assert.Contains(t, do(t, c, "/params top_k").Note, "40")
	do(t, c, "/params reset")
	assert.EqualValues(t, 0.5, c.Current().Params.Sample.Temperature)
	assert.Nil(t, c.Current().Params.Seed)
	for _, name := range []string{"logit_bias", "chat_template_kwargs"} {
		do(t, c, "/params "+name+" {}")
		do(t, c, "/params "+name+" none")
		assert.Contains(t, do(t, c, "/params "+name).Note, " none ")
	}
	answered(t, c, "again")
	assert.Empty(t, e.Rendered.Extra)
	assert.Empty(t, e.Requests[2].Sample.LogitBias)
}

func TestSaveAndLoad(t *testing.T) {
	dir := t.TempDir()
	messages, session := filepath.Join(dir, "talk.json"), filepath.Join(dir, "talk.quire")
	c := begin(t, &talktest.Engine{Context: 1000, Answers: []string{"one \"quoted\" — <b>"}}, func(o *talk.Options) { o.System = "be brief" })
	_, err := c.Do("/save " + messages)
	require.ErrorContains(t, err, "nothing has been said")
	answered(t, c, "first\nwith lines")
	do(t, c, "/save "+messages)
	do(t, c, "/save "+session)
	text, err := os.ReadFile(messages)
	require.NoError(t, err)
	assert.Equal(t, `[
  {"role": "system", "content": "be brief"},
  {"role": "user", "content": "first\nwith lines"},
  {"role": "assistant", "content": "one \"quoted\" — <b>"}
]
`, string(text))
	want := said(c)
	for _, file := range []string{messages, session} {
		e := &talktest.Engine{Context: 1000}
		other := begin(t, e)
		do(t, other, "/load "+file)
		assert.Equal(t, want, said(other))
		answered(t, other, "second")
		assert.Contains(t, e.Prompt(0), "<assistant>one \"quoted\" — <b><user>second<assistant>")
		assert.Contains(t, do(t, other, "/load "+file).Note, "/switch 1 goes back", "what is at hand is not lost")
		assert.Equal(t, want, said(other))
		assert.Equal(t, "talk", other.Current().Name)
	}
}

func TestLoadReadsWhatTheAPITakes(t *testing.T) {
	dir := t.TempDir()
	load := func(text string) (*talk.Chat, error) {
		file := filepath.Join(dir, "file")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		c := begin(t, &talktest.Engine{Context: 1000})
		_, err := c.Do("/load " + file)
		return c, err
	}
	c, err := load("\uFEFF" + `{"model": "any", "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]}`)
	require.NoError(t, err)
	assert.Equal(t, "u:a\nb", said(c))
	a, err := c.Regenerate(context.Background())
	require.NoError(t, err)
	whole(t, a)
	assert.Equal(t, "u:a\nb a:I see.", said(c))
	for text, says := range map[string]string{
		`[]`:                               "there are no messages",
		`{"prompt": "a"}`:                  `the object has no "messages"`,
		`[{"content": "a"}]`:               "message 0 has no role",
		`[{"role": "user"}, 5]`:            "message 1 is not an object with a role",
		`hello`:                            "not valid JSON",
		"QuireKV\n5\n":                     `"quire run --load" goes on with it`,
		`{"messages": {"role": "user"}}`:   "a list is expected",
		`[{"role": "user", "content": "a"`: "the JSON ends too early",
	} {
		c, err := load(text)
		require.ErrorContains(t, err, says, text)
		assert.Empty(t, said(c))
	}
	c = begin(t, &talktest.Engine{Context: 1000})
	for line, says := range map[string]string{"/load": "needs a file", "/load " + dir: "no regular file", "/load " + dir + "/none": "no such file"} {
		_, err := c.Do(line)
		require.ErrorContains(t, err, says)
	}
}

func TestClean(t *testing.T) {
	assert.Equal(t, "a\tb\nc 漢字 é [31mred", talk.Clean("a\tb\nc 漢字 é \x1b[31mred\x07\u009b\r\u202e"))
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		assert.Equal(t, want, talk.Whole(n))
	}
	assert.Equal(t, "1 token", talk.Count(1, "token"))
	assert.Equal(t, "2,000 tokens", talk.Count(2000, "token"))
}
