//go:build !js

package gpu

import "fmt"

// table names host objects by positive handles. A handle is never given twice, so a stale tape is found out instead of
// reaching another's memory. The caller locks.
type table[T comparable] struct {
	what  string
	items []T // items[0] is unused
}

func (t *table[T]) add(item T) int32 {
	if t.items == nil {
		t.items = make([]T, 1, 64)
	}
	t.items = append(t.items, item)
	return int32(len(t.items) - 1)
}

func (t *table[T]) get(handle int32) (T, error) {
	var none T
	if handle <= 0 || int(handle) >= len(t.items) || t.items[handle] == none {
		return none, fmt.Errorf("%w: %s %d", ErrReleased, t.what, handle)
	}
	return t.items[handle], nil
}

// has reports whether a handle names something, without building an error.
func (t *table[T]) has(handle int32) bool {
	var none T
	return handle > 0 && int(handle) < len(t.items) && t.items[handle] != none
}

func (t *table[T]) remove(handle int32) (T, bool) {
	var none T
	item, err := t.get(handle)
	if err != nil {
		return none, false
	}
	t.items[handle] = none
	return item, true
}
