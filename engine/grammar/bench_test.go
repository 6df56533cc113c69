package grammar

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// large is a vocabulary of 128,000 tokens and more: that of QUIRE_VOCABULARY, a JSON list of tokens in hexadecimal of which
// the last is the end; or else one that is made, of words as long as those of usual ones.
func large(t testing.TB) *Vocabulary {
	var tokens [][]byte
	if path := os.Getenv("QUIRE_VOCABULARY"); path != "" {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		var list []string
		require.NoError(t, json.Unmarshal(raw, &list))
		for _, h := range list {
			b, err := hex.DecodeString(h)
			require.NoError(t, err)
			tokens = append(tokens, b)
		}
	} else {
		rnd := rand.New(rand.NewPCG(1, 2))
		seen := map[string]bool{}
		add := func(s string) {
			if s != "" && !seen[s] {
				seen[s] = true
				tokens = append(tokens, []byte(s))
			}
		}
		for b := range 256 {
			add(string([]byte{byte(b)}))
		}
		for n := 2; n <= 128; n *= 2 {
			add(strings.Repeat(" ", n))
			add(strings.Repeat("=", n))
		}
		letters := "etaoinshrdlucmfwypvbgkjqxz"
		for len(tokens) < 128_000 {
			word := ""
			for range 1 + int(rnd.ExpFloat64()*4) {
				word += string(letters[int(float64(26)*rnd.Float64()*rnd.Float64())])
			}
			switch k := rnd.IntN(20); {
			case k < 8:
				word = " " + word
			case k < 10:
				word = " " + strings.ToUpper(word[:1]) + word[1:]
			case k == 10:
				word += []string{`":`, `",`, `"`, `",`, `"}`, `."`, `()`, `{`, `: "`, `,`}[rnd.IntN(10)]
			case k == 11:
				word = fmt.Sprint(rnd.IntN(1000))
			case k == 12:
				word = string([]rune{rune(0x4e00 + rnd.IntN(8000)), rune(0x4e00 + rnd.IntN(8000))})
			case k == 13:
				word = string([]rune{rune(0x430 + rnd.IntN(32)), rune(0x430 + rnd.IntN(32)), rune(0x430 + rnd.IntN(32))})
			case k == 14:
				word = []string{"\n", "\t", `"`, `{"`, `["`, ` "`, "}"}[rnd.IntN(7)] + word
			}
			add(word)
		}
		tokens = append(tokens, nil)
	}
	end := int32(len(tokens) - 1)
	return NewVocabulary(tokens, []int32{end}, []int32{end})
}

// tools is a schema of many tools whose text is about so many bytes.
func tools(bytes int) string {
	out := `{"anyOf":[`
	for i := 0; len(out) < bytes; i++ {
		if i > 0 {
			out += ","
		}
		out += fmt.Sprintf(`{"type":"object","description":"Calls one of many tools.","properties":{"name":{"const":"tool_%[1]d"},`+
			`"arguments":{"type":"object","properties":{"query":{"type":"string","minLength":1,"maxLength":10%[1]d},`+
			`"limit":{"type":"integer","minimum":1,"maximum":1%[1]d},"tags":{"type":"array","items":{"type":"string","maxLength":40},"maxItems":20},`+
			`"unit":{"enum":["metre","second","unit%[1]d"]},"when":{"anyOf":[{"type":"null"},{"type":"string","format":"date-time"}]}},`+
			`"required":["query","limit","tags","unit","when"],"additionalProperties":false}},"required":["name","arguments"],"additionalProperties":false}`, i)
	}
	return out + "]}"
}

func BenchmarkCompile(b *testing.B) {
	for _, size := range []int{1_000, 100_000, 1_000_000} {
		source := tools(size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for b.Loop() {
				if _, err := Compile(JSONSchema, source, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var measured = []struct{ name, schema string }{
	{"person", `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":150},"email":{"type":"string","format":"email"},` +
		`"tags":{"type":"array","items":{"type":"string","maxLength":30},"maxItems":5},"address":{"type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}},` +
		`"required":["street","city"],"additionalProperties":false}},"required":["name","age","email","tags","address"],"additionalProperties":false}`},
	{"free", `{"type":"object"}`},
	{"pattern", `{"type":"object","properties":{"id":{"type":"string","pattern":"^[A-Z]{2}-[a-z ]+$"},"note":{"type":"string","maxLength":100000},"w":{"type":"string","pattern":"foo"}},"required":["id","note","w"]}`},
	{"tools", tools(100_000)},
}

// BenchmarkMask draws texts and reports how long their masks take.
func BenchmarkMask(b *testing.B) {
	v := large(b)
	b.Logf("%d tokens, a trie of %d nodes", v.Size(), len(v.nodes))
	for _, c := range measured {
		b.Run(c.name, func(b *testing.B) {
			g, err := Compile(JSONSchema, c.schema, Limits{})
			require.NoError(b, err)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			start := threadTime()
			m := g.Matcher(v)
			ahead := threadTime() - start
			var times []time.Duration
			rnd := rand.New(rand.NewPCG(3, 4))
			mask := make([]uint32, v.MaskWords())
			for b.Loop() {
				s := m.Clone()
				for step := 0; step < 150 && !s.Finished(); step++ {
					start := threadTime()
					require.NoError(b, s.Mask(mask))
					times = append(times, threadTime()-start)
					require.True(b, s.Accept(choose(v, mask, rnd, step)))
				}
			}
			sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
			b.ReportMetric(float64(times[len(times)/2].Microseconds()), "µs-median")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "µs-p99")
			b.ReportMetric(float64(times[len(times)-1].Microseconds()), "µs-most")
			b.ReportMetric(float64(ahead.Milliseconds()), "ms-ahead")
			b.ReportMetric(float64(len(times)), "masks")
		})
	}
}

// BenchmarkFirstText draws a text under a grammar that nothing is known of yet, and reports what its masks take, and what telling where
// tokens lead does, with the masks there.
func BenchmarkFirstText(b *testing.B) {
	v := large(b)
	for _, c := range measured {
		b.Run(c.name, func(b *testing.B) {
			g, err := Compile(JSONSchema, c.schema, Limits{})
			require.NoError(b, err)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var masks, next, fills time.Duration
			timed := func(to *time.Duration, do func()) {
				start := threadTime()
				do()
				*to += threadTime() - start
			}
			mask, behind := make([]uint32, v.MaskWords()), make([]uint32, v.MaskWords())
			texts := 0
			for b.Loop() {
				rnd := rand.New(rand.NewPCG(3, 4))
				m := g.Matcher(v)
				for step := 0; step < 150 && !m.Finished(); step++ {
					timed(&masks, func() { require.NoError(b, m.Mask(mask)) })
					var list []*Next
					timed(&next, func() { list = m.Next() })
					timed(&fills, func() {
						for _, n := range list[:min(6, len(list))] {
							require.NoError(b, n.Mask(behind))
						}
					})
					require.True(b, m.Accept(choose(v, mask, rnd, step)))
				}
				texts++
			}
			b.ReportMetric(float64(masks.Microseconds())/float64(texts), "µs-masks")
			b.ReportMetric(float64(next.Microseconds())/float64(texts), "µs-next")
			b.ReportMetric(float64(fills.Microseconds())/float64(texts), "µs-behind")
		})
	}
}

// choose draws a token of a mask, and lets texts end after a while.
func choose(v *Vocabulary, mask []uint32, rnd *rand.Rand, step int) int32 {
	if step%9 == 8 {
		for id, text := range v.tokens {
			if (string(text) == `"` || string(text) == `",`) && mask[id>>5]>>(id&31)&1 != 0 {
				return int32(id)
			}
		}
	}
	n := 0
	for _, w := range mask {
		for ; w != 0; w &= w - 1 {
			n++
		}
	}
	n = rnd.IntN(n)
	for i, w := range mask {
		for ; w != 0; w &= w - 1 {
			if n == 0 {
				return int32(i*32 + trailing(w))
			}
			n--
		}
	}
	return -1
}
