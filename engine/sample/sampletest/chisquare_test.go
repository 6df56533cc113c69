package sampletest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestChiSquare(t *testing.T) {
	fair := []float64{0.25, 0.25, 0.25, 0.25, 0}
	assert.InDelta(t, 1, ChiSquare(fair, []int{25, 25, 25, 25, 0}), 1e-12)
	// Tables give 7.815 as the 5 % point of three degrees of freedom, and 3.841 of one.
	assert.InDelta(t, 0.05, upperTail(7.8147, 3), 1e-4)
	assert.InDelta(t, 0.05, upperTail(3.8415, 1), 1e-4)
	assert.InDelta(t, 0.05, upperTail(124.3421, 100), 1e-4)
	assert.Less(t, ChiSquare(fair, []int{60, 20, 10, 10, 0}), 1e-6)
	assert.Zero(t, ChiSquare(fair, []int{25, 25, 25, 24, 1}), "a token that cannot be drawn")
}
