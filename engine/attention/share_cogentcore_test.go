//go:build cogentcore

package attention

// caseShare says that one of so many cases of a covering set runs: the kernels' texts are those of the default binding.
func caseShare() int {
	if everything() {
		return 1
	}
	return 4
}
