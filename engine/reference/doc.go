// Package reference is the plain forward pass that every shader and the whole engine are tested
// against: textbook formulas on the CPU, in float64 wherever the result counts. Nothing here is
// tiled, fused or approximated, and nothing is shared with the engine but the file format.
//
// The operations are generic. In float64 they are the truth; the same formula in float32 measures
// how much a kernel may err.
package reference
