//go:build js

// Program does what its first argument says, for the tests of wasmexec.
package main

import (
	"fmt"
	"os"
	"syscall/js"
)

func main() {
	switch os.Args[1] {
	case "exit":
		fmt.Println("out", os.Args[2:], os.Getenv("QUIRE_WASMEXEC_TEST"), os.Getenv("HOME") == "")
		fmt.Fprintln(os.Stderr, "err \xff é")
		fmt.Println("gpu", js.Global().Get("navigator").Get("gpu").Truthy(), js.Global().Get("quireGPU").Get("memory").Truthy())
		os.Exit(3)
	case "panic":
		panic("on purpose")
	case "throw":
		js.Global().Call("setTimeout", js.Global().Get("Function").New("Promise.reject(new Error('thrown'))"), 0)
		select {}
	case "busy":
		fmt.Println("busy")
		for {
		}
	}
}
