// Command shrink makes the tab's programs smaller. Before they are built,
//
//	go run ./cmd/wasm/shrink --overlay FOLDER
//
// writes the shaders without comments into a folder, HTML's entities as one text, no settings of $GODEBUG, times that are printed as
// seconds, and less code for what is called once, for sorting and for some of what is done with slices, with overlay.json, by which "go build -overlay" takes them in. Afterwards,
//
//	go run ./cmd/wasm/shrink --scripts FOLDER
//
// writes the JavaScript in a folder without comments and blanks, and
//
//	go run ./cmd/wasm/shrink FILE... FOLDER
//
// writes WebAssembly files that Go's linker wrote into another folder, without what the program can make for itself when it starts.
//
// The runtime finds a function by an address in a table of 16 entries a function. On WebAssembly an address is a function's number
// and a place in it, so that the table merely counts. But it takes 160 bytes of the file a function, a tenth of it in all. And
// memory has zeros in most of its words, which a file of segments holds, too. What the file has instead are loops, which run
// before the program does: one spreads memory out, one counts, and some make of columns the records of functions. Files and lines of
// functions, which only a panic's text would tell, are left out.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "shrink:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 2 && arguments[0] == "--overlay" {
		return overlay(arguments[1])
	}
	if len(arguments) == 2 && arguments[0] == "--scripts" {
		return scripts(arguments[1])
	}
	if len(arguments) < 2 {
		return errors.New("files are wanted, and a folder")
	}
	folder := arguments[len(arguments)-1]
	for _, name := range arguments[:len(arguments)-1] {
		if err := shrink(name, filepath.Join(folder, filepath.Base(name))); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func shrink(from, to string) error {
	data, err := os.ReadFile(from)
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
	return os.WriteFile(to, m.write(), 0o644)
}
