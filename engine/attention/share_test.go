//go:build !cogentcore

package attention

import "runtime"

// caseShare says that one of so many cases of a covering set runs: all of them on the native host, fewer where kernels take
// long to compile. QUIRE_ALL runs them all everywhere.
func caseShare() int {
	if runtime.GOOS == "js" && !everything() {
		return 8
	}
	return 1
}
