package main

import (
	"context"
	"fmt"
	"time"

	"quire/cmd/native/pull"
)

type pullCommand struct {
	Models      []string `arg:"" name:"model" help:"hf:owner/repo, hf:owner/repo:QUANT, hf:owner/repo/FILE.gguf, or an http(s) address."`
	Connections int      `placeholder:"N" default:"4" min:"1" help:"Read over so many connections at once. A server that is busy gets fewer."`
	JSON        bool     `name:"json" help:"Print JSON Lines: how far it is, and what came."`
}

const mostConnections = 64

// Help is what --help shows beyond the flags.
func (*pullCommand) Help() string {
	return `Fetches models from Hugging Face's hub, or by address, into the cache, and prints where they are. A name without a quantization means
Q4_K_M, or the nearest to it that is there; upper and lower case are the same. All files of a split model come. A revision (a branch, a
tag or a commit) stands after @: hf:owner/repo@v2:Q8_0. What is in the cache already is compared with what the hub has now.

Whatever takes a model takes such names: "quire run -m hf:owner/repo" pulls the model first where it is not in the cache, and asks
nothing of the network where it is. "quire inspect" reads only what it shows.

A pull that was broken off, by Ctrl-C too, goes on where it ended. What came is compared with the SHA-256 that the hub names, and
deleted where it is another. Several pulls of the same model wait for each other.

--json prints lines with "status" ("resolving", "waiting", "downloading", "retrying", "done" or "failed"), "name", "bytes", "total_bytes",
"bytes_per_second" and "seconds_left", with "done" also "path", "files" and "fresh" (all was there), with "failed" also "error".

Environment:

  QUIRE_CACHE     the folder of models; without it quire/models in XDG_CACHE_HOME, ~/.cache, or the system's like
  HF_TOKEN        a token for models that are not given to everyone; also read from HF_TOKEN_PATH, and where
                  "hf auth login" puts it. It goes to the hub alone, and to no server that it redirects to
  HF_ENDPOINT     another hub, such as a mirror
  HF_HUB_OFFLINE  1: ask nothing of the network

Examples:

  quire pull hf:owner/repo-GGUF
  quire pull hf:owner/repo-GGUF:Q8_0 hf:owner/other-GGUF/model-Q4_0.gguf
  quire pull https://example.org/model.gguf
  quire run -m hf:owner/repo-GGUF:Q8_0 "Hello."`
}

// Run runs the command.
func (c *pullCommand) Run(h *host) error {
	if c.Connections > mostConnections {
		return usagef("--connections is %d, at most %d make sense", c.Connections, mostConnections)
	}
	ctx, stop := interruptible()
	defer stop()
	show := newPulling(h.err)
	o := pull.Options{Connections: c.Connections, Told: show.update}
	if c.JSON {
		o.Told = func(e pull.Event) { writePulling(h.out, e) }
	}
	p, err := newPuller(o)
	if err != nil {
		return err
	}
	var names []pull.Name
	for _, text := range c.Models {
		n, named, err := p.Parse(text)
		if err != nil {
			return err
		}
		if !named {
			return &pull.Error{Text: text + ": this is no name of a model on a hub, and no address", Hint: "Names look like hf:owner/repo or hf:owner/repo:Q4_K_M. A file on this machine need not be pulled."}
		}
		names = append(names, n)
	}
	failed := false
	for _, n := range names {
		err := c.pull(ctx, h, p, n, show)
		if ctx.Err() != nil {
			if !c.JSON {
				fmt.Fprintf(h.err, "\"quire pull %s\" goes on from here\n", n)
			}
			return interrupted(ctx, h, err)
		}
		if err == nil {
			continue
		}
		if failed = true; c.JSON {
			writeJSON(h.out, pullLine{Status: "failed", Name: n.String(), Error: say(err)})
		}
		if len(names) == 1 {
			return err
		}
		tell(h, "quire pull", err)
	}
	if failed {
		return exitCode(exitError)
	}
	return nil
}

func (c *pullCommand) pull(ctx context.Context, h *host, p *pull.Puller, n pull.Name, show *pulling) error {
	start := time.Now()
	m, err := p.Pull(ctx, n)
	show.bar.clear()
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(h.out, donePulling(m))
	}
	if m.Fresh {
		fmt.Fprintf(h.err, "%s: up to date\n", m.Name)
	} else {
		fmt.Fprintf(h.err, "%s: %s in %s\n", m.Name, pull.Size(m.Bytes()), roughly(time.Since(start)))
	}
	_, err = fmt.Fprintln(h.out, m.Path())
	return err
}

// newPuller makes what pulls models, under Quire's name.
func newPuller(o pull.Options) (*pull.Puller, error) {
	o.Agent = "quire/" + release
	return pull.New(o)
}
