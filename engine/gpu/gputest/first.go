//go:build !js && !cogentcore

package gputest

// First is whether this is the host that the others repeat: the default native binding. They compile the same kernels' texts.
const First = true
