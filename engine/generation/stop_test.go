package generation

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/tokenizer"
)

func TestStopper(t *testing.T) {
	tests := []struct {
		name  string
		stops []string
		parts []string
		want  []string // what each part lets out
		hit   bool
		flush string
	}{
		{"none", nil, []string{"a", "b"}, []string{"a", "b"}, false, ""},
		{"whole in one part", []string{"END"}, []string{"one END two"}, []string{"one "}, true, ""},
		{"across parts", []string{"END"}, []string{"one E", "N", "D two"}, []string{"one ", "", ""}, true, ""},
		{"false start", []string{"END"}, []string{"E", "N", "x"}, []string{"", "", "ENx"}, false, ""},
		{"restarts inside itself", []string{"aab"}, []string{"aa", "ab"}, []string{"", "a"}, true, ""},
		{"held at the end", []string{"END"}, []string{"xEN"}, []string{"x"}, false, "EN"},
		{"the earliest wins", []string{"two", "one"}, []string{"a one two"}, []string{"a "}, true, ""},
		{"the longest beginning is kept", []string{"b", "abc"}, []string{"xab"}, []string{"xa"}, true, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := stopper{stops: test.stops}
			hit := false
			for i, part := range test.parts {
				var out string
				out, hit = s.push(part)
				assert.Equal(t, test.want[i], out, "part %d", i)
			}
			assert.Equal(t, test.hit, hit)
			assert.Equal(t, test.flush, s.flush())
		})
	}
}

// TestStopAtControlToken: the names of control tokens, in angle brackets here, are not shown, and stop texts may hold them.
func TestStopAtControlToken(t *testing.T) {
	for _, test := range []struct {
		name  string
		stops []string
		parts []string
		want  string
		hit   bool
	}{
		{"alone", []string{"<sep>"}, []string{"a", "<sep>", "b"}, "a", true},
		{"not a stop", []string{"<end>"}, []string{"a", "<sep>", "b"}, "ab", false},
		{"before text", []string{"<sep>b"}, []string{"a", "<sep>", "b"}, "a", true},
		{"after text", []string{"a<sep>"}, []string{"xa", "<sep>", "b"}, "x", true},
		{"two of them", []string{"<end>\n<sep>"}, []string{"a", "<end>", "\n", "<sep>", "b"}, "a", true},
		{"false start", []string{"<end>\n<sep>"}, []string{"a", "<end>", "\n", "b"}, "a\nb", false},
		{"shown text around one", []string{"ab"}, []string{"xa", "<sep>", "b"}, "x", true},
		{"the earliest wins", []string{"b", "<sep>"}, []string{"a", "<sep>", "b"}, "a", true},
		{"part of a name", []string{"sep", ">", "<s", ">b"}, []string{"a", "<sep>", "b"}, "ab", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := stopper{stops: test.stops}
			got, hit := "", false
			for _, part := range test.parts {
				push := s.push
				if part[0] == '<' {
					push = s.pushHidden
				}
				var out string
				out, hit = push(part)
				if got += out; hit {
					break
				}
			}
			assert.Equal(t, test.hit, hit)
			assert.Equal(t, test.want, got+s.flush())
		})
	}
}

// TestStopTexts: a request's stop text may name a control token, whether or not the output shows those.
func TestStopTexts(t *testing.T) {
	v := &tokenizer.Vocabulary{Model: "gpt2", Pre: "gpt-2", Merges: []string{"y z"}, IDs: map[string]int32{}}
	for b := range 256 {
		v.Tokens, v.Types = append(v.Tokens, tokenizer.ByteToken(byte(b))), append(v.Types, tokenizer.Normal)
	}
	v.Tokens = append(v.Tokens, "<|sep|>", "<tool>", "<|end|>", "yz")
	v.Types = append(v.Types, tokenizer.Control, tokenizer.UserDefined, tokenizer.Control, tokenizer.Normal)
	v.IDs["tokenizer.ggml.eos_token_id"] = 258
	tok, err := tokenizer.FromVocabulary(v)
	require.NoError(t, err)
	ids := []int32{'a', 256, 'b', 257, 'c', 258, 'd'}
	for _, test := range []struct {
		stop    string
		special bool
		want    string
	}{
		{"", false, "ab<tool>cd"}, {"<|sep|>", false, "a"}, {"<|sep|>", true, "a"}, {"<tool>", false, "ab"}, {"<tool>", true, "a<|sep|>b"},
		{"<|end|>", false, "ab<tool>c"}, {"a<|sep|>b<tool>", false, ""}, {"x", true, "a<|sep|>b<tool>c<|end|>d"},
	} {
		r := Request{Prompt: []int32{'x'}, IgnoreEnd: true, Special: test.special}
		if test.stop != "" {
			r.Stop = []string{test.stop}
		}
		q := New(r, tok, &output{}).Live[0]
		for i, id := range ids {
			reason := schedule.Going
			if i == len(ids)-1 {
				reason = schedule.Length
			}
			if q.take(sample.Token{Candidate: sample.Candidate{ID: id}}, reason) {
				break
			}
		}
		assert.Equal(t, test.want, string(q.text), "%+v", test)
	}
}

// Before MinTokens stop texts are text; one that ends later counts, wherever it begins.
func TestStopTextsBeforeMinTokens(t *testing.T) {
	for _, test := range []struct {
		stop      string
		minTokens int
		want      string
		stopped   bool
	}{
		{"b", 0, "a", true}, {"b", 1, "a", true}, {"b", 2, "abcda", true}, {"ab", 2, "abcd", true}, {"bc", 2, "a", true}, {"bc", 3, "abcdab", false},
		{"ab", 5, "abcd", true}, {"ab", 6, "abcdab", false},
	} {
		r := Request{Prompt: []int32{'x'}, Stop: []string{test.stop}, MinTokens: test.minTokens}
		out := &output{}
		q := New(r, byteTokenizer(t), out).Live[0]
		stopped := false
		for i, id := range "abcdab" {
			reason := schedule.Going
			if i == 5 {
				reason = schedule.Length
			}
			if stopped = q.take(letter(id), reason); stopped {
				break
			}
		}
		assert.Equal(t, test.want, string(q.text), "%+v", test)
		assert.Equal(t, test.stopped, stopped, "%+v", test)
	}
}

func letter(id rune) sample.Token { return sample.Token{Candidate: sample.Candidate{ID: id}} }

// byteTokenizer has a token a byte.
func byteTokenizer(t testing.TB) *tokenizer.Tokenizer {
	v := &tokenizer.Vocabulary{Model: "gpt2", Pre: "gpt-2", Merges: []string{"y z"}, IDs: map[string]int32{}}
	for b := range 256 {
		v.Tokens, v.Types = append(v.Tokens, tokenizer.ByteToken(byte(b))), append(v.Types, tokenizer.Normal)
	}
	v.Tokens, v.Types = append(v.Tokens, "yz"), append(v.Types, tokenizer.Normal)
	tok, err := tokenizer.FromVocabulary(v)
	require.NoError(t, err)
	return tok
}
