// Package http serves the API over HTTP. What a call means is the core's matter, in package openai; here is what only a network
// has: who may call and from where, how much and how long, streams that outlive slow readers, and metrics.
package http

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/rs/cors"

	"quire/engine/openai"
)

// Core answers calls; an *openai.API does.
type Core interface {
	Handle(ctx context.Context, c openai.Call) *openai.Answer
}

// Options say who may call, and how much. The zero value lets anybody call as much as they like.
type Options struct {
	Keys    *Keys    // nil, or without any: no key is needed
	Origins []string // of pages elsewhere that may call, such as https://example.org; "*": all
	Hosts   []string // that a request's Host header may name; none: any

	MaxBody  int64         // bytes of a request's body; 0: DefaultMaxBody
	BodyTime time.Duration // in which it must have come; 0: DefaultBodyTime
	// WriteTime is how long a client may take to accept a piece of an answer; 0: DefaultWriteTime.
	WriteTime time.Duration
	// AnswerTime is how long an answer may take; 0: as long as it likes.
	AnswerTime time.Duration
	// KeepAlive is how long a stream is silent before a comment says that it is alive; 0: DefaultKeepAlive.
	KeepAlive time.Duration

	RequestsPerMinute int // of each key, or of all callers where there are no keys; 0: any number
	TokensPerMinute   int // likewise, of prompts and answers

	Page        fs.FS                 // what a browser is shown; may be nil
	Metrics     *Metrics              // may be nil
	OpenMetrics bool                  // /metrics needs no key
	Ready       func() (bool, string) // says whether requests are answered at once, and if not, why; nil: always
	Ollama      Catalog               // of the models that routes of ollama, below /api/, tell of; nil: there are no such routes
	Log         *slog.Logger          // nil: nothing is logged
}

// What Options leave out.
const (
	DefaultMaxBody   = openai.DefaultBodyLimit
	DefaultBodyTime  = 30 * time.Second
	DefaultWriteTime = 30 * time.Second
	DefaultKeepAlive = 15 * time.Second

	pageTime = 5 * time.Minute // for a file of the page
)

// Handler is the API as net/http serves it.
type Handler struct {
	Options
	core   Core
	cors   *cors.Cors
	limits *limits
	files  pageFiles
}

// New makes a handler over a core.
func New(core Core, o Options) *Handler {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&o.BodyTime, DefaultBodyTime}, {&o.WriteTime, DefaultWriteTime}, {&o.KeepAlive, DefaultKeepAlive}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{Options: o, core: core, limits: newLimits(o.RequestsPerMinute, o.TokensPerMinute)}
	h.cors = newCORS(h.allowed)
	if o.Metrics != nil {
		o.Metrics.used = h.limits.spend
	}
	return h
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	// A deadline of the connection's last answer may still stand.
	http.NewResponseController(w).SetWriteDeadline(time.Time{})
	told := &recorder{ResponseWriter: w, id: openai.NewID(openai.PrefixID), within: h.WriteTime, unread: r, bodyTime: h.BodyTime}
	w.Header().Set(openai.HeaderID, told.id)
	defer func() {
		p := recover()
		if p == http.ErrAbortHandler {
			panic(p)
		}
		if p != nil {
			h.Log.Error("a request failed inside", "path", r.URL.Path, "error", fmt.Sprint(p))
			if told.status == 0 {
				h.refuse(told, r, &openai.Error{Status: http.StatusInternalServerError, Type: "server_error", Message: "The server failed; its log says how."})
			}
		}
		level := slog.LevelInfo
		if r.URL.Path == "/health" || r.URL.Path == "/metrics" { // they are asked all the time
			level = slog.LevelDebug
		}
		h.Log.Log(r.Context(), level, "request", "id", told.id, "method", r.Method, "path", r.URL.Path, "status", told.status, "bytes", told.bytes,
			"ms", time.Since(start).Milliseconds(), "client", r.RemoteAddr, "key", told.key)
	}()
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if bad := h.guard(r); bad != nil {
		h.refuse(told, r, bad)
		return
	}
	h.cors.ServeHTTP(told, r, func(http.ResponseWriter, *http.Request) { h.route(told, r) })
}

// route finds what answers a path: a page's file, or the API.
func (h *Handler) route(w *recorder, r *http.Request) {
	name := r.URL.Path
	switch {
	case !tidy(name):
		h.refuse(w, r, invalid(http.StatusNotFound, "unknown_url", "There is nothing at this path."))
	case strings.TrimSuffix(name, "/") == "/health" || strings.TrimSuffix(name, "/") == "/v1/health":
		h.health(w, r)
	case name == "/metrics" && h.Metrics != nil && h.OpenMetrics:
		h.metrics(w, r)
	case h.onPage(r):
		h.page(w, r)
	case name == "/" && h.Page == nil:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, "Quire is running. Its API is at /v1.\n")
	default:
		h.call(w, r)
	}
}

// tidy says that a path leads nowhere but where it says.
func tidy(name string) bool {
	if !strings.HasPrefix(name, "/") || strings.ContainsAny(name, "\\\x00\r\n") {
		return false
	}
	clean := path.Clean(name)
	return name == clean || name == clean+"/"
}

// health tells a load balancer whether to send requests.
func (h *Handler) health(w *recorder, r *http.Request) {
	if h.Ready != nil {
		if ready, why := h.Ready(); !ready {
			w.Header().Set("Retry-After", "1")
			h.refuse(w, r, &openai.Error{Status: http.StatusServiceUnavailable, Type: "unavailable_error", Code: "not_ready", Message: why})
			return
		}
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	h.write(ctx, cancel, w, h.core.Handle(ctx, openai.Call{Method: r.Method, Path: "/health", Header: r.Header.Get, ID: w.id}))
}

// reads says that a request only reads, and refuses another.
func (h *Handler) reads(w *recorder, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	h.refuse(w, r, invalid(http.StatusMethodNotAllowed, "method_not_supported", "Only GET is allowed on "+r.URL.Path+"."))
	return false
}

func (h *Handler) metrics(w *recorder, r *http.Request) {
	if h.reads(w, r) {
		h.Metrics.ServeHTTP(w, r)
	}
}

// call answers a call of the API: of who has a key, as often as it may, with a body that is not too large.
func (h *Handler) call(w *recorder, r *http.Request) {
	key, ok := h.key(r)
	if w.key = key; !ok {
		w.Header().Set("WWW-Authenticate", `Bearer realm="quire"`)
		h.refuse(w, r, noKey(r))
		return
	}
	if r.URL.Path == "/metrics" && h.Metrics != nil {
		h.metrics(w, r)
		return
	}
	if bad := h.limits.take(w.Header(), key, time.Now()); bad != nil {
		h.refuse(w, r, bad)
		return
	}
	body, bad := h.body(w, r)
	if bad != nil {
		h.refuse(w, r, bad)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	work := ctx // what comes of a deadline is still told
	if h.AnswerTime > 0 {
		var end func()
		work, end = context.WithTimeout(ctx, h.AnswerTime)
		defer end()
	}
	c := openai.Call{Method: r.Method, Path: r.URL.Path, Header: r.Header.Get, Body: body, Tenant: key, ID: w.id}
	if h.forOllama(r) {
		h.write(ctx, cancel, w, h.ollama(work, c))
		return
	}
	h.write(ctx, cancel, w, h.core.Handle(work, c))
}
