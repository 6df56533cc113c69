#!/bin/bash
# The paragraphs of an item of a list run together in glamour: nothing is drawn between them, not even a blank.
#
# charm.land/glamour/v2 v2.0.1 from Go. In Markdown an item of a list may have several paragraphs, with an empty line between them;
# models often write so. glamour draws paragraphs of a list's item without their element, so the last word of one and the first of the
# next become one word. A line's end in place of the empty line keeps them apart: in items it is drawn, where it is a blank elsewhere.
#
# Output seen:
#   glamour v2.0.1
#     "1. one\n\n   explained": 1. oneexplained
#     "1. one\n   explained":   1. one / explained
#   confirmed
#
# Exits with 1 when glamour draws something else, and with 2 when it could not be tried.
# Needs Go.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOWORK=off
cat >main.go <<'END'
package main

import (
	"fmt"
	"os"
	"strings"

	"charm.land/glamour/v2"
	"charm.land/glamour/v2/styles"
)

func drawn(text string) string {
	r, err := glamour.NewTermRenderer(glamour.WithStyles(styles.NoTTYStyleConfig), glamour.WithWordWrap(40))
	if err == nil {
		text, err = r.Render(text)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " / ")
}

func main() {
	loose, tight := drawn("1. one\n\n   explained"), drawn("1. one\n   explained")
	fmt.Printf("glamour v2.0.1\n  %q: %s\n  %q:   %s\n", "1. one\n\n   explained", loose, "1. one\n   explained", tight)
	if loose != "1. oneexplained" || tight != "1. one / explained" {
		fmt.Println("changed")
		os.Exit(1)
	}
	fmt.Println("confirmed")
}
END
{
  go mod init items
  go get charm.land/glamour/v2@v2.0.1
  go build -o items .
} 2>log || { cat log; exit 2; }
./items
