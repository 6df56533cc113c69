//go:build !js

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	browserFlags = "--headless --no-sandbox --disable-background-networking --disable-component-update --disable-sync " +
		"--disable-quic --no-first-run --no-default-browser-check --disable-background-timer-throttling " +
		"--disable-renderer-backgrounding --disable-dev-shm-usage --mute-audio"
	softwareFlags = "--enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --enable-features=Vulkan"
)

// inChromium opens the page in headless Chromium, passes on what it reports and returns the program's exit code. Chromium
// ends with ctx, and with this process however it dies.
func inChromium(ctx context.Context, url string, stdout, stderr io.Writer) (int, error) {
	gpuFlags, ok := os.LookupEnv("QUIRE_CHROMIUM_FLAGS")
	if !ok {
		gpuFlags = softwareFlags
	}
	var options []chromedp.ExecAllocatorOption
	for _, f := range strings.Fields(browserFlags + " " + gpuFlags) {
		options = append(options, chromiumFlag(f))
	}
	if path := os.Getenv("QUIRE_CHROMIUM"); path != "" {
		options = append(options, chromedp.ExecPath(path))
	}
	ctx, cancelBrowser := chromedp.NewExecAllocator(ctx, options...)
	defer cancelBrowser()
	ctx, cancelTab := chromedp.NewContext(ctx)
	defer cancelTab()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	crashes := chromedp.Events(ctx, inspector.TargetCrashed)
	go func() {
		for range crashes {
			stop(errors.New("the page crashed, for want of memory perhaps"))
			return
		}
	}()
	reports := chromedp.Events(ctx, runtime.BindingCalled)
	err := chromedp.Do(ctx,
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := chromedp.Call(ctx, runtime.AddBinding, runtime.AddBindingParams{Name: "wasmexecReport"})
			return err
		}),
		chromedp.Navigate(url),
	)
	if err != nil {
		return 0, fmt.Errorf("starting Chromium: %w", err)
	}
	for event, err := range reports {
		if err != nil {
			return 0, fmt.Errorf("in Chromium: %w", cmp.Or(context.Cause(ctx), err))
		}
		if event.Name != "wasmexecReport" {
			continue
		}
		if code, ended, err := relay(event.Payload, stdout, stderr); ended {
			return code, err
		}
	}
	if err := context.Cause(ctx); err != nil {
		return 0, err
	}
	return 0, errors.New("the browser closed before the program ended")
}

// chromiumFlag turns a command line argument into an option.
func chromiumFlag(argument string) chromedp.ExecAllocatorOption {
	name, value, ok := strings.Cut(strings.TrimLeft(argument, "-"), "=")
	if !ok {
		return chromedp.Flag(name, true)
	}
	return chromedp.Flag(name, value)
}
