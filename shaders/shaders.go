// Package shaders holds the WGSL kernels, one file each, and lib/ with the functions they share, and composes a kernel's
// final text: a header of constants, the libraries it takes, the kernel itself.
//
// A file says in its first lines what it takes:
//
//	//! include: NAME NAME            libraries, of lib/
//	//! slot NAME: CHOICE CHOICE      a library to be chosen among those, or those that a pattern such as dequant_* matches
//	//! const NAME: TYPE  MEANING     a constant (u32, f32, bool) of the header, or of the file that includes this one
//	//! most NAME: u32  MEANING       what a launch is at most, for turns
//
// and before a loop
//
//	//! turns: EXPRESSION             how many turns it makes at most, where no constant bounds it
//	//! unroll                        that a kernel composed with Unrolled has it written out
//
// and before a function of one line
//
//	//! inline                        that such a kernel has its calls written out
//
// Composition refuses what is used and not declared, declared and not given, given and not declared, chosen and not among
// the choices, and directives that it does not know.
//
// Where compilers differ:
//
// Mesa's lavapipe ends an invocation's loops after 65,535 turns in all, without a word. Turns counts a composed text's loops, and
// package kernel refuses more than that: attention then takes several launches, and products sum K in parts.
//
// Chromium's bounds checks cost most where they split a store, make a stride unknown, or put the load of a matrix fragment into a branch. Places in workgroup memory are written so
// that Tint sees their range: min, %, constants; not & or a function's parameter. Not all drivers unroll large loops themselves, so
// those that a kernel marks are written out when its text is composed, where its Spec is Unrolled.
//
// Any of them may assume that there is no NaN or infinity: no kernel makes or tests one by floats.
package shaders

import (
	"encoding/hex"
	"fmt"
	"sync"

	"quire/engine/sha256"
)

// Hash returns the SHA-256 of all kernels and libraries, in hex.
var Hash = sync.OnceValue(func() string {
	h := sha256.New()
	for _, path := range paths() {
		text, _ := read(path)
		text = Bare(text)
		fmt.Fprintf(h, "%s %d\n%s", path, len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))
})
