// Command shrink takes out of a WebAssembly file that Go's linker wrote what the program can make for itself when it starts:
//
//	go run ./cmd/wasm/shrink FILE...
//
// The runtime finds a function by an address in a table of 16 entries a function. On WebAssembly an address is a function's number
// and a place in it, so that the table merely counts. But it takes 160 bytes of the file a function, a tenth of it in all. What
// the file holds instead is a loop that counts, which runs before the program does.
package main

import (
	"fmt"
	"os"
)

func main() {
	for _, name := range os.Args[1:] {
		if err := shrink(name); err != nil {
			fmt.Fprintf(os.Stderr, "shrink: %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

func shrink(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	m, err := parse(data)
	if err != nil {
		return err
	}
	if err := m.shrink(); err != nil {
		return err
	}
	return os.WriteFile(name, m.write(), 0o755)
}
