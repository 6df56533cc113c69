//go:build !js

package main

import (
	"context"
	"fmt"
	"io"

	"quire/tests/firefox"
)

// inFirefox does in headless Firefox what inChromium does in Chromium.
func inFirefox(ctx context.Context, url string, stdout, stderr io.Writer) (int, error) {
	b, err := firefox.Start(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer b.Close()
	if err := b.Navigate(ctx, url); err != nil {
		return 0, fmt.Errorf("in Firefox: %w", err)
	}
	for {
		var reports []string
		if err := b.Evaluate(ctx, "wasmexecReports()", &reports); err != nil {
			return 0, fmt.Errorf("in Firefox: %w", err)
		}
		for _, report := range reports {
			if code, ended, err := relay(report, stdout, stderr); ended {
				return code, err
			}
		}
	}
}
