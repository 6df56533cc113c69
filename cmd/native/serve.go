package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"quire/engine/openai"
	openaihttp "quire/engine/openai/http"
	"quire/engine/words"
)

type serveCommand struct {
	Model     []string      `group:"Models:" short:"m" names:"" placeholder:"[NAME=]MODEL" sep:"none" filled:"" help:"A GGUF file, hf:owner/repo[:QUANT], or an http(s) address, and the name that requests give it: without one, the file's without .gguf, or owner/repo[:QUANT]. May come several times; the first is loaded at once, others when they are asked for. Without it, the built-in model."`
	LoRA      []string      `group:"Models:" name:"lora" placeholder:"NAME=FILE" sep:"none" filled:"" help:"A LoRA adapter in GGUF for the first model, and the name that requests give it, as their model or in \"lora\". May come several times."`
	Memory    size          `group:"Models:" placeholder:"SIZE" help:"Memory on the GPU for all loaded models together, such as 12GiB: those not used for longest make room. 0: until the GPU has no more."`
	KeepAlive time.Duration `group:"Models:" placeholder:"TIME" default:"0" help:"How long a model stays loaded when nobody uses it, such as 5m. 0: until another needs its room."`
	Ctx       int           `group:"Models:" placeholder:"TOKENS" default:"0" help:"At most so many tokens a sequence. 0: what the model was trained for, as memory allows. More is lowered to that."`

	Addr    string        `group:"Server:" placeholder:"HOST:PORT" default:"127.0.0.1:8080" help:"Where to listen. Port 0 takes any that is free, and no host, as in :8080, all of this machine's addresses."`
	Ollama  bool          `group:"Server:" help:"Answer ollama's routes too: /api/chat, /api/generate, /api/embed, /api/embeddings, /api/tags, /api/show, /api/ps and /api/version."`
	NoPage  bool          `group:"Server:" help:"Serve no page, only the API."`
	TLSCert string        `group:"Server:" name:"tls-cert" placeholder:"FILE" help:"Serve HTTPS with this certificate, in PEM; with --tls-key."`
	TLSKey  string        `group:"Server:" name:"tls-key" placeholder:"FILE" help:"The certificate's private key, in PEM."`
	Log     string        `group:"Server:" name:"log-format" placeholder:"FORMAT" default:"text" enum:"text, json" help:"How the log on stderr is written: ${enum}. It has no prompts and no answers."`
	Level   string        `group:"Server:" name:"log-level" placeholder:"LEVEL" default:"info" enum:"debug, info, warn, error" help:"The least that is logged: ${enum}."`
	Timeout time.Duration `group:"Server:" placeholder:"TIME" default:"0" help:"The longest that an answer may take, such as 10m. 0: as long as it likes."`
	Stall   time.Duration `group:"Server:" placeholder:"TIME" default:"30s" help:"The longest that a client may take to send a request, or to accept a piece of its answer."`
	Body    size          `group:"Server:" name:"max-body" placeholder:"SIZE" help:"The most bytes of a request. 0: 32MiB."`

	Key         []string `group:"Who may call:" name:"api-key" env:"QUIRE_API_KEY" placeholder:"KEY" sep:"none" filled:"" help:"A key that requests must show. Other users of this machine may see it in the list of processes: --api-keys and the environment hide it. May come several times."`
	Keys        string   `group:"Who may call:" name:"api-keys" placeholder:"FILE" help:"A file of keys: a name and a key a line. Turns are shared out fairly, and limits counted, by name."`
	Rate        int      `group:"Who may call:" placeholder:"N" default:"0" help:"At most N requests a minute of each key, or of all callers where there are no keys. 0: any number."`
	RateTokens  int      `group:"Who may call:" placeholder:"N" default:"0" help:"At most N tokens a minute, of prompts and answers, likewise. 0: any number."`
	CORS        []string `group:"Who may call:" name:"cors" placeholder:"ORIGIN" sep:"none" filled:"" help:"Pages of this origin, such as https://example.org, may call; * means all. May come several times. Without it, only the page that is served here."`
	AllowHost   []string `group:"Who may call:" placeholder:"NAME" sep:"none" filled:"" help:"A name under which requests may come, such as llm.example.org or *.example.org. May come several times. On a loopback address, without it, only this machine's own names."`
	OpenMetrics bool     `group:"Who may call:" help:"Answer /metrics to those without a key too."`

	engineFlags `group:"Engine:"`
}

// Help is what --help shows beyond the flags.
func (*serveCommand) Help() string {
	return `Serves models over HTTP, as the OpenAI API has it: point a client at http://127.0.0.1:8080/v1. The address that is served is the first
line of stderr. A browser gets the page, which asks these models. docs/serve.md has the routes, the metrics and the limits.

Until the first model is loaded, /health answers 503; requests wait. Ctrl-C, or SIGTERM, takes no more requests and lets those that
run finish; a second one quits.

A key is sent as "Authorization: Bearer KEY". Prometheus finds its metrics at /metrics.

Examples:

  quire serve
  quire serve -m model.gguf -m small=tiny.gguf --memory 12GiB --keep-alive 10m
  quire serve -m model.gguf --addr :8443 --tls-cert cert.pem --tls-key key.pem --api-keys keys.txt --rate 60
  quire serve -m llama3.2=model.gguf --ollama --addr 127.0.0.1:11434
  quire serve -m base=model.gguf --lora pirate=pirate.gguf --lora poet=poet.gguf`
}

// Run runs the command.
func (c *serveCommand) Run(h *host) error {
	if err := c.check(); err != nil {
		return err
	}
	keys, err := c.readKeys()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	log := c.logger(h)
	shelf, err := c.models(ctx, c.told(h, log), log)
	if err != nil {
		return interrupted(ctx, h, err)
	}
	listener, err := c.listen()
	if err != nil {
		return err
	}
	metrics := openaihttp.NewMetrics(shelf.loads)
	o := openaihttp.Options{
		Keys: keys, Origins: c.CORS, Hosts: c.hosts(listener.Addr()), MaxBody: int64(c.Body), BodyTime: c.Stall, WriteTime: c.Stall, AnswerTime: c.Timeout,
		RequestsPerMinute: c.Rate, TokensPerMinute: c.RateTokens, Metrics: metrics, OpenMetrics: c.OpenMetrics, Ready: shelf.ready, Log: log,
	}
	if !c.NoPage {
		o.Page = newPage()
	}
	if c.Ollama {
		o.Ollama = shelf
	}
	api := &openai.API{Models: shelf.models(metrics), BodyLimit: int(c.Body)}
	server := &http.Server{
		Handler: openaihttp.New(api, o), ReadHeaderTimeout: min(c.Stall, 10*time.Second), IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	c.announce(h, log, listener.Addr(), keys.Len() > 0)
	return c.serve(ctx, h, server, listener, shelf, log)
}

// check says what in the flags does not go together.
func (c *serveCommand) check() error {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return usagef("--tls-cert and --tls-key go together")
	case c.KeepAlive < 0 || c.Timeout < 0:
		return usagef("--keep-alive and --timeout must not be negative")
	case c.Stall <= 0:
		return usagef("--stall must be more than 0, such as 30s")
	case len(c.LoRA) > 0 && len(c.Model) == 0:
		return usagef("--lora needs a model: -m")
	}
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return usagef("--addr must be HOST:PORT, such as 127.0.0.1:8080, not %q", c.Addr)
	}
	for _, origin := range c.CORS {
		if err := checkOrigin(origin); err != nil {
			return usagef("--cors: %s", err)
		}
	}
	for _, name := range c.AllowHost {
		if err := checkName(name); err != nil {
			return usagef("--allow-host: %s", err)
		}
	}
	return nil
}

// serve answers requests until Ctrl-C, then until those that run have finished.
func (c *serveCommand) serve(ctx context.Context, h *host, server *http.Server, listener net.Listener, shelf *shelf, log *slog.Logger) error {
	ended := make(chan error, 1)
	go func() {
		if c.TLSCert != "" {
			ended <- server.ServeTLS(listener, c.TLSCert, c.TLSKey)
		} else {
			ended <- server.Serve(listener)
		}
	}()
	loaded := make(chan error, 1)
	go func() { loaded <- shelf.begin(ctx) }()
	var err error
	select {
	case err = <-ended:
	case err = <-loaded:
		if err == nil {
			select {
			case err = <-ended:
			case <-ctx.Done():
			}
		}
	case <-ctx.Done():
	}
	if ctx.Err() == nil { // it could not load, or not listen
		server.Close()
		shelf.Close()
		return err
	}
	log.Info("no more requests are taken; those that run finish, and another Ctrl-C quits")
	server.Shutdown(context.Background())
	if wrong := shelf.Close(); wrong != nil && !errors.Is(wrong, context.Canceled) {
		log.Warn("a model did not close", "error", words.Error(wrong))
	}
	log.Info("all requests have finished")
	return nil
}

// announce tells where the server is, and who may come.
func (c *serveCommand) announce(h *host, log *slog.Logger, at net.Addr, keys bool) {
	address := c.url(at)
	if c.Log == "json" {
		slog.New(slog.NewJSONHandler(h.err, nil)).Info("serving", "url", address) // whatever the log's level
	} else {
		fmt.Fprintf(h.err, "Serving at %s (the API at %s/v1)\n", address, address)
	}
	if tcp, ok := at.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() && !keys {
		log.Warn("whoever reaches this address may use it: --api-key asks for a key")
	}
}
