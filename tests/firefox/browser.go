//go:build !js

// Package firefox drives headless Firefox with WebGPU on, for tests: a fresh profile each time, and Marionette, which
// every Firefox speaks, without a driver in between.
package firefox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	startLimit = 2 * time.Minute // a machine that does much else is slow
	quitLimit  = 10 * time.Second
)

// Browser is a Firefox that runs, with one tab.
type Browser struct {
	marionette *marionette
	dir        string
	quit       context.CancelFunc // ends the process by force
	ended      chan struct{}      // closed when the process has ended
	log        string
}

// Start runs Firefox until Close; it ends with ctx, and on Linux with this process however it dies. $QUIRE_FIREFOX names
// another than firefox-esr or firefox. Preferences may be given other values than these tests' usual ones.
func Start(ctx context.Context, changed map[string]any) (*Browser, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "firefox-")
	if err != nil {
		return nil, err
	}
	ctx, quit := context.WithCancel(ctx)
	b := &Browser{dir: dir, quit: quit, ended: make(chan struct{}), log: filepath.Join(dir, "log")}
	if err := b.start(ctx, path, changed); err != nil {
		err = fmt.Errorf("starting Firefox: %w%s", err, b.lastWords())
		b.Close()
		return nil, err
	}
	return b, nil
}

func find() (string, error) {
	if path := os.Getenv("QUIRE_FIREFOX"); path != "" {
		return path, nil
	}
	for _, name := range []string{"firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Firefox: install firefox-esr, or name one by QUIRE_FIREFOX")
}

func (b *Browser) start(ctx context.Context, path string, changed map[string]any) error {
	profile := filepath.Join(b.dir, "profile")
	if err := writeProfile(profile, changed); err != nil {
		close(b.ended)
		return err
	}
	log, err := os.Create(b.log)
	if err != nil {
		close(b.ended)
		return err
	}
	c := exec.CommandContext(ctx, path, "--headless", "--no-remote", "--profile", profile, "--marionette", "about:blank")
	// Crashes end the process at once, and nobody is asked about them.
	c.Env = append(os.Environ(), "HOME="+b.dir, "XDG_RUNTIME_DIR="+b.dir, "MOZ_CRASHREPORTER_DISABLE=1")
	c.Stdout, c.Stderr = log, log
	bind(c)
	started := make(chan error)
	go func() {
		defer close(b.ended)
		defer log.Close()
		runtime.LockOSThread() // the process ends with the thread that started it
		err := c.Start()
		started <- err
		if err == nil {
			c.Wait()
			sweep(c)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	port, err := b.port(ctx, filepath.Join(profile, "MarionetteActivePort"))
	if err != nil {
		return err
	}
	if b.marionette, err = connect(ctx, net.JoinHostPort("127.0.0.1", port)); err != nil {
		return err
	}
	if err := b.marionette.call(ctx, "WebDriver:NewSession", map[string]any{}, nil); err != nil {
		return err
	}
	// Scripts take their callers' time. No limit at all, null, has them answer null at once.
	return b.marionette.call(ctx, "WebDriver:SetTimeouts", map[string]any{"script": math.MaxInt32, "pageLoad": startLimit.Milliseconds()}, nil)
}

// port waits until Firefox says which port it chose.
func (b *Browser) port(ctx context.Context, path string) (string, error) {
	for {
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 {
			return strings.TrimSpace(string(text)), nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-b.ended:
			return "", errors.New("it ended")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lastWords are the end of what Firefox wrote.
func (b *Browser) lastWords() string {
	text, err := os.ReadFile(b.log)
	if err != nil || len(text) == 0 {
		return ""
	}
	return "; it wrote:\n" + string(text[max(0, len(text)-2000):])
}

// Navigate opens a page and waits for its load event.
func (b *Browser) Navigate(ctx context.Context, url string) error {
	return b.marionette.call(ctx, "WebDriver:Navigate", map[string]any{"url": url}, nil)
}

// Evaluate gives the value of a JavaScript expression in the page, awaited if it is a promise. Only one call runs at a
// time: a second one waits for the first. What an expression sets of globalThis is gone with it; what it sets of window stays.
func (b *Browser) Evaluate(ctx context.Context, expression string, value any) error {
	var answer struct {
		Value struct {
			Value any
			Error string
		}
	}
	answer.Value.Value = value
	script := `(async () => (` + expression + `
		))().then((value) => arguments[0]({value}), (e) => arguments[0]({error: String(e)}));`
	if err := b.marionette.call(ctx, "WebDriver:ExecuteAsyncScript", map[string]any{"script": script, "args": []any{}}, &answer); err != nil {
		// Firefox puts a page of its own process, or none, in place of one whose process has ended.
		var failure *remoteError
		if errors.As(err, &failure) && (failure.Name == "unsupported operation" || failure.Name == "no such window") {
			return errors.New("the page crashed, for want of memory perhaps")
		}
		return err
	}
	if answer.Value.Error != "" {
		return errors.New(answer.Value.Error)
	}
	return nil
}

// Close ends Firefox and removes its profile.
func (b *Browser) Close() error {
	if b.marionette != nil {
		ctx, cancel := context.WithTimeout(context.Background(), quitLimit)
		if b.marionette.call(ctx, "Marionette:Quit", map[string]any{"flags": []string{"eForceQuit"}}, nil) == nil {
			select {
			case <-b.ended:
			case <-ctx.Done():
			}
		}
		cancel()
		b.marionette.close()
	}
	b.quit()
	<-b.ended
	// Those of its processes that are still ending may write until they have.
	for end := time.Now().Add(quitLimit); ; time.Sleep(50 * time.Millisecond) {
		if err := os.RemoveAll(b.dir); err == nil || time.Now().After(end) {
			return err
		}
	}
}
