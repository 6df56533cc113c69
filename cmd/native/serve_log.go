package main

import (
	"log/slog"
	"strings"
)

// logger writes the log.
func (c *serveCommand) logger(h *host) *slog.Logger {
	var level slog.Level
	level.UnmarshalText([]byte(c.Level)) // one of the enum's
	o := &slog.HandlerOptions{Level: level}
	if c.Log == "json" {
		return slog.New(slog.NewJSONHandler(h.err, o))
	}
	return slog.New(slog.NewTextHandler(h.err, o))
}

// told is a host whose stderr takes what is told of models: for machines, which read a log, through that.
func (c *serveCommand) told(h *host, log *slog.Logger) *host {
	if c.Log != "json" {
		return h
	}
	return &host{in: h.in, out: h.out, err: logLines{log}}
}

// logLines writes each line as one of a log.
type logLines struct{ log *slog.Logger }

func (l logLines) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		if line = strings.TrimSpace(line); line != "" {
			l.log.Info(line)
		}
	}
	return len(p), nil
}
