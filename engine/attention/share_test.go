package attention

import "quire/engine/gpu/gputest"

// caseShare says that one of so many cases of a set runs: all of them on the first host, few on those that compile the same
// texts after it. QUIRE_ALL runs them all everywhere.
func caseShare() int {
	if !gputest.First && !everything() {
		return 8
	}
	return 1
}
