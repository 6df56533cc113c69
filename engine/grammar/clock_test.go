//go:build !linux

package grammar

import "time"

var began = time.Now()

func threadTime() time.Duration { return time.Since(began) }
