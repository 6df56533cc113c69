//go:build !windows

package pull

import (
	"errors"
	"syscall"
)

// isFull reports whether an error says that a disk, or what a user may have of it, is full.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
