package schedule

// without takes what is gone out of a list. It is less code a type than slices.DeleteFunc, of which the tab has the more to load.
//
//go:noinline
func without[T any](list []T, gone func(T) bool) []T {
	kept := list[:0]
	for _, x := range list {
		if !gone(x) {
			kept = append(kept, x)
		}
	}
	clear(list[len(kept):])
	return kept
}
