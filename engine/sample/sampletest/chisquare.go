// Package sampletest judges draws against the distribution they should follow.
package sampletest

import (
	"cmp"
	"math"
	"slices"
)

// ChiSquare returns the probability that draws from the distribution fit it no better than counts do (Pearson's test).
// Cells are pooled, the rarest first, until each expects five draws or more. It is 0 when a token was drawn that cannot
// be.
func ChiSquare(distribution []float64, counts []int) float64 {
	ids := make([]int, 0, len(counts))
	draws := 0
	for id, n := range counts {
		draws += n
		if distribution[id] > 0 {
			ids = append(ids, id)
		} else if n > 0 {
			return 0
		}
	}
	slices.SortStableFunc(ids, func(a, b int) int { return cmp.Compare(distribution[a], distribution[b]) })
	type cell struct{ expected, observed float64 }
	var cells []cell
	var open cell
	for _, id := range ids {
		open.expected += distribution[id] * float64(draws)
		open.observed += float64(counts[id])
		if open.expected >= 5 {
			cells = append(cells, open)
			open = cell{}
		}
	}
	if len(cells) == 0 {
		return 1
	}
	cells[len(cells)-1].expected += open.expected
	cells[len(cells)-1].observed += open.observed
	var statistic float64
	for _, c := range cells {
		statistic += (c.observed - c.expected) * (c.observed - c.expected) / c.expected
	}
	if len(cells) == 1 {
		return 1
	}
	return upperTail(statistic, float64(len(cells)-1))
}

// upperTail is the regularised upper incomplete gamma function Q(degrees/2, x/2), by its series below the mean and its
// continued fraction above.
func upperTail(x, degrees float64) float64 {
	a, x := degrees/2, x/2
	if x <= 0 {
		return 1
	}
	lgamma, _ := math.Lgamma(a)
	front := math.Exp(a*math.Log(x) - x - lgamma)
	if x < a+1 {
		term, sum := 1/a, 1/a
		for n := a + 1; term > sum*1e-16; n++ {
			term *= x / n
			sum += term
		}
		return 1 - front*sum
	}
	// Lentz's method.
	const tiny = 1e-300
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for i := 1.0; i < 100000; i++ {
		n := -i * (i - a)
		b += 2
		d = n*d + b
		if math.Abs(d) < tiny {
			d = tiny
		}
		c = b + n/c
		if math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		h *= d * c
		if math.Abs(d*c-1) < 1e-14 {
			break
		}
	}
	return front * h
}
