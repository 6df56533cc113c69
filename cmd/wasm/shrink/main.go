// Command shrink makes the tab's programs smaller. Before they are built,
//
//	go run ./cmd/wasm/shrink --shaders FOLDER
//
// writes the shaders without comments into a folder, with overlay.json, by which "go build -overlay" takes them in. Afterwards,
//
//	go run ./cmd/wasm/shrink FILE...
//
// takes out of a WebAssembly file that Go's linker wrote what the program can make for itself when it starts.
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
	err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "shrink:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 2 && arguments[0] == "--shaders" {
		return bareShaders(arguments[1])
	}
	for _, name := range arguments {
		if err := shrink(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
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
