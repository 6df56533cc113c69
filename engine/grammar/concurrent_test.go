package grammar

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestCompileAtOnce compiles sources of every kind beside one another, and reads texts with one grammar from several goroutines:
// the race detector tells what they share.
func TestCompileAtOnce(t *testing.T) {
	v := mixed(20)
	shared := matcher(t, Regex, `[a-z]{100,200}`)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for kind, source := range map[Kind]string{
				Regex: `(?:(?i)b){2,9}|\w+`, GBNF: "root ::= (\"\" | [a-z])? root2\nroot2 ::= \"x\" | \"\"",
				JSONSchema: `{"type":["object","array","string","number"],"format":"date","minProperties":1,"maxItems":9,"items":{"type":["number","array"],"minItems":3},"properties":{"a":{"not":{"type":"number"}}},"additionalProperties":false}`,
			} {
				g, err := Compile(kind, source, Limits{})
				if assert.NoError(t, err) {
					assert.NoError(t, g.Matcher(v).Mask(make([]uint32, v.MaskWords())))
				}
			}
			assert.True(t, accepts(shared, strings.Repeat("x", 200)))
			assert.False(t, accepts(shared, strings.Repeat("x", 201)))
		})
	}
	all.Wait()
}
