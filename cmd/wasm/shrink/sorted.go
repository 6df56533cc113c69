package main

import (
	"go/build"
	"path/filepath"
)

// sortedFile sorts numbers and texts in the standard library, sortedFuncFile whatever a function compares.
func sortedFile() string { return inSlices("zsortordered.go") }

func sortedFuncFile() string { return inSlices("zsortanyfunc.go") }

func inSlices(name string) string { return filepath.Join(build.Default.GOROOT, "src", "slices", name) }

// sortedGo stands in for the first with a heap sort, which is a tenth of the code for each type of value.
const sortedGo = `package slices

import "cmp"

func pdqsortOrdered[E cmp.Ordered](data []E, a, b, limit int) {
	pdqsortCmpFunc(data, a, b, limit, cmp.Compare[E])
}
`

// sortedFuncGo stands in for the second likewise. What keeps the order of equals is an insertion sort: the tab has a few ways to sort so.
const sortedFuncGo = `package slices

func pdqsortCmpFunc[E any](data []E, a, b, _ int, compare func(a, b E) int) {
	heap := data[a:b]
	for i, end := len(heap)/2, len(heap); end > 1; {
		if i > 0 {
			i--
		} else {
			end--
			heap[0], heap[end] = heap[end], heap[0]
		}
		for at := i; ; {
			child := 2*at + 1
			if child >= end {
				break
			}
			if child+1 < end && compare(heap[child], heap[child+1]) < 0 {
				child++
			}
			if compare(heap[at], heap[child]) >= 0 {
				break
			}
			heap[at], heap[child] = heap[child], heap[at]
			at = child
		}
	}
}

func stableCmpFunc[E any](data []E, n int, compare func(a, b E) int) {
	for i := 1; i < n; i++ {
		for j := i; j > 0 && compare(data[j], data[j-1]) < 0; j-- {
			data[j], data[j-1] = data[j-1], data[j]
		}
	}
}
`
