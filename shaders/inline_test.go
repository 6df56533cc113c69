package shaders

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInline(t *testing.T) {
	for _, c := range []struct{ name, text, want, err string }{
		{"a call", "//! inline\nfn f(at: u32) -> u32 { return at + 1u; }\nlet x = f(2u);", "\n\nlet x = 2u + 1u;", ""},
		{"no result", "//! inline\nfn put(s: u32, x: f32) { room[s] = x; }\nput(i, 1.0);", "\n\nroom[i] = 1.0;", ""},
		{"arguments with commas and brackets", "//! inline\nfn f(a: u32, b: u32) -> u32 { return a * b; }\nx = f(max(1u, k[2u]), 3u) + f(1u, 2u);", "\n\nx = max(1u, k[2u]) * 3u + 1u * 2u;", ""},
		{"arguments that are named as parameters", "//! inline\nfn f(a: u32, b: u32) -> u32 { return a - b; }\nx = f(b, a);", "\n\nx = b - a;", ""},
		{"other names", "//! inline\nfn f(a: u32) -> u32 { return a; }\nx = of(1u) + f2(2u) + f;", "\n\nx = of(1u) + f2(2u) + f;", ""},
		{"one that calls it", "//! inline\nfn f(a: u32) -> u32 { return a; }\nfn g(a: u32) -> u32 { return f(a); }", "\n\nfn g(a: u32) -> u32 { return a; }", ""},
		{"without blanks", "//! inline\nfn f(a:u32,b:u32)->u32{return(a-b)*b;}\n//! inline\nfn put(s:u32,x:f32){returned[s]=x;}\nx=f(1u,c);put(2u,y);", "\n\n\n\nx=(1u-c)*c;returned[2u]=y;", ""},
		{"two statements", "//! inline\nfn f(a: u32) -> u32 {\n", "", "cannot be written out"},
		{"nothing", "//! inline", "", "no function follows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := inline(c.text)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}
