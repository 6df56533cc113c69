package openai

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"time"

	"quire/engine/json"
)

// API answers calls. Its fields are set before the first one; one value serves all doors.
type API struct {
	Models Models

	BodyLimit int                        // the most bytes of a body; 0: DefaultBodyLimit
	Patience  time.Duration              // how long a stream waits for its first token before its status is told; 0: DefaultPatience
	Now       func() time.Time           // the clock; nil: the present
	NewID     func(prefix string) string // makes ids such as "chatcmpl-…"; nil: random ones
	random    *rand.Rand                 // of a Journal; nil: nobody knows
}

// DefaultBodyLimit is the most bytes of a body, unless API.BodyLimit says otherwise.
const DefaultBodyLimit = 32 << 20

// DefaultPatience is how long a stream waits before its status is told: a request that is refused for want of room is so before the
// next step.
const DefaultPatience = time.Second

// Call is what a client asks.
type Call struct {
	Method string                   // of HTTP
	Path   string                   // unescaped, without query, such as "/v1/chat/completions"
	Header func(name string) string // gives a header's value, whatever the name's case; nil: there are none
	Body   []byte
	Tenant string // turns are shared out among tenants; "": the request's user
	ID     string // of the call, which its door tells the client itself; "": the answer has one in HeaderID
}

// Answer is what the client is told.
type Answer struct {
	Status int
	Header [][2]string      // names and values, of Content-Type at least
	Body   []byte           // where Events is nil
	Events iter.Seq[[]byte] // of a stream: each value is a whole server-sent event; breaking off, and the call's context, cancel the request
}

// Handle answers a call. Without Events the answer is whole when it returns; Events must be read or the call's context cancelled.
func (a *API) Handle(ctx context.Context, c Call) *Answer {
	answer, err := a.route(ctx, c)
	if err != nil {
		answer = err.Answer()
	}
	if c.ID == "" {
		answer.Header = append(answer.Header, [2]string{HeaderID, a.newID(PrefixID)})
	}
	return answer
}

// route finds what answers a path.
func (a *API) route(ctx context.Context, c Call) (*Answer, *Error) {
	path := strings.TrimPrefix(strings.TrimSuffix(c.Path, "/"), "/v1")
	r := routeOf(path)
	if r == nil {
		return nil, &Error{Status: 404, Type: typeInvalid, Code: "unknown_url", Message: "There is no " + c.Method + " " + c.Path + " here."}
	}
	if c.Method != r.method && !(c.Method == "HEAD" && r.method == "GET") {
		return nil, &Error{Status: 405, Type: typeInvalid, Code: "method_not_supported", Message: "Only " + r.method + " is allowed on " + c.Path + ".",
			header: [][2]string{{"Allow", r.method}}}
	}
	if limit := a.bodyLimit(); len(c.Body) > limit {
		return nil, TooLarge(limit)
	}
	return r.answer(a, ctx, c)
}

// endpoint is a path, and what answers it.
type endpoint struct {
	method string
	paths  []string
	prefix bool // what is below the path, too
	answer func(a *API, ctx context.Context, c Call) (*Answer, *Error)
}

func routeOf(path string) *endpoint {
	for i, r := range endpoints {
		for _, p := range r.paths {
			if path == p || r.prefix && strings.HasPrefix(path, p+"/") {
				return &endpoints[i]
			}
		}
	}
	return nil
}

var endpoints []endpoint

func init() { // endpoints refer to what refers to them
	endpoints = []endpoint{
		{"GET", []string{"/health"}, false, (*API).handleHealth},
		{"GET", []string{"/models"}, true, (*API).handleModels},
		{"POST", []string{"/chat/completions"}, false, (*API).handleChat},
		{"POST", []string{"/completions"}, false, (*API).handleCompletion},
		{"POST", []string{"/responses"}, false, (*API).handleResponse},
		{"POST", []string{"/embeddings"}, false, (*API).handleEmbeddings},
		{"POST", []string{"/rerank", "/reranking", "/v2/rerank"}, false, (*API).handleRerank},
		{"POST", []string{"/tokenize"}, false, (*API).handleTokenize},
		{"POST", []string{"/detokenize"}, false, (*API).handleDetokenize},
		{"POST", []string{"/apply-template"}, false, (*API).handleApplyTemplate},
	}
}

func (a *API) bodyLimit() int {
	if a.BodyLimit > 0 {
		return a.BodyLimit
	}
	return DefaultBodyLimit
}

// TooLarge refuses a body that has more bytes than a limit.
func TooLarge(limit int) *Error {
	return &Error{Status: 413, Type: typeInvalid, Code: "request_too_large", Message: fmt.Sprintf("The request's body has more than %d bytes.", limit)}
}

func (a *API) patience() time.Duration {
	if a.Patience > 0 {
		return a.Patience
	}
	return DefaultPatience
}

func (a *API) now() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}

func (a *API) newID(prefix string) string {
	if a.NewID != nil {
		return a.NewID(prefix)
	}
	if a.random != nil {
		return idOf(prefix, a.random.IntN)
	}
	return NewID(prefix)
}

// newSeed draws what a request's tokens are drawn by.
func (a *API) newSeed() uint64 {
	if a.random != nil {
		return a.random.Uint64()
	}
	return rand.Uint64()
}

// NewID makes a random id.
func NewID(prefix string) string { return idOf(prefix, rand.IntN) }

func idOf(prefix string, below func(int) int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	id := []byte(prefix)
	for range 24 {
		id = append(id, letters[below(len(letters))])
	}
	return string(id)
}

var contentJSON = [2]string{"Content-Type", "application/json"}

// jsonAnswer tells a value.
func jsonAnswer(value any) (*Answer, *Error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, asError(err, "")
	}
	return &Answer{Status: 200, Header: [][2]string{contentJSON}, Body: body}, nil
}
