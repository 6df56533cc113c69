package toolcall

import (
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// check holds what is true of any text in any format: where it is cut changes nothing, the arguments of all calls but one that the
// text's end cuts off are JSON, without calls nothing is lost, and without tools nothing is a call.
func check(t *testing.T, f Format, text string, at int) {
	whole := parse(t, f, testTools, "", text)
	at = max(0, min(at, len(text)))
	require.Equal(t, whole, parse(t, f, testTools, "", text[:at], text[at:]), "cut at byte %d of %q", at, text)
	for i, c := range whole.Calls {
		if i < len(whole.Calls)-1 {
			require.True(t, json.Valid([]byte(c.Arguments)), "%q\n%s", text, c.Arguments)
		}
	}
	plain := f
	plain.thinking = nil
	if got := parse(t, plain, testTools, "", text); len(got.Calls) == 0 && f.syntax.messages == nil && utf8.ValidString(text) {
		require.Equal(t, text, got.Content)
	}
	require.Empty(t, parse(t, f, nil, "", text).Calls)
}

// TestAnyText puts texts together from pieces that mean something to a format.
func TestAnyText(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("a tab is slow, and the code is the same")
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			f, err := Named(name)
			require.NoError(t, err)
			pieces := append(f.Marks(), "{", "}", "[", "]", "(", ")", ",", ":", "=", `"`, "'", "\\", "\n", " ", "<", "|", "name", "arguments", `{"name": "now", "arguments": {`,
				`"place"`, "place", "now", "get_weather", "1", "true", "functions.now", "call:", "é", "<function=", "<parameter=place>", "</parameter>", "</function>",
				"to=", "x", "```", `<invoke name="`, `">`)
			rapid.Check(t, func(r *rapid.T) {
				text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 30).Draw(r, "pieces"), "")
				check(t, f, text, rapid.IntRange(0, len(text)).Draw(r, "at"))
			})
		})
	}
}

// fuzz starts from the texts of a family.
func fuzz(f *testing.F, name string) {
	format, err := Named(name)
	require.NoError(f, err)
	if data, err := os.ReadFile("testdata/" + name + ".txt"); err == nil {
		for c := range strings.SplitSeq("\n"+string(data), "\n### ") {
			_, rest, _ := strings.Cut(c, "\n")
			text, _, _ := strings.Cut(rest, "\n---")
			f.Add(text, len(text)/2)
		}
	}
	for _, mark := range format.Marks() {
		f.Add(mark+"{", 1)
	}
	f.Fuzz(func(t *testing.T, text string, at int) { check(t, format, text, at) })
}

func FuzzHermes(f *testing.F)    { fuzz(f, "hermes") }
func FuzzQwenCoder(f *testing.F) { fuzz(f, "qwen3-coder") }
func FuzzLlama(f *testing.F)     { fuzz(f, "llama3") }
func FuzzMistral(f *testing.F)   { fuzz(f, "mistral") }
func FuzzLFM(f *testing.F)       { fuzz(f, "lfm2") }
func FuzzGemma(f *testing.F)     { fuzz(f, "gemma4") }
func FuzzHarmony(f *testing.F)   { fuzz(f, "harmony") }
func FuzzDeepSeek(f *testing.F)  { fuzz(f, "deepseek") }
func FuzzGranite(f *testing.F)   { fuzz(f, "granite") }
func FuzzPhi(f *testing.F)       { fuzz(f, "phi") }
func FuzzGLM(f *testing.F)       { fuzz(f, "glm") }
func FuzzKimi(f *testing.F)      { fuzz(f, "kimi") }
func FuzzMiniMax(f *testing.F)   { fuzz(f, "minimax") }
func FuzzApertus(f *testing.F)   { fuzz(f, "apertus") }

// FuzzValue turns values of each dialect into JSON.
func FuzzValue(f *testing.F) {
	for _, text := range []string{`{"a": [1, 2.5e3, true, null, "b\n\u00e9"]}`, `{'a': (1, None), b: """c"""}`, `{a:<|"|>b<|"|>,c:[]}`, "[1_0, 0x1F, .5, +2.]", `"\x41\101\q"`} {
		f.Add(text, 3)
	}
	dialects := []dialect{jsonDialect, python, gemma, functionGemma}
	f.Fuzz(func(t *testing.T, text string, at int) {
		for _, d := range dialects {
			if told := convert(text, d); told != "" && utf8.ValidString(text) {
				require.True(t, json.Valid([]byte(told)), "%q\n%q", text, told)
			}
			if json.Valid([]byte(text)) && !slices.ContainsFunc([]string{"'", `\`}, func(s string) bool { return strings.Contains(text, s) }) {
				require.True(t, same(text, convert(text, jsonDialect)), "%q", text)
			}
		}
	})
}
