// Package sha256 hashes. In the tab crypto/sha256 would bring in all that its FIPS module checks at start, 160 kB that a page waits for.
package sha256

// Size is the length of a sum.
const Size = 32
