package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
)

// TestByteOrderMark: the mark that some editors write first is no part of a prompt.
func TestByteOrderMark(t *testing.T) {
	const mark = "\xef\xbb\xbf"
	for _, tt := range []struct {
		name, text string
		want       []string
		reason     string
	}{
		{"lines", mark + "Once upon\r\nA dog\r\n", []string{"Once upon", "A dog"}, ""},
		{"JSON Lines", mark + "{\"prompt\":\"Once upon\"}\n{\"prompt\":\"A dog\"}\n", []string{"Once upon", "A dog"}, ""},
		{"JSON Lines after white space", mark + "\r\n {\"prompt\":\"A dog\"}\r\n", []string{"A dog"}, ""},
		{"only at the start", "a\n" + mark + "b\n", []string{"a", mark + "b"}, ""},
		{"nothing else", mark, nil, "holds no prompts"},
		{"UTF-16", "\xff\xfeA\x00", nil, "UTF-16"},
		{"UTF-16, big-endian", "\xfe\xff\x00A", nil, "UTF-16"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			jobs, err := readPrompts(&host{in: strings.NewReader(tt.text)}, "-", job{})
			if tt.reason != "" {
				assert.ErrorContains(t, err, tt.reason)
				return
			}
			require.NoError(t, err)
			var got []string
			for _, j := range jobs {
				got = append(got, j.Prompt)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// As in the tab, stop is one text or a list of them.
func TestPromptsStop(t *testing.T) {
	for given, want := range map[string][]string{`"."`: {"."}, `[".", "!"]`: {".", "!"}, `[]`: {}, `null`: {"flag"}} {
		j, err := parseLine([]byte(`{"prompt": "A", "stop": `+given+`}`), job{Stop: []string{"flag"}})
		require.NoError(t, err, given)
		assert.ElementsMatch(t, want, j.Stop, given)
	}
	for given, want := range map[string]string{`5`: "stop must be a text or a list of texts", `[5]`: "stop must be a text or a list of texts", `""`: "a stop text is empty"} {
		_, err := parseLine([]byte(`{"prompt": "A", "stop": `+given+`}`), job{})
		assert.ErrorContains(t, err, want, given)
	}
}

func TestPromptsMinTokens(t *testing.T) {
	j, err := parseLine([]byte(`{"prompt": "A", "min_tokens": 4}`), job{MaxTokens: 9, Sample: sample.Defaults()})
	require.NoError(t, err)
	assert.Equal(t, 4, j.MinTokens)
	for _, wrong := range []string{`"min_tokens": 10`, `"min_tokens": -1`, `"min_tokens": 4, "max_tokens": 3`} {
		_, err = parseLine([]byte(`{"prompt": "A", `+wrong+`}`), job{MaxTokens: 9, Sample: sample.Defaults()})
		assert.ErrorContains(t, err, "min_tokens is ", wrong)
	}
}

func TestPromptsPenalties(t *testing.T) {
	base := job{Sample: sample.Defaults()}
	base.Sample.LogitBias = map[int32]float64{9: 1}
	j, err := parseLine([]byte(`{"prompt": "A", "repetition_penalty": 1.1, "frequency_penalty": -0.5, "presence_penalty": 2, "logit_bias": {"5": -100, "7": 1.5},
		"dry_multiplier": 0.8, "dry_range": 64, "dry_sequence_breakers": []}`), base)
	require.NoError(t, err)
	want := sample.Defaults()
	want.RepetitionPenalty, want.FrequencyPenalty, want.PresencePenalty = 1.1, -0.5, 2
	want.LogitBias = map[int32]float64{5: -100, 7: 1.5}
	want.DRY = sample.NewDRY(0.8)
	want.DRY.Range, want.DRY.Breakers = 64, []string{}
	assert.Equal(t, want, j.Sample)
	assert.Equal(t, map[int32]float64{9: 1}, base.Sample.LogitBias, "other lines keep the flags'")

	for wrong, says := range map[string]string{
		`"repetition_penalty": 0`:                            "repetition_penalty is 0, it must be between 0.001 and 1000; 1 is none",
		`"presence_penalty": 2.5`:                            "presence_penalty is 2.5, it must be between -2 and 2",
		`"frequency_penalty": "a"`:                           `"frequency_penalty" is text, it must be a number`,
		`"logit_bias": {"a": 1}`:                             `logit_bias is "a", it must be a map from token ids to numbers`,
		`"logit_bias": {"3": 101}`:                           "logit_bias of token 3 is 101, it must be between -100 and 100",
		`"logit_bias": [3]`:                                  `"logit_bias" is a list`,
		`"dry_base": 2`:                                      "set dry_multiplier too",
		`"dry_multiplier": 1, "dry_base": 0.5`:               "dry_base is 0.5, it must be between 1 and 100",
		`"dry_multiplier": 1, "dry_sequence_breakers": [""]`: "dry_sequence_breakers is",
		`"dry_multiplier": 1, "dry_allowed_length": -1`:      "dry_allowed_length is -1",
		`"dry_multiplier": 101`:                              "dry_multiplier is 101",
	} {
		_, err := parseLine([]byte(`{"prompt": "A", `+wrong+`}`), job{Sample: sample.Defaults()})
		assert.ErrorContains(t, err, says, wrong)
	}
}

func TestPenaltyFlags(t *testing.T) {
	x, n := 1.2, 3
	flags := samplingFlags{LogitBias: []string{"5=-100", " 7 = 1e1"}, RepetitionPenalty: &x, DRYMultiplier: &x, DRYAllowedLength: &n, DRYSequenceBreakers: []string{"none"}}
	var p sample.Params
	require.NoError(t, flags.penalties(&p))
	assert.Equal(t, map[int32]float64{5: -100, 7: 10}, p.LogitBias)
	assert.Equal(t, sample.DRY{Multiplier: 1.2, Base: 1.75, AllowedLength: 3, Breakers: []string{}}, p.DRY)
	for _, wrong := range []string{"5", "=1", "a=1", "-1=5", "5=", "5=b", "99999999999=1"} {
		assert.ErrorContains(t, (&samplingFlags{LogitBias: []string{wrong}}).penalties(&sample.Params{}), "ID=BIAS")
	}
	assert.ErrorContains(t, (&samplingFlags{LogitBias: []string{"5=1", "5=2"}}).penalties(&sample.Params{}), "twice")
	zero := 0.0
	assert.ErrorContains(t, (&samplingFlags{RepetitionPenalty: &zero}).penalties(&sample.Params{}), "repetition_penalty is 0")
	none := sample.Params{}
	require.NoError(t, (&samplingFlags{}).penalties(&none))
	assert.False(t, none.Penalizes())
}
