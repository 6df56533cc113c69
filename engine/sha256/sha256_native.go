//go:build !js

package sha256

import (
	"crypto/sha256"
	"hash"
)

// New returns a hash that is empty.
func New() hash.Hash { return sha256.New() }

// Sum256 returns the sum of data.
func Sum256(data []byte) [Size]byte { return sha256.Sum256(data) }
