package sim

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/testdata"
)

func TestReadAzure(t *testing.T) {
	tests := []struct{ name, text string }{
		{"as published", "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.5000000,374,44\r\n2023-11-16 18:15:48.7500000,396,109\r\n"},
		{"by other names, with another column", "id,output,Arrival, prompt\na,44,10.5,374\nb,109,12.75,396"},
		{"byte order mark, out of order", "\ufeffTIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16T18:15:48.75Z,396,109\n2023-11-16T19:15:46.5+01:00,374,44\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Read(strings.NewReader(tt.text), Detect)
			require.NoError(t, err)
			for i := range got {
				assert.Contains(t, []int{2, 3}, got[i].Line)
				got[i].Line = 0
			}
			assert.Equal(t, []Request{{Prompt: 374, Output: 44}, {Arrival: 2250 * time.Millisecond, Prompt: 396, Output: 109}}, got)
		})
	}
}

func TestReadMooncake(t *testing.T) {
	const text = `{"timestamp": 3000, "input_length": 1100, "output_length": 5, "hash_ids": [9000000000, 7, 9]}

{"timestamp": 4500.5, "input_length": 513, "output_length": 1, "hash_ids": [9000000000, 8], "more": true}
{"timestamp": 4500.5, "input_length": 3, "output_length": 2}
`
	want := []Request{
		{Line: 1, Prompt: 1100, Output: 5, Hashes: []int32{0, 1, 2}},
		{Line: 3, Arrival: 1500500 * time.Microsecond, Prompt: 513, Output: 1, Hashes: []int32{0, 3}},
		{Line: 4, Arrival: 1500500 * time.Microsecond, Prompt: 3, Output: 2},
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for name, data := range map[string][]byte{"plain": []byte(text), "gzip": packed.Bytes()} {
		got, err := Read(bytes.NewReader(data), Detect)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	_, err = Read(bytes.NewReader(packed.Bytes()[:packed.Len()-9]), Detect)
	assert.Error(t, err, "a gzip file that ends early")
	for at, what := range map[int]string{2: "header", 12: "packed bytes", packed.Len() - 6: "checksum"} {
		bad := bytes.Clone(packed.Bytes())
		bad[at] ^= 0x77
		_, err := Read(bytes.NewReader(bad), Detect)
		assert.ErrorIs(t, err, ErrPacked, what)
	}
}

func TestReadNamesTheLine(t *testing.T) {
	const csv = "TIMESTAMP,ContextTokens,GeneratedTokens\n1,2,3\n"
	const json = `{"timestamp":0,"input_length":1,"output_length":1}` + "\n"
	tests := []struct {
		name, text string
		line       int
		says       string
	}{
		{"no header", "1,2,3\n", 1, "no column timestamp"},
		{"no output column", "TIMESTAMP,ContextTokens\n1,2\n", 1, "no column generatedtokens"},
		{"field missing", csv + "1,2\n", 3, "wrong number of fields"},
		{"quote", csv + "1,\"2,3\n", 3, "quote"},
		{"word for a number", csv + "1,2,3\n1,many,3\n", 4, `ContextTokens is "many"`},
		{"no output", csv + "1,2,0\n", 3, "GeneratedTokens is 0"},
		{"negative", csv + "1,-2,3\n", 3, "ContextTokens is -2"},
		{"too long", csv + "1,2000000000,3\n", 3, "ContextTokens is 2000000000"},
		{"no time", csv + "noon,2,3\n", 3, `arrival "noon"`},
		{"before its time", csv + "0001-01-01 00:00:00,2,3\n", 3, "2000 to 2200"},
		{"negative time", csv + "-1,2,3\n", 3, "arrival -1"},
		{"no time at all", csv + "nan,2,3\n", 3, "arrival NaN"},
		{"JSON broken", json + "{\n", 2, "unexpected end"},
		{"JSON of another kind", json + json + `{"timestamp":0,"input_length":"1","output_length":1}`, 3, "input_length"},
		{"JSON field missing", json + `{"timestamp":0,"input_length":1}`, 2, "missing"},
		{"JSON no output", json + `{"timestamp":0,"input_length":1,"output_length":0}`, 2, "output_length is 0"},
		{"JSON negative time", json + `{"timestamp":-5,"input_length":1,"output_length":1}`, 2, "arrival -5"},
		{"JSON hashes", json + `{"timestamp":0,"input_length":512,"output_length":1,"hash_ids":[1,2]}`, 2, "2 hash_ids for 512 tokens"},
		{"JSON line without end", json + strings.Repeat(" ", longestLine+1), 2, "longer than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(tt.text), Detect)
			var line *LineError
			require.ErrorAs(t, err, &line)
			assert.Equal(t, tt.line, line.Line)
			assert.ErrorContains(t, err, tt.says)
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for _, text := range []string{"", "TIMESTAMP,ContextTokens,GeneratedTokens\n"} {
		_, err := Read(strings.NewReader(text), Detect)
		assert.ErrorIs(t, err, ErrEmptyTrace)
	}
	_, err := Read(strings.NewReader("\n\n"), Mooncake)
	assert.ErrorIs(t, err, ErrEmptyTrace)
	_, err = Read(strings.NewReader("x"), "tea leaves")
	assert.ErrorIs(t, err, ErrFormat)
	broken := errors.New("broken")
	for _, format := range []Format{Azure, Mooncake} {
		_, err = Read(&failing{err: broken}, format)
		assert.ErrorIs(t, err, broken)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestPublishedTraces(t *testing.T) {
	tests := []struct {
		name                      string
		requests, prompts, output int
	}{
		{"traces/AzureLLMInferenceTrace_conv.csv", 19366, 22361870, 4088665},
		{"traces/mooncake_conversation_trace.jsonl.gz", 12031, 144793823, 4122048},
	}
	for _, tt := range tests {
		requests, err := Read(bytes.NewReader(testdata.Bytes(t, tt.name)), Detect)
		require.NoError(t, err)
		prompts, output := 0, 0
		for _, r := range requests {
			prompts += r.Prompt
			output += r.Output
		}
		assert.Equal(t, tt.requests, len(requests))
		assert.Equal(t, tt.prompts, prompts)
		assert.Equal(t, tt.output, output)
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,374,44\n",
		"prompt,arrival,output\n1,2.5,3\n9,1e9,\"4\"\n",
		`{"timestamp": 3000, "input_length": 1100, "output_length": 5, "hash_ids": [9, 7, 9]}` + "\n",
		"\x1f\x8b\x08\x00",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range []Format{Detect, Azure, Mooncake} {
			requests, err := Read(bytes.NewReader(data), format)
			if err != nil {
				continue
			}
			require.NotEmpty(t, requests)
			before := time.Duration(0)
			for _, r := range requests {
				require.Positive(t, r.Line)
				require.GreaterOrEqual(t, r.Arrival, before)
				require.Positive(t, r.Prompt)
				require.Positive(t, r.Output)
				require.LessOrEqual(t, len(r.Hashes), (r.Prompt+HashSpan-1)/HashSpan)
				before = r.Arrival
			}
		}
	})
}
