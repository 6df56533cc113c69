package main

import (
	"go/build"
	"path/filepath"
)

// onceFile has the standard library's functions that are called once.
func onceFile() string {
	return filepath.Join(build.Default.GOROOT, "src", "sync", "oncefunc.go")
}

// onceGo stands in for it with less code for each type of value. Where the function panics, later calls panic with a text of their own.
const onceGo = `package sync

type onceDone struct {
	Once
	done bool
}

func (o *onceDone) run(f func()) {
	o.Do(func() { f(); o.done = true })
	if !o.done {
		panic("sync: what is called once has panicked before")
	}
}

func OnceFunc(f func()) func() {
	o := &onceDone{}
	return func() { o.run(f) }
}

func OnceValue[T any](f func() T) func() T {
	o := &onceDone{}
	var result T
	return func() T {
		o.run(func() { result, f = f(), nil })
		return result
	}
}

func OnceValues[T1, T2 any](f func() (T1, T2)) func() (T1, T2) {
	o := &onceDone{}
	var first T1
	var second T2
	return func() (T1, T2) {
		o.run(func() { first, second = f(); f = nil })
		return first, second
	}
}
`
