package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
