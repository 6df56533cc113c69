// Package breath lets others have their turn in long work, where a thread is all there is: in the tab JavaScript and Go share one.
package breath
