package kernel

// MaxWorkgroups is how many workgroups every adapter takes along one dimension of a dispatch.
const MaxWorkgroups = 65535

// Fold spreads n workgroups over two dimensions of a dispatch: a shader finds its number as y·MaxWorkgroups + x and
// does nothing past the end.
func Fold(n int) (x, y uint32) {
	if n <= 0 {
		return 0, 0
	}
	return uint32(min(n, MaxWorkgroups)), uint32((n + MaxWorkgroups - 1) / MaxWorkgroups)
}
